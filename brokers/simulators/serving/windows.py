"""Budgets of calls in sliding windows."""

from collections import deque

from data.clock import Clock

Windows = tuple[tuple[float, int], ...]
"""Windows in seconds, and how many calls each takes."""


class CallWindows:
    """Counts calls by account and budget."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[tuple[str, str], deque[float]] = {}

    def count(self, account: str, budget: str, windows: Windows) -> bool:
        """Count a call against a budget of this name; tells whether it may be, and else counts nothing."""
        made = self._made.setdefault((account, budget), deque(maxlen=max(most for _, most in windows)))
        now = self._clock.monotonic()
        if any(len(made) >= most and now - made[-most] < seconds for seconds, most in windows):
            return False
        made.append(now)
        return True
