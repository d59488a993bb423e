"""The days of clients, groups and the desk: closed ones, those of before the books, and today."""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.records import values_of
from data.reference.tax import year_of
from data.repositories.base import On
from data.repositories.history.days import (
    StoredEarlierDay,
    StoredEarlierTrade,
    ToldDay,
    ToldTrade,
    closed_days,
    days_kept,
    earlier_days,
    earlier_trades,
    keep_earlier_days,
    keep_earlier_trades,
    nets_by_day,
)
from data.repositories.history.flows import (
    OF_CHARGES,
    StoredClass,
    StoredFlow,
    classes_of,
    flows_of,
    keep_class,
    one_flow,
)
from data.store import Unit
from data.vocabulary import FlowKind, TransferKind
from data.vocabulary.history import CAPITAL
from engine.accounts.valuation import Valuation
from engine.book.kept import Kept
from engine.history.course import course_of
from engine.history.earlier import read_earlier
from engine.history.returns import (
    Day,
    calendar_of,
    drawdown,
    drawdown_paise,
    twr_bps,
    xirr_bps,
)
from engine.history.views import FlowView, HistoryView
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.timing import Timing


class History:
    """What days have brought, and what flows were."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, valuation: Valuation) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._valuation = valuation

    async def of(self, client_ids: Collection[int], name: str) -> HistoryView:
        """The days of these clients together, under a name."""
        ids = tuple(sorted(client_ids))
        days, flows, sources = await self._course(ids)
        unclassed = tuple(one for one in flows if one.kind is None)
        said = not unclassed
        today = self._timing.market.trading_day
        return HistoryView(
            name=name,
            client_ids=ids,
            days=tuple(days),
            twr_bps=twr_bps(days) if said else None,
            twr_year_bps=twr_bps(_since(days, year_of(today).first)) if said else None,
            twr_month_bps=twr_bps(_since(days, today.replace(day=1))) if said else None,
            xirr_bps=xirr_bps(days) if said else None,
            drawdown=drawdown(days),
            drawdown_paise=drawdown_paise(one.net_pnl_paise for one in days),
            months=tuple(calendar_of(days[1:])),
            unclassed=unclassed,
            sources=sources,
        )

    async def drawdown_paise(self, client_ids: Collection[int]) -> int:
        """How far what the days of these clients brought together stands under its highest.

        Days are summed where they lie: a thousand clients have a quarter of a million a year, and a risk is
        asked again and again. What flows were that are no capital, the day has brought.
        """
        ids, today = tuple(client_ids), self._timing.market.trading_day
        earned = [one for one in await self.flows(ids) if one.kind is not None and one.kind not in CAPITAL]
        self._valuation.refresh(ids)
        provisional = {one: self._valuation.client(one).net_day_pnl_paise for one in ids}

        def read(on: On) -> dict[date, int]:
            nets = nets_by_day(on, ids)
            kept = days_kept(on, ids, {today, *(one.day for one in earned)})
            for client_id, net in provisional.items():
                if (client_id, today) not in kept:
                    nets[today] += net
            for one in earned:
                if one.day == today or (one.client_id, one.day) in kept:
                    nets[one.day] += one.amount_paise
            return nets

        nets = await self._kept.store.read_aside(read)
        return drawdown_paise(nets[day] for day in sorted(nets))

    async def _course(self, ids: Sequence[int]) -> tuple[list[Day], list[FlowView], tuple[str, ...]]:
        """These clients' days together, what flowed, and where days of before the books are from."""
        flows = await self.flows(ids)
        self._valuation.refresh(ids)
        today = self._timing.market.trading_day
        came: dict[int, int] = defaultdict(int)
        for one in flows:
            if one.day == today:
                came[one.client_id] += one.amount_paise
        by_client = {one: {today: self._today(one, today, came[one])} for one in ids}

        def read(on: On) -> tuple[list[Day], tuple[str, ...]]:
            before = earlier_days(on, ids)
            for one in before:
                day = Day(one.day, one.portfolio_paise, one.flow_paise, one.net_pnl_paise)
                by_client[one.client_id][one.day] = day
            for one in closed_days(on, ids):
                day = Day(
                    one.day,
                    one.portfolio_value_paise,
                    one.flows_paise,
                    one.todays_pnl_paise,
                    earned_paise=one.earned_paise,
                )
                by_client[one.client_id][one.day] = day
            return course_of(by_client, flows), tuple(dict.fromkeys(one.source for one in before))

        # A thousand clients have a quarter of a million days a year.
        days, sources = await self._kept.store.read_aside(read)
        return days, flows, sources

    def _today(self, client_id: int, today: date, came: int) -> Day:
        value = self._valuation.client(client_id)
        return Day(today, value.portfolio_paise, came, value.net_day_pnl_paise, provisional=True)

    # --- flows ----------------------------------------------------------------------------------------------

    async def flows(self, client_ids: Collection[int]) -> list[FlowView]:
        """What came to these clients, and went, by no trade, with what it was; oldest first."""
        async with self._kept.store.reader() as reader:
            found = await flows_of(reader, client_ids)
            classes = await classes_of(reader, client_ids)
        views: list[FlowView] = []
        for one in found:
            told = classes.get(one.txn_id)
            said = (told.kind, told.made_by, told.note) if told else _by_itself(one)
            day, amount = one.trading_date, one.amount_paise
            views.append(
                FlowView(one.txn_id, one.client_id, day, one.at, one.kind, amount, one.evidence, *said)
            )
        return views

    async def client_of_flow(self, number: int) -> int:
        """Whose a flow is. Raises `BadInput` where no flow has this number."""
        async with self._kept.store.reader() as reader:
            found = await one_flow(reader, number)
        if found is None:
            raise BadInput("flow", number, "give the number of a flow, as `flows` lists them")
        return found.client_id

    async def classify(self, number: int, kind: FlowKind, note: str = "") -> FlowView:
        """Say what a flow was; a later word stands before an earlier one, and the audit keeps each.

        Raises `BadInput` where no flow has this number, and of a pay-in that went out or a pay-out that came.
        """
        note = reason_from(note, "") if note.strip() else ""
        client_id, actor = await self.client_of_flow(number), self._engine.actor
        (flow,) = [one for one in await self.flows([client_id]) if one.number == number]
        if kind is FlowKind.PAY_IN and flow.amount_paise < 0:
            raise BadInput("kind", kind.value, "this went out: give pay_out, charge, interest or other")
        if kind is FlowKind.PAY_OUT and flow.amount_paise > 0:
            raise BadInput("kind", kind.value, "this came in: give pay_in, dividend, interest or other")

        def unit_of_work(unit: Unit) -> None:
            number_of_row = unit.take_ids("flow_class", 1)[0]
            keep_class(unit, StoredClass(number_of_row, number, kind, unit.now, actor, note))
            details = {"flow": number, "kind": kind.value, "amount_paise": flow.amount_paise, "note": note}
            unit.audit(AuditEntry(AuditAction.FLOW_CLASSED, actor, client_id=client_id, details=details))

        await self._engine.write_signed_on(unit_of_work)
        (made,) = [one for one in await self.flows([client_id]) if one.number == number]
        return made

    # --- days of before the books ---------------------------------------------------------------------------

    async def take(self, path: Path) -> dict[int, int]:
        """Take days of before the books from a file, in place of all that was taken of its clients.

        Returns how many days it has of each. Raises `FileProblem` naming every bad row, of which none is
        taken; `OSError` where the file cannot be read.
        """
        clients = {one.code.upper(): one.id for one in self._kept.book.open_clients()}
        ids = list(clients.values())
        own = await self._kept.store.read_aside(lambda on: closed_days(on, ids))
        first = min((one.day for one in own), default=self._timing.market.trading_day)
        days = await asyncio.to_thread(read_earlier, path, clients, first)
        digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
        await self.lay(days, path.name, digest=digest)
        return dict(Counter(one.client_id for one in days))

    async def lay(
        self,
        days: Sequence[ToldDay],
        source: str,
        trades: Sequence[ToldTrade] = (),
        digest: str = "",
    ) -> None:
        """Keep days of before the books, and trades, in place of all such days of their clients."""
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            at = unit.now
            keep_earlier_days(
                unit,
                [
                    StoredEarlierDay(**values_of(one), source=source, imported_at=at, imported_by=actor)
                    for one in days
                ],
            )
            ids = unit.take_ids("earlier_trade", len(trades)) if trades else ()
            keep_earlier_trades(
                unit,
                [
                    StoredEarlierTrade(
                        **values_of(one), id=number, source=source, imported_at=at, imported_by=actor
                    )
                    for number, one in zip(ids, trades, strict=True)
                ],
            )
            details = {"source": source, "days": len(days), "trades": len(trades), "sha256": digest}
            unit.audit(AuditEntry(AuditAction.HISTORY_IMPORTED, actor, details=details))

        await self._engine.write_signed_on(unit_of_work)

    async def trades(self, client_ids: Collection[int]) -> list[StoredEarlierTrade]:
        """Clients' trades of before the books, as they were laid in; oldest first."""
        async with self._kept.store.reader() as reader:
            return await earlier_trades(reader, client_ids)


def _by_itself(flow: StoredFlow) -> tuple[FlowKind | None, str, str]:
    """What a flow is that needs nobody's word: a dividend, which goes to its bank, a note's charges."""
    if flow.kind in OF_CHARGES:
        return FlowKind.CHARGE, "", flow.evidence
    if flow.kind is not TransferKind.ACTION:
        return None, "", ""
    return (FlowKind.PAY_IN if flow.amount_paise > 0 else FlowKind.PAY_OUT), "", flow.evidence


def _since(days: Sequence[Day], first: date) -> Sequence[Day]:
    """The days from one on, behind the last before it."""
    later = [at for at, one in enumerate(days) if one.day >= first]
    return days[max(0, later[0] - 1) :] if later else ()
