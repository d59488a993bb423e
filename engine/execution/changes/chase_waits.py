"""When a chase waits: its order stays where it is while its market, the desk or somebody's halt says so."""

from datetime import datetime

from msgspec import Struct

from data.vocabulary import ChaseWait, PhaseKind
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covered
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.execution.trading import store_words
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.timing import Timing

_ASKS = frozenset({ChaseWait.HALTED, ChaseWait.MARKET_HALTED})
_MARKET_HALTED = frozenset({PhaseKind.HALTED, PhaseKind.REOPENING})


class ChasePause(Struct, frozen=True):
    """Why a chase waits; where it is for a phase, which, and until when (aware UTC)."""

    why: ChaseWait
    phase: PhaseKind | None = None
    until: datetime | None = None
    detail: str = ""

    @property
    def asks(self) -> bool:
        """Whether it goes on by the trader's word alone: what it was confirmed in is no more."""
        return self.why in _ASKS


class ChasePauses:
    """Knows why a chase has to wait now."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data

    def of(self, order: OrderView, newest_halt: int) -> ChasePause | None:
        """Why the chase of an order waits that was confirmed after this halt; None where it goes on.

        A halt counts that is over the order, or was since.
        """
        book = self._kept.book
        over = covered(book.halts, book.clients[order.client_id], order.key)
        if over or book.halted_since(newest_halt, order.client_id, order.key):
            return ChasePause(ChaseWait.HALTED)
        if halt_file_stands(self._kept.halt_file):
            return ChasePause(ChaseWait.HALTED)
        instrument = self._market_data.index.get(order.key)
        phase = None if instrument is None else self._timing.phase(instrument)
        if phase is not None and not phase.continuous:
            why = ChaseWait.MARKET_HALTED if phase.kind in _MARKET_HALTED else ChaseWait.PHASE
            return ChasePause(why, phase.kind, phase.ends_at)
        if stopped := self._engine.trading_disabled or store_words(self._kept.store):
            return ChasePause(ChaseWait.TRADING_DISABLED, detail=stopped)
        return None
