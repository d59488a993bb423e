"""The change of trading day: settlement of shares and proceeds, charges collected, sizing bases frozen."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import func, insert, select, update

from data.audit import AuditEntry
from data.changes import prune_changes
from data.columns import table
from data.ledger import Line, ShareLine, Transfer, post
from data.reference.phases import Calendar, CalendarNotLoaded
from data.store import Unit
from data.tables import Client, Funds, Lot, Meta, Posting, SizingBase, Txn
from data.vocabulary import Account, Bucket
from engine.book.kept import Kept
from engine.execution.day_end import end_left_over, left_over
from engine.instances import ThisEngine
from engine.timing import Timing

LONGEST_SETTLEMENT = timedelta(days=20)
"""No trading day of the exchanges has settled later than that."""

LAST_DAY = "last_trading_day"
"""The meta row that says for which day the books have been opened."""


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

    def open_books(self, unit: Unit) -> bool:
        """Open the books for the trading day, once however often it is called. Returns whether it did."""
        timing, engine = self._timing, self._engine
        opened = roll_day(unit, timing.market.trading_day, timing.calendar, engine.actor)
        if opened:
            prune_changes(unit.connection, engine.slowest_beat(unit))
        return opened

    async def keep(self) -> None:
        """Open a fresh day's books, then end what is left of the days before.

        The ends that the broker tells come first: what is left is ended when it is noticed a second time.
        Raises `StoreError`.
        """
        book, day = self._kept.book, self._timing.market.trading_day
        if day != self.day:
            await self._kept.store.write(self.open_books)
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

    What the calendar says has settled becomes free shares and cash, what was bought since becomes T1 (rolling
    T+1, SEBI), shortfall and charges due are collected as far as the cash goes, and each client's capital
    becomes the day's sizing base.
    """
    meta = table(Meta)
    last = unit.connection.execute(select(meta.c.value).where(meta.c.name == LAST_DAY)).scalar_one_or_none()
    if last is not None and date.fromisoformat(last) >= day:
        return False
    if last is None:
        unit.connection.execute(insert(meta), {"name": LAST_DAY, "value": day.isoformat()})
    else:
        unit.connection.execute(update(meta).where(meta.c.name == LAST_DAY).values(value=day.isoformat()))
        _settle(unit, day, calendar)
    _freeze_bases(unit, day)
    unit.audit(AuditEntry("DAY_OPENED", actor, details={"trading_day": day.isoformat(), "before": last}))
    unit.touched.everything = True
    return True


def _settle(unit: Unit, day: date, calendar: Calendar) -> None:
    funds = table(Funds)
    transfers = _settled_shares(unit, day, calendar)
    pending = _not_settled(unit, day, calendar)
    for row in unit.connection.execute(
        select(funds).where(
            (funds.c.unsettled_paise > 0) | (funds.c.charges_due_paise > 0) | (funds.c.shortfall_paise > 0)
        )
    ).mappings():
        unsettled = row["unsettled_paise"] - max(0, pending.get(row["client_id"], 0))
        cash = row["available_paise"] + unsettled
        short = min(row["shortfall_paise"], cash)
        collected = min(row["charges_due_paise"], cash - short)
        lines = [
            Line(Account.UNSETTLED, -unsettled),
            Line(Account.SHORTFALL, short),
            Line(Account.CHARGES_DUE, collected),
            Line(Account.AVAILABLE, unsettled - short - collected),
        ]
        lines = [line for line in lines if line.amount_paise]
        if lines:
            transfers.append(Transfer(row["client_id"], "settle", day, lines, evidence=_proof(day)))
    post(unit, transfers)


def _proof(day: date) -> str:
    return f"day:{day.isoformat()}"


def _has_settled(traded_on: date, day: date, calendar: Calendar) -> bool:
    """Whether trades of a day have settled by the opening of `day`; where the calendar ends they have not."""
    try:
        return calendar.settlement_day(traded_on) < day
    except CalendarNotLoaded:
        return False


def _settled_shares(unit: Unit, day: date, calendar: Calendar) -> list[Transfer]:
    """Move lots to where they stand on `day`, by when they were bought; returns the share transfers."""
    lots = table(Lot)
    on_the_way = lots.c.bucket.in_([Bucket.TODAY.value, Bucket.T1.value])
    moves: dict[tuple[int, str, str], dict[Bucket, int]] = defaultdict(lambda: defaultdict(int))
    for opened_on in unit.connection.execute(
        select(lots.c.opened_on).where(on_the_way, lots.c.opened_on < day).distinct()
    ).scalars():
        after = Bucket.FREE if _has_settled(opened_on, day, calendar) else Bucket.T1
        moving = on_the_way & (lots.c.opened_on == opened_on) & (lots.c.bucket != after.value)
        for client_id, security, product, bucket, quantity in unit.connection.execute(
            select(
                lots.c.client_id,
                lots.c.security,
                lots.c.product,
                lots.c.bucket,
                func.sum(lots.c.quantity_left),
            )
            .where(moving)
            .group_by(lots.c.client_id, lots.c.security, lots.c.product, lots.c.bucket)
        ):
            moves[client_id, security, product][Bucket(bucket)] -= int(quantity)
            moves[client_id, security, product][after] += int(quantity)
        unit.connection.execute(update(lots).where(moving).values(bucket=after.value))
    transfers: list[Transfer] = []
    for (client_id, security, product), buckets in sorted(moves.items()):
        lines = [ShareLine(security, product, bucket, n) for bucket, n in sorted(buckets.items()) if n]
        if lines:
            transfers.append(Transfer(client_id, "settle", day, shares=lines, evidence=_proof(day)))
    return transfers


def _not_settled(unit: Unit, day: date, calendar: Calendar) -> dict[int, int]:
    """Unsettled proceeds by client whose trading day has not settled yet."""
    postings, txns = table(Posting), table(Txn)
    pending: dict[int, int] = defaultdict(int)
    rows = unit.connection.execute(
        select(postings.c.client_id, txns.c.trading_date, func.sum(postings.c.amount_paise))
        .join(txns, txns.c.id == postings.c.txn_id)
        .where(
            txns.c.trading_date >= day - LONGEST_SETTLEMENT,
            txns.c.kind == "fill",
            postings.c.account == Account.UNSETTLED.value,
        )
        .group_by(postings.c.client_id, txns.c.trading_date)
    )
    for client_id, traded_on, amount in rows:
        if not _has_settled(traded_on, day, calendar):
            pending[client_id] += int(amount)
    return pending


def _freeze_bases(unit: Unit, day: date) -> None:
    clients, bases = table(Client), table(SizingBase)
    have = select(bases.c.client_id).where(bases.c.trading_date == day)
    rows = unit.connection.execute(
        select(clients.c.id, clients.c.capital_paise).where(clients.c.id.not_in(have))
    )
    unit.insert(
        SizingBase,
        [
            {"client_id": row[0], "trading_date": day, "capital_paise": row[1], "source": "day_open"}
            for row in rows
        ],
    )
