"""Gathering what limits are held against: from the book, the prices of now and what shares are worth.

What no limit asks for is not looked up, so that a desk without limits pays nothing for them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from msgspec import Struct

from data.money import BPS
from data.reference.classes import classes
from data.reference.instruments import Instrument
from data.vocabulary import LimitKind, LimitScope, OrderState, Side
from engine.accounts.valuation import Valuation
from engine.book.book import Book
from engine.book.kept import Kept
from engine.book.views import ClientView, OrderView
from engine.book.watched.limit_views import SECTORS, LimitView
from engine.market.lists.share_lists import is_stale
from engine.market.market_data import MarketData
from engine.planning.limits.figures import (
    NOTHING_AROUND,
    ClientExposure,
    ListedShare,
    OppositeOrder,
    Place,
    Surroundings,
    Total,
)
from engine.planning.limits.judging import NO_SECTOR, WEIGHTS, WORTHS
from engine.planning.of_clients import unpriced_clients
from engine.timing import Timing

_COUNTS = frozenset({LimitKind.ORDERS, LimitKind.TOTAL_ORDERS})


class Gathered(Struct, frozen=True):
    """What limits are held against for one instrument: by client, and around all of them."""

    exposures: Mapping[int, ClientExposure]
    surroundings: Surroundings


NOT_GATHERED = Gathered({}, NOTHING_AROUND)
"""Where limits are not asked, as for orders that stand already: their claims ask them."""


class LimitFigures:
    """Looks up what the limits of a desk are held against."""

    def __init__(self, kept: Kept, timing: Timing, market_data: MarketData, valuation: Valuation) -> None:
        self._kept = kept
        self._timing = timing
        self._market_data = market_data
        self._valuation = valuation

    async def gathered(self, instrument: Instrument, side: Side, clients: Sequence[ClientView]) -> Gathered:
        """For orders of these clients; prices that are too old are asked for, where a limit needs them."""
        over = {client.id: self._kept.book.limits.over(client) for client in clients}
        asked = {one.kind for limits in _distinct(over.values()) for one in limits}
        unpriced: Collection[int] = ()
        if asked & WORTHS:
            whose = self._everybody() if LimitKind.TOTAL_LOSS in asked else clients
            unpriced = await unpriced_clients(whose, self._kept, self._timing, self._market_data)
        return self.now(instrument, side, clients, unpriced)

    def now(
        self,
        instrument: Instrument,
        side: Side,
        clients: Sequence[ClientView],
        unpriced: Collection[int] = (),
    ) -> Gathered:
        """The same by the prices that are at hand; `unpriced` are clients of whom not all are young."""
        limits = self._kept.book.limits
        over = {client.id: limits.over(client) for client in clients}
        totals = self._totals({one for found in _distinct(over.values()) for one in found}, unpriced)
        around = self.around(instrument, side)
        if side is Side.SELL:
            return Gathered({c: ClientExposure(found) for c, found in over.items()}, around)
        sector = self._sector(instrument)
        worths = [client.id for client in clients if _kinds(over[client.id]) & WORTHS]
        self._valuation.refresh(worths)
        made = {
            client.id: self._exposure(
                client, over[client.id], instrument, sector, client.id in unpriced, totals
            )
            for client in clients
        }
        return Gathered(made, around)

    async def used(self, client_id: int) -> Callable[[LimitView], int | None]:
        """What stands against limits of a client between orders: largest stock and sector, losses, orders.

        The price of what it holds is asked for where it is too old; what is not known is None.
        """
        book, client = self._kept.book, self._kept.book.clients[client_id]
        limits = book.limits.over(client)
        asked = _kinds(limits)
        unpriced: Collection[int] = ()
        if asked & WORTHS:
            whose = self._everybody() if LimitKind.TOTAL_LOSS in asked else [client]
            unpriced = await unpriced_clients(whose, self._kept, self._timing, self._market_data)
        totals = self._totals(limits, unpriced)
        self._valuation.refresh([client_id])
        worth = None if client_id in unpriced else self._valuation.client(client_id)
        orders = _orders_of(book, client_id, self._timing.market.trading_day)

        def of(limit: LimitView) -> int | None:
            total = totals.get((limit.scope, limit.whose), Total())
            match limit.kind:
                case LimitKind.ORDERS:
                    return orders
                case LimitKind.TOTAL_ORDERS:
                    return total.orders
                case LimitKind.TOTAL_LOSS:
                    return None if total.net_paise is None else -total.net_paise
                case LimitKind.DAILY_LOSS:
                    return None if worth is None else -worth.net_day_pnl_paise
                case LimitKind.DAILY_LOSS_PERCENT if worth is not None and client.capital_paise > 0:
                    return -worth.net_day_pnl_paise * BPS // client.capital_paise
                case LimitKind.STOCK | LimitKind.SECTOR if worth is not None and worth.portfolio_paise > 0:
                    return self._largest_paise(client_id, limit.kind) * BPS // worth.portfolio_paise
                case _:
                    return None

        return of

    def _largest_paise(self, client_id: int, kind: LimitKind) -> int:
        """What a client has in its largest stock or sector at last prices, in paise."""
        worth = Counter[str]()
        for one in self._kept.book.holdings.get(client_id, ()):
            of = one.security if kind is LimitKind.STOCK else self._sector_of_key(one.key)
            worth[of] += one.quantity * self._last(one.key)
        return max(worth.values(), default=0)

    def around(self, instrument: Instrument, side: Side) -> Surroundings:
        """What is the same for every client: live orders of the other side, and lists that have the share."""
        limits, today = self._kept.book.limits, self._timing.market.trading_day
        found: list[ListedShare] = []
        for one in limits.lists.values():
            told = one.told_of(instrument) if one.name not in NOT_TOLD else None
            if told is not None:
                found.append(
                    ListedShare(one.name, told, one.as_of, is_stale(one, today, self._timing.calendar))
                )
        return Surroundings(tuple(self._opposite(instrument, side)), tuple(found), instrument.trade_to_trade)

    def _everybody(self) -> list[ClientView]:
        return self._kept.book.open_clients()

    def _exposure(
        self,
        client: ClientView,
        limits: tuple[LimitView, ...],
        instrument: Instrument,
        sector: str,
        unpriced: bool,
        totals: Mapping[Place, Total],
    ) -> ClientExposure:
        kinds, book = _kinds(limits), self._kept.book
        orders = _orders_of(book, client.id, self._timing.market.trading_day) if kinds & _COUNTS else 0
        if not kinds & WORTHS:
            return ClientExposure(limits, client.capital_paise, orders=orders, totals=totals)
        worth = None if unpriced else self._valuation.client(client.id)
        weighs = worth is not None and bool(kinds & WEIGHTS)
        return ClientExposure(
            limits,
            client.capital_paise,
            worth.portfolio_paise if worth is not None else None,
            self._shares(client.id, instrument) if weighs else 0,
            sector,
            self._sector_paise(client.id, sector) if weighs else None,
            worth.net_day_pnl_paise if worth is not None else None,
            orders,
            totals,
        )

    def _shares(self, client_id: int, instrument: Instrument) -> int:
        """The shares that a client has of an instrument, with those that its live buys may add."""
        book = self._kept.book
        held = [one for one in book.holdings.get(client_id, ()) if one.security == instrument.security]
        going = [one.leaves for one in _live_buys(book, client_id) if one.key == instrument.key]
        return sum(one.quantity for one in held) + sum(going)

    def _sector_paise(self, client_id: int, sector: str) -> int:
        """What a client has of a sector at last prices, with what its live buys may add."""
        book = self._kept.book
        rows = [(one.key, one.quantity) for one in book.holdings.get(client_id, ())]
        rows += [(one.key, one.leaves) for one in _live_buys(book, client_id)]
        return sum(quantity * self._last(key) for key, quantity in rows if self._sector_of_key(key) == sector)

    def _last(self, key: str) -> int:
        quote = self._market_data.quotes.quote(key)
        return quote.last_paise if quote is not None else 0

    def _sector(self, instrument: Instrument) -> str:
        told = self._kept.book.limits.sector_of(instrument) or classes().sector_of(instrument)
        return told or NO_SECTOR

    def _sector_of_key(self, key: str) -> str:
        instrument = self._market_data.index.get(key)
        return NO_SECTOR if instrument is None else self._sector(instrument)

    def _totals(self, limits: Collection[LimitView], unpriced: Collection[int]) -> dict[Place, Total]:
        """What the clients of each limit that is of several together have lost and sent."""
        found: dict[Place, Total] = {}
        for one in limits:
            if not one.kind.together or (one.scope, one.whose) in found:
                continue
            members = [
                client.id
                for client in self._everybody()
                if one.scope is LimitScope.DESK or one.whose in client.groups
            ]
            found[one.scope, one.whose] = self._total(members, unpriced)
        return found

    def _total(self, members: Sequence[int], unpriced: Collection[int]) -> Total:
        book, day = self._kept.book, self._timing.market.trading_day
        self._valuation.refresh(members)
        known = not any(one in unpriced for one in members)
        net = sum(self._valuation.client(one).net_day_pnl_paise for one in members)
        return Total(net if known else None, sum(_orders_of(book, one, day) for one in members))

    def _opposite(self, instrument: Instrument, side: Side) -> Sequence[OppositeOrder]:
        book, other = self._kept.book, Side.SELL if side is Side.BUY else Side.BUY
        found = [
            OppositeOrder(one.id, one.client_id, other, one.leaves, worst_paise(one))
            for one in map(book.orders.__getitem__, book.live)
            if one.key == instrument.key and one.side is other and one.trigger_paise is None and one.leaves
        ]
        for client_id, orders in book.external_orders.items():
            found += [
                OppositeOrder(None, client_id, other, one.quantity - one.filled_quantity, one.price_paise)
                for one in orders.values()
                if f"{one.exchange}:{one.tradingsymbol}" == instrument.key
                and one.side is other
                and one.quantity > one.filled_quantity
                and not one.trigger_paise
            ]
        return found


NOT_TOLD = frozenset({SECTORS, "fno"})
"""Lists that say nothing against a share."""


def worst_paise(order: OrderView) -> int:
    """The worst price at which an order may trade."""
    return order.limit_paise or order.reserve_price_paise


def _kinds(limits: Sequence[LimitView]) -> frozenset[LimitKind]:
    return frozenset([one.kind for one in limits])


def _distinct(found: Collection[tuple[LimitView, ...]]) -> list[tuple[LimitView, ...]]:
    """Each tuple of limits once: most clients have the desk's alone."""
    return list({id(one): one for one in found}.values())


def _live_buys(book: Book, client_id: int) -> list[OrderView]:
    orders = (book.orders[one] for one in book.orders_of_client.get(client_id, set()) & book.live)
    return [one for one in orders if one.side is Side.BUY]


def _orders_of(book: Book, client_id: int, day: date) -> int:
    """The orders that this desk has made for a client on a day and not denied; those not sent yet count."""
    orders = (book.orders[one] for one in book.orders_of_client.get(client_id, ()))
    return sum(
        one.trading_date == day and one.sent_here and one.state is not OrderState.DENIED for one in orders
    )
