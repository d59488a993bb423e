"""Placing an order of a flatten: its price, its size, and from whose books its shares come."""

from data.reference.instruments import Instrument
from data.repositories.trading.flattens import StoredLine
from data.vocabulary import FlattenReason, Side
from engine.book.kept import Kept
from engine.events import PositionsWanted
from engine.flatten.booked import ExitOrder, place
from engine.flatten.looking import Looking
from engine.flatten.positions import Goal
from engine.flatten.prices import first_limit
from engine.instances import ThisEngine
from engine.rules import Rules
from engine.timing import Timing


class Placing:
    """Writes orders of flattens, each with what it reserves; the dispatcher claims and sends them."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, rules: Rules, looking: Looking
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._rules = rules
        self._looking = looking

    @property
    def protection_bps(self) -> int:
        """How far beyond the market an order may trade at first, in basis points."""
        return self._rules.protection_bps

    async def place(
        self, line: StoredLine, goal: Goal, instrument: Instrument
    ) -> tuple[int, int] | FlattenReason:
        """Write an order of a line that was read just now; returns its number and its limit in paise.

        Where nothing was written, why: `PRICE_STALE`, or `NONE` where the position must be read again.
        """
        quote = await self._looking.quote(instrument.key)
        if quote is None:
            return FlattenReason.PRICE_STALE
        limit = first_limit(goal.side, quote, instrument, self._rules.protection_bps)
        most = self._looking.most_shares(line.client_id, limit, instrument.lot_size)
        quantity, external = self._of_books(line, goal, min(goal.quantity, most), instrument)
        if not quantity:
            return FlattenReason.NONE
        order = ExitOrder(
            line,
            self._kept.book.clients[line.client_id].broker,
            goal.side,
            quantity,
            limit,
            external,
            instrument.trade_to_trade,
            self._rules.policy,
            self._timing.market.trading_day,
        )
        number = await self._engine.write_signed_on(lambda unit: place(unit, order, self._engine))
        return FlattenReason.NONE if number is None else (number, limit)

    def _of_books(
        self, line: StoredLine, goal: Goal, quantity: int, instrument: Instrument
    ) -> tuple[int, bool]:
        """How many shares go in one order, and whether they are ones that our books do not have.

        Ours go first: an order is of shares that the books have, or of others, never of both.
        """
        if goal.side is Side.BUY:
            return quantity, True
        held = self._looking.holding(line.client_id, line.security, line.product)
        if held is None:
            return self._of_external(line, quantity)
        ours = held.free - held.blocked if instrument.trade_to_trade else held.sellable
        if ours > 0:
            return min(quantity, ours), False
        return (0, False) if held.blocked else self._of_external(line, quantity)

    def _of_external(self, line: StoredLine, quantity: int) -> tuple[int, bool]:
        """Shares that our books lack go once a comparison has found so: a trade may be unheard before."""
        if self._looking.differs(line.client_id, line.security, line.product):
            return quantity, True
        self._kept.bus.publish([PositionsWanted(frozenset({line.client_id}))])
        return 0, False
