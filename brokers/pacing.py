"""How fast one client account may be driven: budgets in calendar seconds, minutes and days.

Zerodha counts per calendar second of its own clock and lets place, modify and cancel share the first two
budgets (Kite Connect documentation, rate limits); a rolling limiter would allow bursts across a second's
edge that the broker refuses.
"""

from datetime import UTC, datetime

from brokers.contract import Capabilities

CANCEL_SHARE_PER_SECOND = 2
"""Calls of each second that only cancels may use."""

CANCEL_SHARE_PER_MINUTE = 100
"""Calls of each minute that only cancels may use."""


_DAY_S = 86_400
_INDIA_S = 19_800
"""India's days begin five and a half hours before UTC's."""


class Lane:
    """The budget of one client account. It counts; waiting is the caller's."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._limits = capabilities
        self._second: int = -1
        self._minute: int = -1
        self._day: int = -1
        self._in_second: int = 0
        self._in_minute: int = 0
        self._in_day: int = 0

    def wait_s(self, now: datetime, cancel: bool = False) -> float:
        """Seconds until the next call is within every budget; 0 if it may go now."""
        self._roll(now)
        spare_second = 0 if cancel else min(CANCEL_SHARE_PER_SECOND, self._limits.orders_per_second - 1)
        spare_minute = 0 if cancel else min(CANCEL_SHARE_PER_MINUTE, self._limits.orders_per_minute - 1)
        if not cancel and self._in_day >= self._limits.orders_per_day:
            return _DAY_S - (now.timestamp() + _INDIA_S) % _DAY_S
        if self._in_minute >= self._limits.orders_per_minute - spare_minute:
            return 60 - now.timestamp() % 60
        if self._in_second >= self._limits.orders_per_second - spare_second:
            return 1 - now.timestamp() % 1
        return 0.0

    def take(self, now: datetime, cancel: bool = False) -> None:
        """Count one call made now."""
        self._roll(now)
        self._in_second += 1
        self._in_minute += 1
        if not cancel:
            self._in_day += 1

    def _roll(self, now: datetime) -> None:
        stamp = int(now.astimezone(UTC).timestamp())
        if stamp != self._second:
            self._second, self._in_second = stamp, 0
        if stamp // 60 != self._minute:
            self._minute, self._in_minute = stamp // 60, 0
        day = (stamp + _INDIA_S) // _DAY_S
        if day != self._day:
            self._day, self._in_day = day, 0
