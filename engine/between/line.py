"""The line between desks of one database: hints of commits, flags of halts. The books are the truth."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from msgspec import Struct

HINTED_POLL_S = 1.0
"""How often a desk that hears hints looks whether others have written, should one be lost."""


class LineState(Struct, frozen=True):
    """Whether a line stands: of a desk without one `named` is False, and nothing else is said.

    `age_s` are the seconds since the other end answered last, None before it ever did; `why` says what keeps
    it from answering.
    """

    named: bool = False
    reached: bool = False
    age_s: float | None = None
    why: str = ""


class Hearer(Protocol):
    """Who is told of what comes over a line, on the event loop."""

    def moved(self, desk: int, seq: int) -> None:
        """Another desk has committed, and this is the newest row of its changes."""
        ...

    def flagged(self, halt: str) -> None:
        """The flag of a halt was raised."""
        ...

    def renamed(self, halt: str, number: str) -> None:
        """A halt that had no row has one now, of this number."""
        ...

    def joined(self, flags: Mapping[str, str]) -> None:
        """The line stands again, and these flags are up, each with the name that it had before."""
        ...

    def lost(self) -> None:
        """The line is lost: nothing is heard until it stands again."""
        ...


class DeskLine(Protocol):
    """Takes to other desks what one tells, at most once. Nothing of it waits or raises."""

    hearer: Hearer | None

    def state(self) -> LineState:
        """Whether it stands."""
        ...

    async def look(self) -> LineState:
        """Whether it stands, asked for once where it is not held; within a second or so."""
        ...

    def moved(self, desk: int, seq: int, topics: Collection[str]) -> None:
        """Tell that this desk has committed, and of which topics: no names, no money."""
        ...

    def raise_flag(self, halt: str, before: str = "") -> None:
        """Raise the flag of a halt; where it had one under another name `before`, that one is lowered."""
        ...

    def lower_flag(self, halt: str) -> None:
        """Lower the flag of a halt, which the books say has ended."""
        ...

    async def keep(self) -> None:
        """Hold the line, and make it anew whenever it is lost, until this is cancelled."""
        ...

    async def end(self) -> None:
        """Tell what is still to be told of halts, not for long, and end the line."""
        ...


class NoLine:
    """The line of a desk that has its books to itself, or no Redis: there is none."""

    def __init__(self) -> None:
        self.hearer: Hearer | None = None

    def state(self) -> LineState:
        """There is none."""
        return LineState()

    async def look(self) -> LineState:
        """There is none."""
        return LineState()

    def moved(self, desk: int, seq: int, topics: Collection[str]) -> None:
        """Tell nobody."""

    def raise_flag(self, halt: str, before: str = "") -> None:
        """Tell nobody."""

    def lower_flag(self, halt: str) -> None:
        """Tell nobody."""

    async def keep(self) -> None:
        """Hold nothing."""

    async def end(self) -> None:
        """End nothing."""


BooksName = Callable[[], str]
"""By which the desks of one database find each other; it may take a read of the books."""
