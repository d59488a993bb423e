"""Kite's budgets of requests (Kite Connect documentation, "rate limits").

A second is one of the server's clock, not a rolling one. Orders, changes and cancels share the budget of
the client's account; every other call has the api key's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from brokers.simulators.kite.answers import too_many
from brokers.simulators.serving.answers import Turned
from data.clock import Clock

ORDERS_PER_SECOND = 10
ORDERS_PER_MINUTE = 400
ORDERS_PER_DAY = 5_000
HISTORY = "historical"
CALLS_PER_SECOND: Mapping[str, int] = MappingProxyType({"quote": 1, HISTORY: 3, "other": 10})
"""Calls an api key has in a second, by kind."""

COOL_DOWN_S = 10.0
"""How long orders are turned away after one too many, where that is switched on."""


@dataclass(slots=True)
class _Spent:
    """What a client has used of its budgets in the running second, minute and day."""

    second: int = -1
    in_second: int = 0
    minute: int = -1
    in_minute: int = 0
    day: str = ""
    in_day: int = 0
    cooling_until: float = 0.0


class CallLimits:
    """Counts calls; the day's budget counts placed orders, refused ones too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._orders: dict[str, _Spent] = {}
        self._calls: dict[tuple[str, str], tuple[int, int]] = {}

    def count_order(self, user_id: str, *, cool_down: bool) -> None:
        """Count an order request of a client. Raises `Turned` with 429."""
        spent = self._orders.setdefault(user_id, _Spent())
        if cool_down and self._clock.monotonic() < spent.cooling_until:
            raise too_many()
        second = int(self._clock.now().timestamp())
        if second != spent.second:
            spent.second, spent.in_second = second, 0
        if second // 60 != spent.minute:
            spent.minute, spent.in_minute = second // 60, 0
        if spent.in_second >= ORDERS_PER_SECOND or spent.in_minute >= ORDERS_PER_MINUTE:
            if cool_down:
                spent.cooling_until = self._clock.monotonic() + COOL_DOWN_S
            raise too_many()
        spent.in_second += 1
        spent.in_minute += 1

    def count_placement(self, user_id: str, day: str) -> None:
        """Count an order toward the client's day. Raises `Turned` with 400."""
        spent = self._orders.setdefault(user_id, _Spent())
        if day != spent.day:
            spent.day, spent.in_day = day, 0
        if spent.in_day >= ORDERS_PER_DAY:
            raise Turned(400, "NetworkException", "Maximum allowed order requests exceeded.")
        spent.in_day += 1

    def count_call(self, api_key: str, kind: str) -> None:
        """Count a call of an api key; `kind` is one of `CALLS_PER_SECOND`. Raises `Turned` with 429."""
        second = int(self._clock.now().timestamp())
        at, count = self._calls.get((api_key, kind), (second, 0))
        if at != second:
            count = 0
        if count >= CALLS_PER_SECOND[kind]:
            raise too_many()
        self._calls[api_key, kind] = (second, count + 1)
