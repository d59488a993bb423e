"""Files of Zerodha's Console held against a client's books, row by row; what is older is history for the tax.

Trades are told apart by the exchange's number; those of days before the books have the client can be taken,
and are then what the tax reads of those days. A ledger is held against the books by day and kind, since the
books post by trade and the ledger by settlement: settlements, what the depository and loans cost, money paid
in and out. Nothing is booked by either file.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.records import replace
from data.reference.files.console_files import (
    LedgerKind,
    LedgerRow,
    Tradebook,
    TradebookRow,
    read_ledger,
    read_tradebook,
)
from data.repositories.accounts.statement import CashMove, cash_moves
from data.repositories.accounts.tax import BookedFill, booked_fills
from data.repositories.history.tradebooks import (
    StoredTradebookTrade,
    came_on,
    depository_days,
    keep_tradebook,
    tradebook_trades,
)
from data.store import Unit
from data.vocabulary import TransferKind
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.market_data import MarketData

_NOTED = (TransferKind.RERATE, TransferKind.NOTE)
_TRADED = (TransferKind.FILL, TransferKind.REBOOK, *_NOTED)


class RowState(StrEnum):
    """How a row of a file stands to the books."""

    ALIKE = "alike"
    DIFFERS = "differs"
    """Both have it, with other figures."""
    LACKING = "lacking"
    """The books have nothing of it."""
    EARLIER = "earlier"
    """It is of before the books have the client."""
    TAKEN = "taken"
    """The same, and it is taken as history."""


class TradeRow(Struct, frozen=True):
    """A row of a tradebook, and the booked trade that it is held against, where there is one."""

    told: TradebookRow
    state: RowState
    ours_quantity: int | None = None
    ours_price_paise: int | None = None


class TradebookCheck(Struct, frozen=True):
    """A tradebook held against a client's books; `lacking` are booked trades of its days that it has not.

    `came_on` is the day from which on the books have the client, `others` counts rows of other segments.
    """

    client_id: int
    came_on: date | None
    rows: tuple[TradeRow, ...]
    lacking: tuple[BookedFill, ...]
    others: int
    taken: int = 0

    @property
    def agrees(self) -> bool:
        """Whether nothing differs; what is of before the books is no difference."""
        odd = any(one.state in (RowState.DIFFERS, RowState.LACKING) for one in self.rows)
        return not odd and not self.lacking


class LedgerDayCheck(Struct, frozen=True):
    """What the rows of one kind of a ledger's day come to, and the books', in paise.

    Ours is None where the books are not asked: of days before they have the client, and of other rows.
    """

    day: date
    kind: LedgerKind
    rows: tuple[LedgerRow, ...]
    theirs_paise: int
    ours_paise: int | None
    state: RowState


class LedgerCheck(Struct, frozen=True):
    """A ledger held against a client's books, by day and kind; `closing_paise` is what it ends with."""

    client_id: int
    came_on: date | None
    days: tuple[LedgerDayCheck, ...]
    closing_paise: int | None

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return all(one.state in (RowState.ALIKE, RowState.EARLIER) for one in self.days)


class ConsoleFiles:
    """Holds files of the Console against clients' books, and takes what is older."""

    def __init__(self, kept: Kept, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._engine = engine
        self._market_data = market_data

    async def tradebook(self, client_id: int, path: Path) -> TradebookCheck:
        """A tradebook beside a client's booked trades. Raises `FileProblem`, `OSError`."""
        return await self._check(client_id, await asyncio.to_thread(read_tradebook, path))

    async def _check(self, client_id: int, book: Tradebook) -> TradebookCheck:
        until = max((one.day for one in book.trades), default=date.max)
        async with self._kept.store.reader() as reader:
            first = await came_on(reader, client_id)
            fills = await booked_fills(reader, [client_id], until)
            earlier = await tradebook_trades(reader, [client_id], until)
        taken = {one.place for one in earlier}
        rows, lacking = held_against(book.trades, fills, first, taken, self._market_data.index.key_now)
        return TradebookCheck(client_id, first, rows, lacking, book.others)

    async def take(self, client_id: int, path: Path) -> TradebookCheck:
        """The same, and its trades of before the books taken as history, each once. Raises likewise."""
        book = await asyncio.to_thread(read_tradebook, path)
        check = await self._check(client_id, book)
        digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> int:
            fresh = keep_tradebook(
                unit,
                [
                    StoredTradebookTrade(
                        client_id=client_id,
                        exchange=row.told.exchange,
                        day=row.told.day,
                        trade_id=row.told.trade_id,
                        order_id=row.told.order_id,
                        tradingsymbol=row.told.symbol,
                        isin=row.told.isin,
                        side=row.told.side,
                        quantity=row.told.quantity,
                        price_paise=row.told.price_paise,
                        traded_at=row.told.traded_at,
                        source=path.name,
                        imported_at=unit.now,
                        imported_by=actor,
                    )
                    for row in check.rows
                    if row.state is RowState.EARLIER
                ],
            )
            if fresh:
                details = {"file": path.name, "trades": len(fresh), "sha256": digest}
                unit.audit(
                    AuditEntry(AuditAction.TRADEBOOK_IMPORTED, actor, client_id=client_id, details=details)
                )
            return len(fresh)

        taken = await self._engine.write_signed_on(unit_of_work)
        return replace(await self._check(client_id, book), taken=taken)

    async def ledger(self, client_id: int, path: Path) -> LedgerCheck:
        """A ledger beside what a client's books posted. Raises `FileProblem`, `OSError`."""
        told = await asyncio.to_thread(read_ledger, path)
        async with self._kept.store.reader() as reader:
            first = await came_on(reader, client_id)
            moves = await cash_moves(reader, client_id)
            depository = await depository_days(reader, client_id)
        ours = posted(moves, depository)
        closing = told.rows[-1].balance_paise if told.rows else told.opening_paise
        return LedgerCheck(client_id, first, ledger_days(told.rows, ours, first), closing)


def held_against(
    told: Sequence[TradebookRow],
    fills: Sequence[BookedFill],
    first: date | None,
    taken: Iterable[tuple[str, date, str]],
    key_now: Callable[[str], str],
) -> tuple[tuple[TradeRow, ...], tuple[BookedFill, ...]]:
    """Each row beside the booked trade of its number, and the booked trades of those days that no row has."""
    booked = {(one.exchange, one.trading_date, one.trade_id): one for one in fills if one.quantity}
    known, rows = frozenset(taken), list[TradeRow]()
    for one in told:
        place = one.exchange, one.day, one.trade_id
        ours = booked.pop(place, None)
        if ours is not None:
            same = (one.side, one.quantity, one.price_paise) == (ours.side, ours.quantity, ours.price_paise)
            named = key_now(f"{one.exchange}:{one.symbol}") == key_now(
                f"{ours.exchange}:{ours.tradingsymbol}"
            )
            state = RowState.ALIKE if same and (named or one.isin == ours.security) else RowState.DIFFERS
            rows.append(TradeRow(one, state, ours.quantity, ours.price_paise))
        elif first is None or one.day < first:
            rows.append(TradeRow(one, RowState.TAKEN if place in known else RowState.EARLIER))
        else:
            rows.append(TradeRow(one, RowState.LACKING))
    days = {one.day for one in told}
    return tuple(rows), tuple(one for one in booked.values() if one.trading_date in days)


def posted(moves: Iterable[CashMove], depository: Mapping[date, int]) -> dict[tuple[date, LedgerKind], int]:
    """What the books have posted by day and kind of a ledger's rows, in paise."""
    found: dict[tuple[date, LedgerKind], int] = defaultdict(int)
    for one in moves:
        if one.kind in _NOTED and not one.evidence.endswith(one.trading_date.isoformat()):
            continue  # another day's, ended against what a later opening has adopted
        if one.kind in _TRADED:
            found[one.trading_date, LedgerKind.SETTLEMENT] += one.cash_paise
        elif one.kind is TransferKind.INTEREST:
            found[one.trading_date, LedgerKind.INTEREST] += one.cash_paise
        elif one.kind in (TransferKind.DAY_OPEN, TransferKind.ADOPT):
            kind = LedgerKind.PAID_IN if one.cash_paise > 0 else LedgerKind.PAID_OUT
            found[one.trading_date, kind] += one.cash_paise
    for day, paise in depository.items():
        if paise:
            found[day, LedgerKind.SETTLEMENT] += paise
            found[day, LedgerKind.DEPOSITORY] -= paise
    return found


def ledger_days(
    told: Sequence[LedgerRow], ours: Mapping[tuple[date, LedgerKind], int], first: date | None
) -> tuple[LedgerDayCheck, ...]:
    """The rows by day and kind, beside ours; days and kinds of ours within the file that it has not, too."""
    by_day: dict[tuple[date, LedgerKind], list[LedgerRow]] = defaultdict(list)
    for one in told:
        by_day[one.day, one.kind].append(one)
    days = [one.day for one in told]
    within = {place for place, paise in ours.items() if paise and days and min(days) <= place[0] <= max(days)}
    found: list[LedgerDayCheck] = []
    for day, kind in sorted(by_day.keys() | within):
        rows = by_day.get((day, kind), [])
        theirs = sum(one.amount_paise for one in rows)
        if first is None or day < first:
            found.append(LedgerDayCheck(day, kind, tuple(rows), theirs, None, RowState.EARLIER))
            continue
        mine = ours.get((day, kind))
        booked = RowState.ALIKE if mine == theirs else RowState.DIFFERS
        state = RowState.LACKING if mine is None else booked
        found.append(LedgerDayCheck(day, kind, tuple(rows), theirs, mine, state))
    return tuple(found)
