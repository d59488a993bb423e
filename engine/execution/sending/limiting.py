"""Limits at the door through which orders leave: what changed since the plan is asked again at the claim.

What shares are worth is looked at on the loop, just before; limits, lists, what was sent today and live
orders of the other side are read in the claim's own transaction. An exit is held against none of it. A soft
limit is passed by the reason that the plan was frozen with, where that was typed for what it says.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from data.records import replace
from data.repositories.accounts.groups import members
from data.repositories.trading.before_sending import live_against, sent_by_all, sent_on
from data.repositories.trading.plans import plan_body
from data.store import Unit
from data.vocabulary import LimitKind, LimitScope, Reason, Side
from engine.book.book import Book
from engine.book.reading import limits_now
from engine.book.views import OrderView
from engine.book.watched.limit_views import Limits
from engine.booking.order import WorkingOrder
from engine.market.market_data import MarketData
from engine.planning.limits.figures import (
    ClientExposure,
    OppositeOrder,
    Place,
    Surroundings,
    Total,
    WantedOrder,
)
from engine.planning.limits.gathering import Gathered, LimitFigures
from engine.planning.limits.judging import findings, judged, passing, says_nothing
from engine.planning.plan_record import from_json
from engine.planning.why import Why
from engine.timing import Timing

Passed: TypeAlias = Mapping[tuple[int, int], frozenset[str]]
"""What a plan's override was typed for, by client and leg."""

Line: TypeAlias = tuple[int | None, int, int, str]
"""A client's line of a run's leg, which may go as several orders: run, client, leg, product."""

_KEPT = 8
"""Plans whose overrides are remembered."""


class BeyondLimit(Struct, frozen=True):
    """Why an order may not leave: a reason, and what limits say in words."""

    reason: Reason
    words: str


class DoorLimits:
    """Looks at what limits need before orders are claimed, and remembers which plans were overridden."""

    def __init__(
        self,
        book: Book,
        market_data: MarketData,
        figures: LimitFigures,
        worded: Callable[[Iterable[Why]], str],
    ) -> None:
        self._book = book
        self._market_data = market_data
        self._figures = figures
        self.worded = worded
        self._passed: dict[int, Passed] = {}

    def look(self, order_ids: Iterable[int]) -> "AtDoor":
        """What limits are held against for these orders, as far as it is no transaction's; on the loop.

        Only buys that a plan made are held: an order of a flatten is an exit.
        """
        book, of_key = self._book, dict[str, list[OrderView]]()
        for order in map(book.orders.__getitem__, order_ids):
            if order.side is Side.BUY and order.flatten_number is None:
                of_key.setdefault(order.key, []).append(order)
        gathered: dict[str, Gathered] = {}
        for key, orders in of_key.items():
            instrument = self._market_data.index.get(key)
            if instrument is not None:
                clients = [book.clients[one] for one in {order.client_id for order in orders}]
                gathered[key] = self._figures.now(instrument, Side.BUY, clients)
        buys = [order for orders in of_key.values() for order in orders]
        whole = self._lines(
            {(order.run_number, order.client_id) for order in buys if order.run_number is not None}
        )
        lines = {order.id: whole[_line_of(order)] or order.filled_quantity + order.leaves for order in buys}
        lasts = {key: self._last(key) for key in of_key}
        return AtDoor(book.limits, gathered, lines, lasts, self)

    def _lines(self, whose: Iterable[tuple[int, int]]) -> Counter[Line]:
        """The shares of each line of clients in runs, named by run and client, but those that will not trade.

        Only their own orders are looked at: a claim of a few must not walk a run of thousands.
        """
        book, found = self._book, Counter[Line]()
        for run, client_id in whose:
            for order_id in book.orders_of_run[run] & book.orders_of_client[client_id]:
                one = book.orders[order_id]
                found[_line_of(one)] += one.filled_quantity + one.leaves
        return found

    def _last(self, key: str) -> int:
        quote = self._market_data.quotes.quote(key)
        return 0 if quote is None else quote.last_paise

    def passed(self, unit: Unit, plan_number: int) -> Passed:
        """What the override of a plan was typed for."""
        if plan_number not in self._passed:
            body = plan_body(unit, plan_number)
            self._passed[plan_number] = {} if body is None else _passed_by(body)
            while len(self._passed) > _KEPT:
                del self._passed[next(iter(self._passed))]
        return self._passed[plan_number]


def _line_of(order: OrderView) -> Line:
    return order.run_number, order.client_id, order.leg, order.product.value


def _passed_by(body: Mapping[str, object]) -> Passed:
    return {
        (line.client_id, part.leg): frozenset(passing(line.why))
        for part in from_json(body).parts
        for line in part.lines
    }


class AtDoor(Struct, frozen=True):
    """What limits are held against for the orders of one claim, as it was on the loop.

    By instrument what was gathered and its last price, by order the shares of its line.
    """

    limits: Limits
    gathered: Mapping[str, Gathered]
    lines: Mapping[int, int]
    lasts: Mapping[str, int]
    door: DoorLimits


class ChangedTo(Struct, frozen=True):
    """What a modify would make of an order."""

    quantity: int
    reserve_price_paise: int
    limit_paise: int | None


class ClaimLimits:
    """The limits of one claim, in its transaction."""

    def __init__(
        self, unit: Unit, at_door: AtDoor, orders: Sequence[WorkingOrder], timing: Timing, book: Book
    ) -> None:
        self._unit, self._at, self._book = unit, at_door, book
        self.changed = limits_now(unit, at_door.limits) is not at_door.limits
        """Whether limits or lists were changed since, so that all is to be looked at again."""
        buys = [order for order in orders if order.id in at_door.lines]
        kinds = {one.kind for one in at_door.limits.all}
        self._sent = Counter[int]()
        if buys and LimitKind.TOTAL_ORDERS in kinds:
            self._sent.update(sent_by_all(unit, timing.market.trading_day))
            unit.in_turn("limit")  # two desks would each find room for the same last order
        elif buys and LimitKind.ORDERS in kinds:
            clients = {order.client_id for order in buys}
            self._sent.update(sent_on(unit, clients, timing.market.trading_day))
        crossing = LimitKind.CROSS in kinds
        securities = {order.security for order in buys} if crossing else set[str]()
        self._sells = live_against(unit, securities, Side.SELL)
        self._surroundings: dict[tuple[str, str], Surroundings] = {}
        self._groups: dict[str, set[int]] = {}

    def beyond_if_changed(
        self, order: WorkingOrder, change: "ChangedTo", override: str = ""
    ) -> BeyondLimit | None:
        """Why an order may not become worth more by a modify; None where it may, a soft limit by a reason."""
        gathered = self._at.gathered.get(order.key)
        if gathered is None or order.client_id not in gathered.exposures:
            return None
        before = self._wanted(order)
        exposure = self._exposure(order, gathered.exposures[order.client_id], before)
        rest = before.quantity - order.quantity
        wanted = replace(
            before,
            quantity=rest + change.quantity,
            bound_paise=change.reserve_price_paise,
            limit_paise=change.limit_paise,
            orders=0,
        )
        found = judged(wanted, exposure, self._around(order, gathered), override)
        if found.refusal is None:
            return None
        return BeyondLimit(found.refusal.reason, self._at.door.worded(found.refusal.why))

    def is_held(self, order: WorkingOrder) -> bool:
        """Whether an order is one that limits are asked of: a buy of a plan."""
        return order.id in self._at.lines

    def beyond(self, order: WorkingOrder) -> BeyondLimit | None:
        """Why an order may not leave; None where it may."""
        gathered = self._at.gathered.get(order.key)
        if gathered is None or (known := gathered.exposures.get(order.client_id)) is None:
            return None
        surroundings = self._around(order, gathered)
        priced = order.limit_paise is not None or order.trigger_paise is not None
        if says_nothing(known.limits, surroundings, priced):
            return None
        wanted = self._wanted(order)
        exposure = self._exposure(order, known, wanted)
        found = judged(wanted, exposure, surroundings)
        if found.refusal is None:
            return None
        if found.refusal.reason is Reason.OVER_SOFT_LIMIT and order.plan_number is not None:
            passed = self._at.door.passed(self._unit, order.plan_number)
            typed = passed.get((order.client_id, order.leg), frozenset[str]())
            soft = findings(wanted, exposure, surroundings)
            if typed.issuperset(passing(soft, typed=False)):
                return None
        return BeyondLimit(found.refusal.reason, self._at.door.worded(found.refusal.why))

    def _around(self, order: WorkingOrder, gathered: Gathered) -> Surroundings:
        """What is around all clients, its live orders as they stand in this transaction."""
        place = order.key, order.security
        if (known := self._surroundings.get(place)) is not None:
            return known
        placed = [one for one in gathered.surroundings.opposite if one.order_id is None]
        here = [
            OppositeOrder(one.id, one.client_id, Side.SELL, one.quantity, one.worst_paise)
            for one in self._sells
            if (one.security, one.exchange) == (order.security, order.exchange)
        ]
        around = self._surroundings[place] = replace(gathered.surroundings, opposite=(*here, *placed))
        return around

    def take(self, order: WorkingOrder) -> None:
        """Count an order that leaves among those of the day."""
        if order.attempts <= 1:
            self._sent[order.client_id] += 1

    def _wanted(self, order: WorkingOrder) -> WantedOrder:
        return WantedOrder(
            client_id=order.client_id,
            code=self._book.clients[order.client_id].code,
            tradingsymbol=order.tradingsymbol,
            side=order.side,
            product=order.product,
            quantity=self._at.lines[order.id],
            bound_paise=order.reserve_price_paise,
            last_paise=self._at.lasts[order.key],
            limit_paise=order.limit_paise,
            trigger_paise=order.trigger_paise,
        )

    def _exposure(self, order: WorkingOrder, known: ClientExposure, wanted: WantedOrder) -> ClientExposure:
        """The client without this order's line, which its shares and its sector hold already."""
        counted = 1 if order.attempts else 0
        sector = known.sector_paise
        return replace(
            known,
            shares=known.shares - wanted.quantity,
            sector_paise=None if sector is None else sector - wanted.quantity * wanted.last_paise,
            orders=self._sent[order.client_id] - counted,
            totals={
                place: Total(total.net_paise, self._sent_of(place) - counted)
                for place, total in known.totals.items()
            },
        )

    def _sent_of(self, place: Place) -> int:
        scope, whose = place
        if scope is LimitScope.DESK:
            return self._sent.total()
        if whose not in self._groups:  # those of other desks' clients that were put into it, too
            own = {one.id for one in self._book.clients.values() if whose in one.groups}
            self._groups[whose] = own | members(self._unit, whose)
        return sum(count for one, count in self._sent.items() if one in self._groups[whose])
