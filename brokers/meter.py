"""What calls to a broker took and became: kept where an adapter makes them, in bounded room.

Times are those of the call alone, without what our own pacing had it wait.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from data.durations import KEPT, LATELY_S, Durations, Spread, spread_of
from data.money import BPS, half_up

FEWEST = 5
"""Calls from which on a share of them says something."""


class CallKind(StrEnum):
    """What a call asks of a broker."""

    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    CONVERT = "convert"
    ORDERS = "orders"
    TRADES = "trades"
    FUNDS = "funds"
    HOLDINGS = "holdings"
    QUOTES = "quotes"
    HISTORY = "history"
    INSTRUMENTS = "instruments"
    MARGINS = "margins"
    CHARGES = "charges"
    CONDITIONALS = "conditionals"
    SIGN_IN = "sign_in"
    KILL_SWITCH = "kill_switch"


class CallEnd(StrEnum):
    """How a call ended: answered, refused by the broker in an answer of its own, or failed on its way."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


class CallFigures(Struct, frozen=True):
    """Calls of the last minutes: how long they took, how many failed; basis points None of too few."""

    spread: Spread = Spread()
    failed: int = 0
    refused: int = 0
    errors_bps: int | None = None

    @property
    def calls(self) -> int:
        """How many they are."""
        return self.spread.count

    @property
    def p95_ms(self) -> int | None:
        """Within which 95 of a hundred ended."""
        return None if self.spread.p95_ms is None else round(self.spread.p95_ms)


class _OfKind:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.times = Durations(monotonic)
        self.ended: Counter[CallEnd] = Counter()
        self.lately: deque[tuple[float, CallEnd]] = deque(maxlen=KEPT)


class CallMeter:
    """Keeps what one adapter's calls took. It is used on the event loop alone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._kinds: dict[CallKind, _OfKind] = {}
        self._rests: dict[str, float] = {}

    def note(self, kind: CallKind, took_s: float, end: CallEnd) -> None:
        """Keep one call that has just ended."""
        kept = self._kinds.get(kind)
        if kept is None:
            kept = self._kinds[kind] = _OfKind(self.monotonic)
        kept.times.note(took_s)
        kept.ended[end] += 1
        kept.lately.append((self.monotonic(), end))

    def rest(self, what: str, seconds: float) -> None:
        """Note that an endpoint is left alone for so long, as it has turned calls away."""
        self._rests[what] = self.monotonic() + seconds

    def resting(self) -> Mapping[str, float]:
        """What is left alone now, and for how many seconds still."""
        now = self.monotonic()
        self._rests = {what: until for what, until in self._rests.items() if until > now}
        return {what: until - now for what, until in self._rests.items()}

    def kinds(self) -> Sequence[CallKind]:
        """The kinds of calls there were, in the order of their names above."""
        return [kind for kind in CallKind if kind in self._kinds]

    def lately(self, kind: CallKind | None = None) -> CallFigures:
        """Figures of the calls of a kind, or of all, in the last five minutes."""
        return self._figures(list(self._kinds.values()) if kind is None else [self._kinds[kind]])

    def _figures(self, kinds: Iterable[_OfKind]) -> CallFigures:
        since, times, ends = self.monotonic() - LATELY_S, list[float](), Counter[CallEnd]()
        for kept in kinds:
            times += kept.times.lately()
            ends.update(end for at, end in kept.lately if at >= since)
        failed, calls = ends[CallEnd.FAILED], ends.total()
        errors_bps = half_up(failed * BPS, calls) if calls >= FEWEST else None
        return CallFigures(spread_of(times), failed, ends[CallEnd.REFUSED], errors_bps)

    def totals(self, kind: CallKind) -> tuple[Durations, Mapping[CallEnd, int]]:
        """All calls of a kind since the program began. Raises `KeyError` where there was none."""
        return self._kinds[kind].times, self._kinds[kind].ended
