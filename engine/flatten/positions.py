"""What a client has and owes by its broker, and what of it a flatten sends. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from brokers.contract import BrokerHolding
from data.records import replace
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import Instrument
from data.vocabulary import FlattenReason, FlattenWhat, Product, Side
from engine.reconciliation.differences import security_of

Share = tuple[str, Product]
"""A security in a product."""


class Position(Struct, frozen=True):
    """A client's shares of a security in one product, as its broker has them; `short` are owed."""

    security: str
    product: Product
    exchange: str
    tradingsymbol: str
    today: int = 0
    t1: int = 0
    free: int = 0
    pledged: int = 0
    short: int = 0
    authorised: int = 0

    @property
    def net(self) -> int:
        """All of it but what is pledged, below zero where shares are owed."""
        return self.today + self.t1 + self.free - self.short

    def in_scope(self, what: FlattenWhat) -> int:
        """How much of it a flatten is about, below zero where shares are owed."""
        if self.product is Product.MIS:
            return 0 if what is FlattenWhat.MTF else self.net
        if what is FlattenWhat.TODAY:
            return self.today
        every = what is FlattenWhat.ALL or (what is FlattenWhat.MTF and self.product is Product.MTF)
        return self.net + self.pledged if every else 0


class Goal(Struct, frozen=True):
    """What is to be sent of a position, to which side, and why something of it is left besides."""

    side: Side
    quantity: int
    rest: FlattenReason = FlattenReason.NONE
    t1: int = 0
    """How much of it has not been delivered yet: where that fails, the exchange buys it in at an auction."""


def positions_of(rows: Iterable[BrokerHolding], index: InstrumentIndex) -> Mapping[Share, Position]:
    """A broker's rows of one client by security and product; those of both exchanges are one position."""
    found: dict[Share, Position] = {}
    for row in rows:
        share = security_of(row, index), row.product
        known = found.get(share) or Position(*share, row.exchange, row.tradingsymbol)
        found[share] = Position(
            known.security,
            known.product,
            known.exchange,
            known.tradingsymbol,
            known.today + row.today,
            known.t1 + row.t1,
            known.free + row.free,
            known.pledged + row.pledged,
            known.short + row.short,
            known.authorised + row.authorised,
        )
    return found


def goal_of(what: FlattenWhat, position: Position, instrument: Instrument, authorised: bool) -> Goal:
    """What a flatten sends of a position; `authorised` says that settled shares may leave the demat account.

    Intraday shares are bought back or sold. Of shares for delivery and on margin those that may be sold go,
    of a trade-to-trade security only settled ones. Shares that were bought and have not been delivered (T1)
    go last.
    """
    scope = position.in_scope(what)
    if scope < 0:
        return Goal(Side.BUY, -scope)
    if scope == 0:
        return Goal(Side.SELL, 0)
    if position.product is Product.MIS:
        return _in_lots(scope, instrument, FlattenReason.NONE)
    today = position.today
    older = 0 if what is FlattenWhat.TODAY else position.t1 + position.free
    rest = FlattenReason.PLEDGED if scope > today + older else FlattenReason.NONE
    if instrument.trade_to_trade:
        settled = 0 if what is FlattenWhat.TODAY else position.free
        if settled < today + older:
            rest = FlattenReason.T1 if position.t1 and not today else FlattenReason.TRADE_TO_TRADE
        today, older = 0, settled
    if not authorised and position.product is Product.CNC and older > position.authorised:
        rest, older = FlattenReason.AUTHORISATION, position.authorised
    goal = _in_lots(today + older, instrument, rest)
    return replace(goal, t1=max(0, goal.quantity - today - position.free))


def _in_lots(quantity: int, instrument: Instrument, rest: FlattenReason) -> Goal:
    odd = quantity % instrument.lot_size
    return Goal(Side.SELL, quantity - odd, FlattenReason.ODD_LOT if odd and not rest else rest)
