"""Chases that ended with their program: found in the audit, ended there once, kept as an alert of the day."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct, ValidationError, convert, to_builtins

from data.audit import AuditAction, AuditEntry
from data.repositories.alerting.alerts import LostChase, StoredAlert, lost_chases_of, stored_alert
from data.repositories.audit import ChaseRow, chases_told, newest_row
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import AlertKind, ChaseEnd
from engine.book.kept import Kept
from engine.execution.changes.chase_news import ChasesLost
from engine.instances import ThisEngine
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing


class _ToldOfChase(Struct, frozen=True):
    """What the details of a row say; those of versions before an engine was named have none."""

    orders: tuple[int, ...] = ()
    instance: int = 0
    limit_paise: int | None = 0
    why: str = ""


class _Followed(Struct, frozen=True):
    """An order as one engine had it follow its market."""

    order_id: int
    instance: int


READ_AGAIN = 100_000
"""Numbers of rows that may be given out between a row's own and its commit, by all who write."""


class LostChases:
    """Knows which orders follow their market, by whichever engine, and ends what the dead leave."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._seen = 0
        self._counted: set[int] = set()
        """Rows that were counted, of those that are read again."""
        self._going: Counter[_Followed] = Counter()
        self._bounds: dict[int, int | None] = {}
        self.lost: set[int] = set()
        """Orders whose last chase ended with its program, as `end` read the audit last."""

    async def end(self) -> bool:
        """End in the audit the chases of engines that live no more, each once, and tell of live orders.

        Returns whether there were any. Raises `StoreError`.
        """
        await self._read_on()
        if not self._dead(self._going):
            return False
        await self._kept.store.write(self._end)
        await self._read_on()
        return True

    async def _read_on(self) -> None:
        """Take up what the audit tells of chases since it was read last."""
        async with self._kept.store.reader() as reader:
            newest, rows = await reader.run_sync(lambda on: (newest_row(on), self._untold(on)))
        self._seen = max(self._seen, newest)
        for row in rows:
            self._seen = max(self._seen, row.seq)
            self._counted.add(row.seq)
            if (told := _count(self._going, row)) is None:
                continue
            self._bounds |= dict.fromkeys(told.orders, told.limit_paise)
            self.lost.difference_update(told.orders)
            if row.order_id is not None and told.why == ChaseEnd.ENGINE_ENDED.value:
                self.lost.add(row.order_id)

    def _untold(self, on: On) -> list[ChaseRow]:
        """What the audit tells that was not counted yet.

        On a server a row may be committed behind others of higher numbers: the last ones are read again.
        """
        first = self._seen - (READ_AGAIN if self._kept.store.on_server else 0)
        self._counted = {seq for seq in self._counted if seq > first}
        return [row for row in chases_told(on, first) if row.seq not in self._counted]

    def _dead(self, going: Mapping[_Followed, int]) -> set[_Followed]:
        lives = {number: self._engine.lives(number) for number in {one.instance for one in going}}
        return {one for one in going if not lives[one.instance]}

    def _end(self, unit: Unit) -> None:
        """Write what is not written yet: another engine may have, since the audit was read."""
        going = self._going.copy()
        for row in self._untold(unit):
            _count(going, row)
        dead = self._dead(going)
        book = self._kept.book
        for one in sorted(dead, key=lambda one: one.order_id):
            order = book.orders.get(one.order_id)
            entry = AuditEntry(
                AuditAction.CHASE_ENDED,
                self._engine.actor,
                client_id=None if order is None else order.client_id,
                order_id=one.order_id,
                run_number=None if order is None else order.run_number,
                details={
                    "why": ChaseEnd.ENGINE_ENDED.value,
                    "limit_paise": None if order is None else order.limit_paise,
                    "instance": one.instance,
                },
            )
            for _ in range(going[one]):
                unit.audit(entry)
        lost = {one.order_id for one in dead} - {one.order_id for one in going.keys() - dead}
        live = sorted(lost & book.live)
        if live:
            self._alert(unit, live)

    def _alert(self, unit: Unit, order_ids: list[int]) -> None:
        """Name the orders in the day's alert, beside those that it names already."""
        kind, day = AlertKind.CHASES_LOST, self._timing.market.trading_day
        standing = stored_alert(unit, kind, day)
        named = {} if standing is None or standing.done_at else _named(standing)
        named |= {order_id: self._bounds.get(order_id) or 0 for order_id in order_ids}
        orders = self._kept.book.orders
        told = AlertTold(
            kind,
            client_ids=frozenset(orders[one].client_id for one in named if one in orders),
            told={"orders": order_ids},
            named=[to_builtins(LostChase(*one)) for one in sorted(named.items())],
            news=ChasesLost(tuple(order_ids)),
        )
        raise_alert(unit, told, day, self._engine.actor, again=True)


def _named(alert: StoredAlert) -> dict[int, int]:
    return {one.order_id: one.bound_paise for one in lost_chases_of(alert)}


def _count(going: Counter[_Followed], row: ChaseRow) -> _ToldOfChase | None:
    """Count a row's chases as begun or as ended, and return what it says; None where it cannot be read.

    The end of one that began before the rows that are looked at is let be.
    """
    try:
        told = convert(row.details, _ToldOfChase)
    except ValidationError:  # no tradedesk writes it, and the doctor names it
        return None
    if row.action == AuditAction.CHASE_STARTED:
        going.update(_Followed(order_id, told.instance) for order_id in told.orders)
    elif row.order_id is not None and (one := _Followed(row.order_id, told.instance)) in going:
        going[one] -= 1
        if not going[one]:
            del going[one]
    return told
