"""When a guard is near its limit, broken, and broken for long enough to trip. Pure; money in paise.

One odd print trips nothing: a limit must be found broken by samples a second apart, and by each between.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from data.money import BPS
from data.repositories.trading.guards import StoredGuard
from data.vocabulary import GuardWait, TripKind
from engine.guards.counting import Counted

NEAR_PERCENT = 80
"""From this part of a limit on a guard is near it."""

BROKEN_FOR_S = 1.0
"""How long a limit must be found broken."""

BLIND_FOR_S = 5.0
"""How long a guard may go without seeing what it guards before that is told, and may block."""

BLIND = frozenset({GuardWait.STALE, GuardWait.NO_SIDE, GuardWait.BAND, GuardWait.RATES})
"""Waits in which the market goes on and the guard cannot see it."""


class GuardLimits(Struct, frozen=True):
    """A guard's limits of the day in paise; None where there is none, or no base of a percentage."""

    base_paise: int
    loss_paise: int | None
    target_paise: int | None
    unknown: bool = False
    """Whether a percentage has nothing that it is of."""


def limits_of(guard: StoredGuard, base_paise: int) -> GuardLimits:
    """What a guard's limits come to on a day with this sizing base."""
    loss = _paise(guard.loss_bps, guard.loss_paise, base_paise)
    target = _paise(guard.target_bps, guard.target_paise, base_paise)
    percent = guard.loss_bps is not None or guard.target_bps is not None
    return GuardLimits(base_paise, loss, target, percent and base_paise <= 0)


def _paise(bps: int | None, paise: int | None, base_paise: int) -> int | None:
    if bps is None:
        return paise
    return base_paise * bps // BPS if base_paise > 0 else None


def broken(net_paise: int, limits: GuardLimits) -> TripKind | None:
    """Which limit stands broken at this net P&L."""
    if limits.loss_paise is not None and net_paise <= -limits.loss_paise:
        return TripKind.LOSS
    if limits.target_paise is not None and net_paise >= limits.target_paise:
        return TripKind.TARGET
    return None


def near(net_paise: int, limits: GuardLimits) -> bool:
    """Whether a net P&L is near the loss limit, or near the target."""
    limit = limits.loss_paise if net_paise < 0 else limits.target_paise
    return limit is not None and net_paise != 0 and abs(net_paise) * 100 >= limit * NEAR_PERCENT


@dataclass(slots=True)
class Watched:
    """What samples have shown of a guard here: since when its limit is broken, since when nothing is seen."""

    of: datetime | None = None
    """When the terms were set that it watches."""
    counted: Counted | None = None
    limits: GuardLimits | None = None
    last_net: int | None = None
    """What it had brought when it was last seen."""
    broken_as: TripKind | None = None
    broken_since: float = 0.0
    blind_since: float | None = None

    def sample(self, counted: Counted, limits: GuardLimits, at: float) -> TripKind | None:
        """Take one sample in, at a moment of the monotonic clock; returns why the guard trips now."""
        self.counted, self.limits = counted, limits
        if counted.net_paise is None or limits.unknown:
            self.broken_as = None
            return self._unseen(counted.wait, at)
        self.last_net, self.blind_since = counted.net_paise, None
        kind = broken(counted.net_paise, limits)
        if kind is None or kind is not self.broken_as:
            self.broken_as, self.broken_since = kind, at
            return None
        return kind if at - self.broken_since >= BROKEN_FOR_S else None

    def _unseen(self, wait: GuardWait, at: float) -> TripKind | None:
        if wait not in BLIND:
            self.blind_since = None
            return None
        if self.blind_since is None:
            self.blind_since = at
        return TripKind.BLIND if self.is_blind(at) and self._was_near else None

    def is_blind(self, at: float) -> bool:
        """Whether it has seen nothing for too long, while the market goes on."""
        return self.blind_since is not None and at - self.blind_since >= BLIND_FOR_S

    @property
    def shown(self) -> tuple[int | None, GuardWait | None]:
        """What of it is painted."""
        return (None, None) if self.counted is None else (self.counted.net_paise, self.counted.wait)

    @property
    def _was_near(self) -> bool:
        """Whether it was near a limit when it was last seen; one that never was may be."""
        if self.last_net is None or self.limits is None:
            return True
        return near(self.last_net, self.limits) or broken(self.last_net, self.limits) is not None

    @property
    def alarmed(self) -> bool:
        """Whether a wait for the market is to be told: the guard was near a limit, and something is open."""
        counted = self.counted
        known = self.last_net is not None and self._was_near
        return counted is not None and counted.wait is GuardWait.PHASE and counted.open > 0 and known
