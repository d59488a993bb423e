"""The change of trading day: settlement of shares and proceeds, charges collected, sizing bases frozen."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Protocol, TypeVar

from data.audit import AuditAction, AuditEntry
from data.ledger import Line, ShareLine, Transfer, post
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.mtf import interest_between
from data.reference.phases import LONGEST_SETTLEMENT, Calendar
from data.repositories.accounts.clients import add_bases
from data.repositories.accounts.lent import borrowers
from data.repositories.days import (
    balances_due,
    keep_open_day,
    move_lots,
    newest_day,
    proceeds_since,
    shares_on_the_way,
    unsized_clients,
)
from data.store import Unit
from data.vocabulary import Account, Bucket, TransferKind
from data.writing.changes import prune_changes
from engine.book.kept import Kept
from engine.close.booked import book_rerated
from engine.corporate.booking import book_due
from engine.execution.day_end import end_left_over, left_over
from engine.instances import ThisEngine
from engine.timing import Timing


class TradingDays:
    """Opens a fresh day's books while a desk is open, and closes what is left of the days before."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, forget_comparisons: Callable[[], None]
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._forget_comparisons = forget_comparisons
        self.day = timing.market.trading_day
        """The day that was opened last."""
        self._left_over: set[int] = set()
        self._marked: set[int] = set()
        self._opened_for = frozenset[int]()
        """For which clients of those that desks share the day was opened here."""

    def open_books(self, unit: Unit) -> bool:
        """Open the books for the trading day, once however often it is called. Returns whether it did.

        Where several desks share them, those of this desk's clients.
        """
        timing, engine, leases = self._timing, self._engine, self._kept.store.leases
        day, calendar, actor = timing.market.trading_day, timing.calendar, engine.actor
        if leases is None:
            opened = roll_day(unit, day, calendar, actor)
        else:
            opened = begin_day(unit, day)
            roll_clients(unit, day, calendar, actor, leases.begin_day(unit, day))
        if opened:
            prune_changes(unit, engine.slowest_beat(unit))
        return opened

    async def keep(self) -> None:
        """Open a fresh day's books, then end what is left of the days before.

        The ends that the broker tells come first: what is left is ended when it is noticed a second time.
        Raises `StoreError`.
        """
        book, day = self._kept.book, self._timing.market.trading_day
        leases = self._kept.store.leases
        had = frozenset[int]() if leases is None else leases.held
        if day != self.day or had - self._opened_for:
            await self._kept.store.write(self.open_books)
            self._opened_for = had
        if day != self.day:
            self._engine.reached("day_opened")
            self.day = day
            book.begin_day(day)
            self._forget_comparisons()
        left = left_over(book, self._timing, book.live) - self._marked
        if left & self._left_over:
            await end_left_over(self._kept.store, self._timing, self._engine.actor, left)
            self._marked |= left
        self._left_over = left


def roll_day(unit: Unit, day: date, calendar: Calendar, actor: str) -> bool:
    """Open the books for a trading day, once however often it is called. Returns whether it did.

    The day before is charged as its contract note has it. What the calendar says has settled becomes free
    shares and cash, what was bought since becomes T1 (rolling T+1, SEBI), shortfall and charges due are
    collected as far as the cash goes, companies' actions since are booked, what is lent on shares costs its
    interest, and each client's capital becomes the day's sizing base.
    """
    last = newest_day(unit)
    if not begin_day(unit, day):
        return False
    _roll(unit, None if last is None else last.day, day, calendar, actor, None)
    unit.touched.everything = True
    return True


def begin_day(unit: Unit, day: date) -> bool:
    """Keep that a trading day has begun, whoever comes first; returns whether that is this one."""
    last = newest_day(unit)
    if last is not None and last.day >= day:
        return False
    keep_open_day(unit, day, unit.now)
    return True


def roll_clients(
    unit: Unit, day: date, calendar: Calendar, actor: str, begun: Mapping[date | None, Collection[int]]
) -> None:
    """Open the books of these clients for a trading day, by the day that they were open for before."""
    for last, clients in begun.items():
        if clients:
            _roll(unit, last, day, calendar, actor, clients)
            unit.touched.clients.update(clients)
            unit.touched.unread = True


def _roll(
    unit: Unit,
    last: date | None,
    day: date,
    calendar: Calendar,
    actor: str,
    clients: Collection[int] | None,
) -> None:
    """Open the books of these clients, or all, for a trading day, which were open for `last`."""
    if last is not None:
        book_rerated(unit, last, day, clients)
        post(unit, [*_settled(unit, day, calendar, clients), *_interest(unit, last, day, clients)])
        book_due(unit, last, day, actor, clients)
    sized = [(one.client_id, one.capital_paise) for one in _of(unsized_clients(unit, day), clients)]
    add_bases(unit, day, sized, "day_open")
    details = {"trading_day": day.isoformat(), "before": None if last is None else last.isoformat()}
    told = {} if clients is None else {"clients": sorted(clients)}
    unit.audit(AuditEntry(AuditAction.DAY_OPENED, actor, details=details | told))


class _OneClients(Protocol):
    @property
    def client_id(self) -> int: ...


One = TypeVar("One", bound=_OneClients)


def _of(rows: Iterable[One], clients: Collection[int] | None) -> list[One]:
    """Those of these clients, or all."""
    return [one for one in rows if clients is None or one.client_id in clients]


def _settled(unit: Unit, day: date, calendar: Calendar, clients: Collection[int] | None) -> list[Transfer]:
    """What has settled becomes free, and what is due is collected as far as the cash goes."""
    transfers = _settled_shares(unit, day, calendar, clients)
    pending = _not_settled(unit, day, calendar)
    for due in _of(balances_due(unit), clients):
        unsettled = due.unsettled_paise - max(0, pending.get(due.client_id, 0))
        cash = due.available_paise + unsettled
        short = min(due.shortfall_paise, cash)
        collected = min(due.charges_due_paise, cash - short)
        lines = [
            Line(Account.UNSETTLED, -unsettled),
            Line(Account.SHORTFALL, short),
            Line(Account.CHARGES_DUE, collected),
            Line(Account.AVAILABLE, unsettled - short - collected),
        ]
        lines = [line for line in lines if line.amount_paise]
        if lines:
            transfers.append(Transfer(due.client_id, TransferKind.SETTLE, day, lines, evidence=_proof(day)))
    return transfers


def _interest(unit: Unit, last: date, day: date, clients: Collection[int] | None) -> list[Transfer]:
    """What was lent from the day before to this one costs its interest, due until the next opening."""
    transfers: list[Transfer] = []
    for one in _of(borrowers(unit), clients):
        paise = interest_between(one.broker, last, day, one.loan_paise)
        lines = [Line(Account.INTEREST, paise), Line(Account.CHARGES_DUE, -paise)]
        transfers.append(
            Transfer(one.client_id, TransferKind.INTEREST, day, lines, evidence=f"loan:{one.loan_paise}")
        )
    return transfers


def _proof(day: date) -> str:
    return f"day:{day.isoformat()}"


def _has_settled(traded_on: date, day: date, calendar: Calendar) -> bool:
    """Whether trades of a day have settled by the opening of `day`; where the calendar ends they have not."""
    try:
        return calendar.settlement_day(traded_on) < day
    except CalendarNotLoaded:
        return False


def _settled_shares(
    unit: Unit, day: date, calendar: Calendar, clients: Collection[int] | None
) -> list[Transfer]:
    """Move lots to where they stand on `day`, by when they were bought; returns the share transfers."""
    moves: dict[tuple[int, str, str], dict[Bucket, int]] = defaultdict(lambda: defaultdict(int))
    moving = _of(shares_on_the_way(unit, day), clients)
    settled = {on for on in {one.opened_on for one in moving} if _has_settled(on, day, calendar)}
    for one in moving:
        after = Bucket.FREE if one.opened_on in settled else Bucket.T1
        buckets = moves[one.client_id, one.security, one.product]
        buckets[one.bucket] -= one.quantity
        buckets[after] += one.quantity
    move_lots(unit, day, settled, clients)
    transfers: list[Transfer] = []
    for (client_id, security, product), buckets in sorted(moves.items()):
        lines = [ShareLine(security, product, bucket, n) for bucket, n in sorted(buckets.items()) if n]
        if lines:
            transfers.append(
                Transfer(client_id, TransferKind.SETTLE, day, shares=lines, evidence=_proof(day))
            )
    return transfers


def _not_settled(unit: Unit, day: date, calendar: Calendar) -> dict[int, int]:
    """Unsettled proceeds by client whose trading day has not settled yet."""
    pending: dict[int, int] = defaultdict(int)
    for one in proceeds_since(unit, day - LONGEST_SETTLEMENT):
        if not _has_settled(one.traded_on, day, calendar):
            pending[one.client_id] += one.amount_paise
    return pending
