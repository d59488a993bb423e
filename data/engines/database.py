"""What a database of the desk's is to the store, whichever engine it is of."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from data.engines.shared.gate import GateMode

T = TypeVar("T")


class Database(Protocol):
    """Where books stand: how they are reached, and what differs between engines while they are at work."""

    name: str
    """As a person knows it: a path, or an address without its password."""
    many_write: bool
    """Whether several connections write at once, each beside the others."""

    def writer(self) -> Engine:
        """An engine whose one connection leaves transactions to us."""
        ...

    def reader(self, size: int) -> AsyncEngine:
        """An engine of `size` connections for the event loop that only read."""
        ...

    def shared_reader(self) -> Connection:
        """A read-only connection for short reads, on whichever thread has it in its turn."""
        ...

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do reading work on a read-only connection of its own, all of it as of one moment; it blocks.

        Raises what the work raised.
        """
        ...

    def begin(self, connection: Connection, patience_s: float, gate: GateMode = GateMode.ALONE) -> bool:
        """Begin a transaction that writes; returns whether its turn was had within so many seconds."""
        ...

    def version(self, connection: Connection) -> int:
        """A number that changes when another connection has committed."""
        ...

    def first_look(self, connection: Connection, patience_s: float, look: Callable[[], T]) -> T:
        """What a look returns that others' locks may keep waiting, for so many seconds at most."""
        ...

    def clock_ahead_s(self, connection: Connection) -> float:
        """How far this machine's clock is ahead of the database's, at least; 0 where it has none."""
        ...

    def why_unwritable(self, problem: DBAPIError) -> str:
        """Why it can be written no more, and what helps; empty for a fault of any other kind."""
        ...

    def first_damage(self, connection: Connection, unwanted: Callable[[], Any]) -> str:
        """What is found wrong first in how it lies on disk; empty if nothing. `unwanted` ends the look."""
        ...
