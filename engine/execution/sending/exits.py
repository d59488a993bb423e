"""What lets an order of a flatten leave, asked in the transaction that claims it.

It must be the newest order of a line that goes on, of a flatten that is this engine's. The position is the
broker's, read moments ago; every other order that may still trade counts as if it had, as does what others
have traded since, so that all of them together never turn it.
"""

from collections.abc import Sequence
from datetime import timedelta

from data.repositories.trading.flattens import exits_of, going_beside
from data.store import Unit
from engine.book.halt_scope import HaltView, Passes, covering
from engine.book.reading import read_lifted
from engine.book.views import ClientView
from engine.booking.order import WorkingOrder
from engine.execution.sending.reducing import reduces
from engine.instances import ThisEngine
from engine.timing import Timing


class Exits:
    """The orders of flattens among those of one claim."""

    def __init__(
        self, unit: Unit, timing: Timing, engine: ThisEngine, orders: Sequence[WorkingOrder]
    ) -> None:
        self._unit, self._engine = unit, engine
        self._oldest = unit.now - timedelta(seconds=timing.waits.exit_read_valid_s)
        self._found = exits_of(unit, [order.id for order in orders if order.flatten_number is not None])
        self._lifted = read_lifted(unit) if self._found else []

    def passes(self, order: WorkingOrder, halts: Sequence[HaltView], client: ClientView) -> Passes | None:
        """Which halts an order passes, where those over it, and those that were, let it leave; else None."""
        found = self._found.get(order.id)
        if found is None or found.instance_id != self._engine.id or found.net is None:
            return None
        if found.read_at is None or found.read_at < self._oldest:
            return None
        passes = Passes(frozenset(found.passes), found.halt_file, found.at)
        share = order.client_id, order.security, order.product
        beside = going_beside(self._unit, share, order.side, order.id, found.read_at)
        leaves = reduces(found.net, order.side, order.quantity, beside)
        lifted = covering(self._lifted, client, order.key)
        return passes if leaves and not passes.stopped_by(halts, lifted) else None
