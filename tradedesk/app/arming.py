"""F9: when a press arms, when a second one fires, and when it is only one key held down."""

HELD_S = 0.08
"""Presses closer together than this are one held key. A fast hand needs at least 100 ms."""

ARMED_S = 3.0
"""How long a first press stays armed."""


class Arming:
    """The two presses of cancel-all.

    `at` is when the terminal delivered a key, `now` the program's monotonic clock, both in seconds. A press
    while armed fires only once `HELD_S` have gone by without another one: terminals repeat a held key after
    a pause that looks like a second press, and only what follows tells them apart.
    """

    def __init__(self) -> None:
        self._last = float("-inf")
        self._armed_until = float("-inf")
        self._second: float | None = None

    def press(self, at: float, now: float) -> bool:
        """Take one press; whether it may fire if `settle` finds it alone `HELD_S` later."""
        held = at - self._last < HELD_S
        self._last = at
        armed = self.armed(now)
        self._second = at if armed and not held else None
        if not armed or held:
            self._armed_until = now + ARMED_S
        return self._second is not None

    def settle(self, at: float) -> bool:
        """Whether the press made at `at` was a second one and stayed alone. Disarms if so."""
        fires = self._second is not None and self._second == at == self._last
        if fires:
            self.stand_down()
        return fires

    def armed(self, now: float) -> bool:
        """Whether the next press may fire."""
        return self._second is not None or now < self._armed_until

    def waits_for_second(self, now: float) -> bool:
        """Whether one press was made and no second: anything else the trader does takes that one back."""
        return self._second is None and self.armed(now)

    def seconds_left(self, now: float) -> int:
        """Whole seconds until it stands down by itself, at least 1 while armed."""
        return max(1, round(self._armed_until - now)) if self.armed(now) else 0

    def stand_down(self) -> None:
        """Forget the presses made so far."""
        self._armed_until = float("-inf")
        self._second = None
