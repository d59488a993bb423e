"""What stands for and against sending an order of a flatten now: positions, prices, phases, live orders."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct

from brokers.contract import Accepted, BrokerOrder, KeepsConditionals, Tick
from data.reference.instruments import Instrument
from data.vocabulary import BreakKind, ClientStatus, FlattenReason, PhaseKind, Product, SessionState
from engine.book.kept import Kept
from engine.book.views import ClientView, HoldingView, OrderView
from engine.execution.sending.unanswered import NO_ANSWER, outcome_of
from engine.flatten.positions import Position, Share, positions_of
from engine.market.venues import Venues
from engine.timing import Timing

_AUCTION = frozenset(
    {
        PhaseKind.AUCTION_REFERENCE,
        PhaseKind.AUCTION_ENTRY,
        PhaseKind.AUCTION_LIMIT_ONLY,
        PhaseKind.AUCTION_MATCHING,
    }
)


class ReadPositions(Struct, frozen=True):
    """A client's positions by its broker, from a read that began at `began`."""

    of: Mapping[Share, Position]
    began: datetime


class Looking:
    """Looks at clients, markets and books for flattens; it changes nothing."""

    def __init__(self, kept: Kept, timing: Timing, venues: Venues) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = venues.connections
        self._market_data = venues.market_data

    def instrument(self, key: str) -> Instrument | None:
        """What stands under a key now."""
        return self._market_data.index.get(key)

    async def positions(self, client_id: int) -> ReadPositions | str:
        """Read a client's positions at its broker; in words why they could not be read."""
        began = self._timing.wall.now()
        try:
            broker, account = self._connections.broker_of(client_id)
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                rows = await broker.holdings(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing is sent
            return str(problem) or type(problem).__name__
        if rows.unread:
            return f"{len(rows.unread)} rows of its positions could not be read"
        return ReadPositions(positions_of(rows, self._market_data.index), began)

    def unreachable(self, client_id: int) -> FlattenReason:
        """Why a client's broker takes no call of it now; `NONE` where it does."""
        client = self._kept.book.clients[client_id]
        if not self._connections.serves(client_id):
            return FlattenReason.NO_CONNECTION
        if client.session is not SessionState.OK:
            return FlattenReason.NOT_SIGNED_IN
        ready = client.route_verdict is None
        return FlattenReason.NONE if ready else FlattenReason.ROUTE_NOT_READY

    def nothing_known(self, client: ClientView) -> bool:
        """Whether a client whom nobody can ask has nothing here either, so that there is nothing to name.

        Whoever is signed in, or was until its session was cut short, may have traded elsewhere.
        """
        book = self._kept.book
        live = book.orders_of_client.get(client.id, set()) & book.live
        held = live or any(one.quantity for one in book.holdings.get(client.id, ()))
        session = book.access.sessions.get(client.id)
        lost = session is not None and session.cut_short(self._timing.market.now())
        trades = client.status is ClientStatus.ACTIVE and (client.session is SessionState.OK or lost)
        return not (held or trades)

    def barred(self, client_id: int, instrument: Instrument, product: Product) -> FlattenReason:
        """Why nothing of a position can be sent now: the client, the hour, or the phase of the market."""
        client = self._kept.book.clients[client_id]
        if client.status is not ClientStatus.ACTIVE:
            return FlattenReason.INACTIVE
        now = self._timing.market.now()
        until = self._timing.intraday_end(instrument.fno, client.broker)
        if product is Product.MIS and until is not None and now >= until:
            return FlattenReason.CUT_OFF
        phase = self._timing.phase(instrument)
        if phase.continuous:
            return FlattenReason.NONE
        kind = phase.kind
        if kind in (PhaseKind.HALTED, PhaseKind.REOPENING):
            return FlattenReason.MARKET_HALTED
        return FlattenReason.AUCTION if kind in _AUCTION else FlattenReason.MARKET_CLOSED

    async def quote(self, key: str) -> Tick | None:
        """The market of an instrument, young enough to act on; None where there is none."""
        return await self._market_data.young_quote(key, self._timing.wall)

    def live(self, client_id: int, security: str, product: Product) -> list[OrderView]:
        """A client's orders of ours in these shares that may still trade."""
        book = self._kept.book
        ids = book.orders_of_client.get(client_id, set()) & book.live
        orders = [book.orders[order_id] for order_id in sorted(ids)]
        return [one for one in orders if one.product is product and self._is_of(one.key, security)]

    def live_external(self, client_id: int, security: str, product: Product) -> list[BrokerOrder]:
        """A client's live orders in these shares at the broker that this desk did not send."""
        theirs = self._kept.book.external_orders.get(client_id, {}).values()
        return [
            one
            for one in theirs
            if one.product is product and self._is_of(f"{one.exchange}:{one.tradingsymbol}", security)
        ]

    def _is_of(self, key: str, security: str) -> bool:
        found = self._market_data.index.get(key)
        return (key if found is None else found.security) == security

    async def delete_conditionals(self, client_id: int, keys: Collection[str]) -> dict[str, list[str]]:
        """Delete what would place orders in these instruments later (GTTs); by key, what became of each.

        Where they cannot be read, or the broker keeps none, nothing is known of them.
        """
        try:
            broker, account = self._connections.broker_of(client_id)
            if not isinstance(broker, KeepsConditionals):
                return {}
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                found = await broker.conditionals(account)
        except Exception as problem:  # whatever it was, nothing is known of them
            return {key: [f"GTTs not read: {problem}"] for key in keys}
        done: dict[str, list[str]] = {}
        for one in found:
            if one.places_orders and one.key in keys:
                call = broker.delete_conditional(account, one)
                outcome = await outcome_of(call, "a deletion", NO_ANSWER)
                how = "deleted" if isinstance(outcome, Accepted) else "NOT DELETED"
                done.setdefault(one.key, []).append(f"{one.kind.value.upper()} {one.number} {how}")
        return done

    def holding(self, client_id: int, security: str, product: Product) -> HoldingView | None:
        """What our books have of these shares."""
        held = self._kept.book.holdings.get(client_id, ())
        return next((one for one in held if (one.security, one.product) == (security, product)), None)

    def differs(self, client_id: int, security: str, product: Product) -> bool:
        """Whether a comparison has found that the broker has more of these shares than our books."""
        return any(
            (one.kind, one.security, one.product) == (BreakKind.SHARES, security, product.value)
            and one.theirs > one.ours
            for one in self._kept.book.breaks.get(client_id, ())
        )

    def most_shares(self, client_id: int, limit_paise: int, lot_size: int) -> int:
        """The most shares of one order at a limit, in whole lots, by the limits of the client's broker."""
        can = self._connections.capabilities(client_id)
        most = min(can.max_order_quantity, can.max_order_value_paise // max(1, limit_paise))
        return most // lot_size * lot_size
