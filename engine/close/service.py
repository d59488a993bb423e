"""The close of a day, as screens and commands use it."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

import msgspec

from data.errors import BadInput
from data.records import replace
from data.repositories.close.corrections import corrections_on
from data.repositories.close.figures import books_of_day
from data.repositories.close.stored import (
    DoneStep,
    StoredClientDay,
    StoredSeal,
    audit_head_of,
    read_client_days,
    read_seals,
    read_steps,
)
from data.repositories.days import was_opened
from data.store import StoreError
from data.vocabulary import ClientStatus, CloseSource, CloseStepKind, SessionState
from engine.book.kept import Kept
from engine.close.closing import ClosingSteps, DayFigured, Decided, Rev
from engine.close.figures import ClosePrices, client_days, desk_risk
from engine.close.obstacles import open_clients, waiting_orders
from engine.close.prices import ClosingPrices
from engine.close.protocols import CloseWith
from engine.close.refused import CloseChanged, DayNotOver
from engine.close.sealing import day_of
from engine.close.views import ClientDay, CloseProspect, DayReport, DeskRisk, ForTomorrow
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.timing import Timing

NOTE_EVERY_S = 60.0
"""Seconds between two looks for shares whose previous close is not kept."""

_Step = CloseStepKind
LAST_STEP = _Step.TOMORROW
"""Behind it a revision is done."""


class DayClose:
    """Every client's day in figures at any time, and what ends it."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market: Market,
        prices: ClosingPrices,
        others: CloseWith,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._market = market
        self._prices = prices
        self.others = others
        """Who does what of it; what the composition adds is set here."""
        self._steps = ClosingSteps(kept, timing, engine, self._figured, self.report, others)
        self._one_at_a_time = asyncio.Lock()

    async def keep(self) -> None:
        """Keep the previous closes of what clients hold, for as long as the desk lives."""
        while True:
            with suppress(StoreError):  # tried again with the next look
                await self._prices.note_before()
            await self._timing.wall.sleep(NOTE_EVERY_S)

    async def note_before(self) -> int:
        """Keep them now; returns how many were not kept yet. Raises `StoreError`."""
        return await self._prices.note_before()

    # --- figures ---

    async def preview(
        self, day: date | None = None, client_ids: Collection[int] | None = None, costs: bool = False
    ) -> DayReport:
        """A day's figures as they stand, provisional: nothing is written. Today's where no day is given.

        With `costs` it says what runs cost clients, for which the plan of each run of the day is read.

        Raises `BadInput` for a day that has not come, or on which no books were opened here.
        """
        today = self._timing.market.trading_day
        day = today if day is None else day
        await self._require_opened(day)
        clients = [one.id for one in self._kept.book.open_clients()]
        figured = await self._figured(
            day, [one for one in clients if client_ids is None or one in client_ids]
        )
        risk = desk_risk(figured.days)
        report = DayReport(day, self._timing.wall.now(), 0, figured.days, risk, _sources(figured))
        told = await self.others.risk.costs(day, closed=False) if costs else None
        return replace(report, risk=await self.others.risk.of(report), costs=told)

    async def report(self, day: date) -> DayReport:
        """A day as it was closed last; while its close goes on, as far as that is.

        Raises `BadInput` for a day that is not closed.
        """
        async with self._kept.store.reader() as reader:
            stored, seals = await read_client_days(reader, day), await read_seals(reader, day)
            steps = await read_steps(reader, day)
            head = await audit_head_of(reader, seals[-1].seal) if seals else ""
            corrected = await corrections_on(reader, day, [one.client_id for one in stored])
        if not stored:
            raise BadInput("day", day.isoformat(), "it is not closed: `tradedesk eod --preview` shows it")
        book = self._kept.book
        told = (day_of(one, book.clients.get(one.client_id)) for one in stored)
        days = tuple(sorted(told, key=lambda one: one.code))
        keys = {held.key for one in days for held in one.positions}
        sources = Counter(one.source for one in (await self._prices.of(day, keys)).values())
        detail = {(one.rev, one.step): one.detail for one in steps}
        rev = max(one.rev for one in stored)
        risk = detail.get((rev, _Step.RISK), {}).get("risk")
        return DayReport(
            day=day,
            at=max(one.closed_at for one in stored),
            rev=rev,
            clients=days,
            risk=desk_risk(days) if risk is None else msgspec.convert(risk, DeskRisk),
            prices=dict(sources),
            folder=str(detail.get((rev, _Step.EXPORTS), {}).get("folder", "")),
            seal=seals[-1].seal if seals else "",
            audit_head=head,
            costs=await self.others.risk.costs(day, closed=True),
            corrections=tuple(corrected),
        )

    async def tomorrow(self, ask: bool = False) -> ForTomorrow:
        """What waits for the next day, as it stands now; with `ask` brokers tell what rests there."""
        return await (self.others.tomorrow.look() if ask else self.others.tomorrow.list())

    # --- the close ---

    async def due_day(self) -> date:
        """The day that is to be closed next: the last one that is over and not closed.

        Where none is, today.
        """
        today = self._timing.market.trading_day
        if self._begins_at(today) is None:
            return today
        before = self._prices.before(today)
        if before is None:
            return today
        async with self._kept.store.reader() as reader:
            opened, steps = await was_opened(reader, before), await read_steps(reader, before)
            seals = await read_seals(reader, before)
        whole = bool(seals) and any(one.rev == seals[-1].rev and one.step is LAST_STEP for one in steps)
        return before if opened and not whole else today

    async def prospect(self, day: date | None = None) -> CloseProspect:
        """What a close of a day would do, as things stand; nothing is read at a broker."""
        day = await self.due_day() if day is None else day
        return (await self._prospect(day, was_read=False))[0]

    async def look(self, day: date | None = None) -> CloseProspect:
        """The same, once every client's books and what rests for it were read at its broker."""
        day = await self.due_day() if day is None else day
        await asyncio.gather(self._read_books(), self.others.tomorrow.look())
        return (await self._prospect(day))[0]

    async def close(self, day: date, closing: int) -> DayReport:
        """Close a day for so many clients, those who can be; one that was broken off goes on where it was.

        `closing` is how many the trader was told would be closed. Raises `DayNotOver` before the day's last
        session has ended, `CloseChanged` where it would be others by now, `StoreError`; `BadInput` for a day
        on which no books were opened here, where another desk has clients, and where a file or the backup
        cannot be written; what was done by then stands, and the next close goes on.
        """
        async with self._one_at_a_time:
            begins = self._begins_at(day)
            if begins is not None:
                raise DayNotOver(day, begins)
            if others := len(self._kept.book.elsewhere):
                expected = (
                    f"{others} clients are not this desk's: have it take them first (`tradedesk leases`)"
                )
                raise BadInput("day", day.isoformat(), expected)
            prospect, rev = await self._prospect(day)
            if prospect.closed:
                return await self.report(day)
            if _Step.RECONCILED not in prospect.done:
                await self._read_books()
                prospect, rev = await self._prospect(day)
                if prospect.closing != closing:
                    raise CloseChanged(day, closing, prospect.closing)
                await self._steps.decide(rev)
                prospect, rev = await self._prospect(day)  # another engine may have decided it first
                if prospect.closed:
                    return await self.report(day)
            await self._steps.go_on(rev, prospect.done)
            return await self.report(day)

    async def _require_opened(self, day: date) -> None:
        """Raise `BadInput` for a day that has not come, and one before on which no books were opened here.

        A seal is for ever, and so is what histories begin with.
        """
        today = self._timing.market.trading_day
        if day > today:
            raise BadInput("day", day.isoformat(), f"give a day up to {today.isoformat()}")
        if day < today:
            async with self._kept.store.reader() as reader:
                opened = await was_opened(reader, day)
            if not opened:
                raise BadInput("day", day.isoformat(), "no books were opened here on that day")

    def _begins_at(self, day: date) -> datetime | None:
        """From when on a day can be closed; None where it can be now."""
        market = self._timing.market
        if day < market.trading_day:
            return None
        try:
            over = self._timing.calendar.session_close(day)
        except BadInput:  # no trading day: nothing of it goes on
            return None
        return None if market.now() >= over else over

    async def _read_books(self) -> None:
        """Have each client's books read and compared whose broker answers."""
        await asyncio.gather(*(self.others.books.check(one) for one in self._readable()))

    def _readable(self) -> list[int]:
        """The clients whose broker can be asked."""
        return [
            one.id
            for one in self._kept.book.open_clients()
            if one.status is ClientStatus.ACTIVE and one.session is SessionState.OK
        ]

    async def _prospect(self, day: date, was_read: bool = True) -> tuple[CloseProspect, Rev]:
        """What a close would do; without `was_read` whoever can be read counts as read, since it will be."""
        await self._require_opened(day)
        async with self._kept.store.reader() as reader:
            steps, seals = await read_steps(reader, day), await read_seals(reader, day)
            stored = {one.client_id: one for one in await read_client_days(reader, day)}
        begins = self._begins_at(day)
        waiting = waiting_orders(self._kept.book, day)
        going = _going(steps, seals)
        if going is not None:
            decided = msgspec.convert(going.detail, Decided)
            rev = Rev(day, going.rev, decided.closing, decided.open)
            done = tuple(one.step for one in steps if one.rev == rev.rev)
            return (
                CloseProspect(day, rev.rev, len(rev.closing), rev.left_open, done, begins, waiting),
                rev,
            )
        clients = [one.id for one in self._kept.book.open_clients()]
        figured = await self._figured(day, clients)
        left = [
            one.client_id
            for one in figured.days
            if not _same(stored.get(one.client_id), one) and not (seals and _came_later(stored, one))
        ]
        book, reads = self._kept.book, self.others.books
        read = {one for one in left if reads.is_compared(one)} | set(() if was_read else self._readable())
        found = open_clients(book, read, day, figured.days, left)
        barred = {one.client_id for one in found}
        number = seals[-1].rev + 1 if seals else 1
        rev = Rev(day, number, tuple(one for one in left if one not in barred), tuple(found))
        closed = bool(seals) and not rev.closing
        done = tuple(one.step for one in steps if seals and one.rev == seals[-1].rev) if closed else ()
        prospect = CloseProspect(
            day=day,
            rev=seals[-1].rev if closed else number,
            closing=len(rev.closing),
            open=tuple(found),
            done=done,
            begins_at=begins,
            waiting=waiting,
            closed=closed,
        )
        return prospect, rev

    async def _figured(self, day: date, client_ids: Collection[int]) -> DayFigured:
        book = self._kept.book
        clients = [book.clients[one] for one in client_ids if one in book.clients]
        async with self._kept.store.reader() as reader:
            books = await books_of_day(reader, day, [client.id for client in clients])
        keys = {one.key for one in books.traded} | {one.key for one in books.held}
        closes = await self._prices.of(day, keys)
        before = await self._prices.before_of(day, keys)
        prices = ClosePrices(
            {key: one.close_paise for key, one in closes.items()},
            {key: one.close_paise for key, one in before.items()},
        )
        days = await asyncio.to_thread(client_days, day, clients, books, prices, self._trade_to_trade)
        held = {position.key for one in days for position in one.positions}
        return DayFigured(tuple(days), {key: one for key, one in closes.items() if key in held})

    def _trade_to_trade(self, key: str) -> bool:
        instrument = self._market.index.get(key)
        return instrument is not None and instrument.trade_to_trade


def _sources(figured: DayFigured) -> dict[CloseSource, int]:
    return dict(Counter(one.source for one in figured.closes.values()))


def _going(steps: Sequence[DoneStep], seals: Sequence[StoredSeal]) -> DoneStep | None:
    """The row that decided a revision which is not done; None where none goes on."""
    decided = [one for one in steps if one.step is _Step.RECONCILED]
    if not decided:
        return None
    last = decided[-1]
    ended = any(one.rev == last.rev and one.step is LAST_STEP for one in steps)
    return None if ended else last


def _came_later(stored: Mapping[int, StoredClientDay], one: ClientDay) -> bool:
    """Whether a client had nothing yet on a day that was closed without it."""
    return one.client_id not in stored and not (one.portfolio_value_paise or one.positions or one.orders)


def _same(stored: StoredClientDay | None, one: ClientDay) -> bool:
    """Whether a client's day was closed with these very figures."""
    if stored is None:
        return False
    told = day_of(stored, None)
    return all(
        getattr(told, name) == getattr(one, name)
        for name in ("todays_pnl_paise", "portfolio_value_paise", "flows_paise", "charges", "positions")
    )
