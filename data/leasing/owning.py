"""Who of several engines on the same books lives, and for which clients each may write and send."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from data.engines.shared.leases import ClientElsewhere
from data.home import engine_lock
from data.writing.locks import is_held
from data.writing.unit import Unit

T = TypeVar("T")


class Owning(Protocol):
    """What the books say of engines and clients: one answer wherever they stand."""

    leased: bool
    """Whether clients are shared out among desks; else everybody's are this one's."""

    @property
    def over(self) -> str:
        """Why nothing may be sent for anybody, since others may have taken them; empty where it may."""
        ...

    def lives(self, instance_id: int) -> bool:
        """Whether an engine lives, as far as can be known here."""
        ...

    def sends_for(self, client_id: int) -> bool:
        """Whether a call for a client may begin, which ends while it is surely this process's."""
        ...

    def owned(self, connection: Connection) -> frozenset[int] | None:
        """Whose books are this process's, as they stand; None for everybody's."""
        ...

    def elsewhere(self, connection: Connection) -> dict[int, ClientElsewhere]:
        """Those of whom another desk, or nobody, has the books."""
        ...

    def require(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Have only the commit of who owns these clients stand. Raises `LeaseLost`."""
        ...

    def adopt(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Own clients that are new in this commit."""
        ...

    def term(self) -> int:
        """A number that changes once what was decided before may be another's by now."""
        ...

    def held_to(self, work: Callable[[Unit], T]) -> Callable[[Unit], T]:
        """Work whose commit changes what this process may change, or raises `LeaseLost`."""
        ...


class AloneAtHome:
    """Books of one home: a held file lock says who lives, and everybody's are this home's."""

    leased = False
    over = ""

    def __init__(self, home: Path) -> None:
        self._home = home

    def lives(self, instance_id: int) -> bool:
        """Whether an engine of this home still holds its lock."""
        return is_held(engine_lock(self._home, instance_id))

    def sends_for(self, client_id: int) -> bool:
        """For everybody."""
        return True

    def owned(self, connection: Connection) -> frozenset[int] | None:
        """Everybody's."""
        return None

    def elsewhere(self, connection: Connection) -> dict[int, ClientElsewhere]:
        """Nobody."""
        return {}

    def require(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Nothing: nobody else is there."""

    def adopt(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Nothing: they are this home's."""

    def term(self) -> int:
        """Never another's."""
        return 0

    def held_to(self, work: Callable[[Unit], T]) -> Callable[[Unit], T]:
        """As it is."""
        return work
