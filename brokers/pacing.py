"""How fast a broker may be driven: budgets in calendar seconds, minutes and days, or in windows that slide.

Zerodha counts per calendar second of its own clock and lets place, modify and cancel share the first two
budgets (Kite Connect documentation, rate limits); a rolling limiter would allow bursts across a second's
edge that the broker refuses. Upstox counts in windows that end now (Upstox API documentation, rate limits),
where one of the calendar would allow twice as many across an edge. Each client account has a lane; accounts
behind one api key may share another, and a call must fit both.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from brokers.contract import Capabilities

KEY_CANCEL_PART = 5
"""One in so many calls of a key's second is for cancels only, if that is more than one account's share."""


_DAY_S = 86_400
_INDIA_S = 19_800
"""India's days begin five and a half hours before UTC's."""


class KeyLane:
    """The budget that every account behind one api key shares. It counts; waiting is the caller's."""

    def __init__(self, per_second: int, cancels_per_second: int) -> None:
        self._per_second = per_second
        share = max(cancels_per_second, per_second // KEY_CANCEL_PART)
        self._for_orders = per_second - min(share, per_second - 1)
        self._second: int = -1
        self._in_second: int = 0

    def wait_s(self, now: datetime, cancel: bool = False) -> float:
        """Seconds until the next call is within the budget; 0 if it may go now."""
        self._roll(now)
        if self._in_second >= (self._per_second if cancel else self._for_orders):
            return 1 - now.timestamp() % 1
        return 0.0

    def take(self, now: datetime) -> None:
        """Count one call made now."""
        self._roll(now)
        self._in_second += 1

    def eta_s(self, calls: int, now: datetime) -> float:
        """Seconds until so many calls that are no cancels could have been made, by this budget alone."""
        self._roll(now)
        later = calls - max(0, self._for_orders - self._in_second)
        if later <= 0:
            return 0.0
        return (later - 1) // self._for_orders + 1 - now.timestamp() % 1

    def _roll(self, now: datetime) -> None:
        stamp = int(now.timestamp())
        if stamp != self._second:
            self._second, self._in_second = stamp, 0


def key_lane(capabilities: Capabilities) -> KeyLane | None:
    """A lane for one api key of this adapter; None where its broker counts no calls per key."""
    per_second = capabilities.key_orders_per_second
    return None if per_second is None else KeyLane(per_second, capabilities.cancels_per_second)


class Lane:
    """The budget of one client account, within that of its api key. It counts; waiting is the caller's."""

    def __init__(self, capabilities: Capabilities, key: KeyLane | None = None) -> None:
        self._limits = capabilities
        self._for_orders = _for_orders(capabilities)
        self.key = key
        self._second: int = -1
        self._minute: int = -1
        self._day: int = -1
        self._in_second: int = 0
        self._in_minute: int = 0
        self._in_day: int = 0

    def wait_s(self, now: datetime, cancel: bool = False) -> float:
        """Seconds until the next call is within every budget; 0 if it may go now.

        Another account may have used the key's budget by then, so ask again after the wait.
        """
        shared = 0.0 if self.key is None else self.key.wait_s(now, cancel)
        return max(shared, self._own_wait_s(now, cancel))

    def _own_wait_s(self, now: datetime, cancel: bool) -> float:
        self._roll(now)
        second, minute = self._limits.orders_per_second, self._limits.orders_per_minute
        if not cancel:
            second, minute = self._for_orders
        if not cancel and self._in_day >= self._limits.orders_per_day:
            return _DAY_S - (now.timestamp() + _INDIA_S) % _DAY_S
        if self._in_minute >= minute:
            return 60 - now.timestamp() % 60
        if self._in_second >= second:
            return 1 - now.timestamp() % 1
        return 0.0

    def take(self, now: datetime, cancel: bool = False) -> None:
        """Count one call made now."""
        self._roll(now)
        self._in_second += 1
        self._in_minute += 1
        if not cancel:
            self._in_day += 1
        if self.key is not None:
            self.key.take(now)

    def eta_s(self, calls: int, now: datetime) -> float:
        """Seconds until so many calls that are no cancels could have been made, by its own budgets alone."""
        self._roll(now)
        second, minute = self._for_orders
        day, at = self._limits.orders_per_day, self._second
        used = [self._in_second, self._in_minute, self._in_day]
        if calls <= min(second - used[0], minute - used[1], day - used[2]):
            return 0.0
        while True:
            room = min(second - used[0], minute - used[1], day - used[2])
            made = min(calls, max(0, room))
            calls -= made
            if calls <= 0:
                return max(0.0, at - now.timestamp())
            used = [used[0] + made, used[1] + made, used[2] + made]
            if used[2] >= day:
                at += _DAY_S - (at + _INDIA_S) % _DAY_S
            elif used[1] >= minute:
                at += 60 - at % 60
            else:
                at += 1
            used = [0, used[1] if at % 60 else 0, used[2] if (at + _INDIA_S) % _DAY_S else 0]

    def _roll(self, now: datetime) -> None:
        stamp = int(now.timestamp())
        if stamp != self._second:
            self._second, self._in_second = stamp, 0
        if stamp // 60 != self._minute:
            self._minute, self._in_minute = stamp // 60, 0
        day = (stamp + _INDIA_S) // _DAY_S
        if day != self._day:
            self._day, self._in_day = day, 0


class SlidingWindows:
    """Calls counted in windows that end now: each of so many seconds, with the most calls that it may hold.

    `kept` of those are for calls of the pressing kind alone. It counts; waiting is the caller's.
    """

    def __init__(self, windows: Sequence[tuple[float, int, int]]) -> None:
        self._windows = [(span, most, most - min(kept, most - 1)) for span, most, kept in windows]
        self._made = deque[float](maxlen=max(most for _, most, _ in windows))

    def wait_s(self, at: float, pressing: bool = False) -> float:
        """Seconds until the next call is within every window; 0 if it may go at this time."""
        longest = 0.0
        for span, most, others in self._windows:
            room = most if pressing else others
            if len(self._made) >= room:
                longest = max(longest, self._made[-room] + span - at)
        return longest

    def take(self, at: float) -> None:
        """Count one call made at this time."""
        self._made.append(at)

    def eta_s(self, calls: int, at: float) -> float:
        """Seconds until so many calls that are not pressing could have been made."""
        made, when = list(self._made), at
        for _ in range(calls):
            for span, _most, room in self._windows:
                if len(made) >= room:
                    when = max(when, made[-room] + span)
            made.append(when)
        return when - at


class RollingLane(Lane):
    """The budget of one client account at a broker that counts in windows that slide."""

    def __init__(self, capabilities: Capabilities, key: KeyLane | None = None) -> None:
        super().__init__(capabilities, key)
        self._windows = SlidingWindows(
            [
                (1.0, capabilities.orders_per_second, capabilities.cancels_per_second),
                (60.0, capabilities.orders_per_minute, capabilities.cancels_per_minute),
                (HALF_HOUR_S, capabilities.orders_per_half_hour or 1, capabilities.cancels_per_minute),
            ]
        )

    def take(self, now: datetime, cancel: bool = False) -> None:
        """Count one call made now."""
        self._windows.take(now.timestamp())
        if self.key is not None:
            self.key.take(now)

    def eta_s(self, calls: int, now: datetime) -> float:
        """Seconds until so many calls that are no cancels could have been made, by its own windows alone."""
        return self._windows.eta_s(calls, now.timestamp())

    def _own_wait_s(self, now: datetime, cancel: bool) -> float:
        return self._windows.wait_s(now.timestamp(), cancel)


HALF_HOUR_S = 1_800.0


def account_lane(capabilities: Capabilities, key: KeyLane | None = None) -> Lane:
    """The budget of an account at an adapter with these limits, within that of its api key."""
    rolls = capabilities.orders_per_half_hour is not None
    return RollingLane(capabilities, key) if rolls else Lane(capabilities, key)


def _for_orders(limits: Capabilities) -> tuple[int, int]:
    """What is left of a second and a minute beside the shares that only cancels may use."""
    second, minute = limits.orders_per_second, limits.orders_per_minute
    return (
        second - min(limits.cancels_per_second, second - 1),
        minute - min(limits.cancels_per_minute, minute - 1),
    )


def eta_s(pending: Mapping[int, int], lane_of: Callable[[int], Lane], now: datetime) -> float:
    """Seconds until so many placements per client could all have been sent, were brokers instant.

    `pending` maps clients to calls. It is the longest that any account or any key must take: a bound that
    waiting calls reach when no client's turn comes late.
    """
    per_key: Counter[KeyLane] = Counter()
    longest = 0.0
    for client_id, calls in pending.items():
        lane = lane_of(client_id)
        longest = max(longest, lane.eta_s(calls, now))
        if lane.key is not None:
            per_key[lane.key] += calls
    return max([longest, *(key.eta_s(calls, now) for key, calls in per_key.items())])


def late_calls(
    pending: Mapping[int, int], lane_of: Callable[[int], Lane], now: datetime, within_s: float
) -> int:
    """How many of so many placements per client could not have been sent by then, were brokers instant."""
    per_key: Counter[KeyLane] = Counter()
    made = 0
    for client_id, calls in pending.items():
        lane = lane_of(client_id)
        of_client = _most_within(calls, partial(lane.eta_s, now=now), within_s)
        made += of_client
        if lane.key is not None:
            per_key[lane.key] += of_client
    for key, calls in per_key.items():
        made -= calls - _most_within(calls, partial(key.eta_s, now=now), within_s)
    return sum(pending.values()) - made


def _most_within(calls: int, eta: Callable[[int], float], within_s: float) -> int:
    """The most of so many calls that could have been made by then."""
    least, most = 0, calls
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if eta(middle) <= within_s else (least, middle - 1)
    return least
