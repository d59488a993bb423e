"""What a process without leases may do on books of several desks: read all, and change no client's."""

from collections.abc import Callable, Collection
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.engines.database import Database
from data.engines.shared.leases import ClientElsewhere, lease_holder
from data.errors import LeaseLost, NoLease
from data.leasing.leases import holder_lives
from data.vocabulary import Topic
from data.writing.unit import Unit

T = TypeVar("T")

MAY_CHANGE = frozenset({Topic.ROSTER, Topic.MARKET})
"""What it may change by itself: who the clients are, and instruments. Money, shares, orders, runs and halts
are the desks' own, unless what is written says that it is one of the few things that need no lease."""


class BesideLeases:
    """In the place of leases: nobody is this process's, and everybody's books are read."""

    leased = True
    over = "it has nobody's lease, and sends nothing"

    def __init__(self, database: Database) -> None:
        self._database = database

    def lives(self, instance_id: int) -> bool:
        """Whether an engine's leases last; it is taken to live where the server does not answer."""
        try:
            holder = self._database.read(lambda connection: lease_holder(connection, instance_id))
        except DBAPIError:
            return True
        return holder is not None and holder_lives(holder)

    def sends_for(self, client_id: int) -> bool:
        """For nobody."""
        return False

    def owned(self, connection: Connection) -> frozenset[int] | None:
        """All of the books are read."""
        return None

    def elsewhere(self, connection: Connection) -> dict[int, ClientElsewhere]:
        """Nobody is told apart."""
        return {}

    def require(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Raises `LeaseLost` for anybody."""
        if client_ids:
            raise LeaseLost(frozenset(client_ids))

    def adopt(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Have new clients be nobody's, until a desk takes them; their first balances need no lease."""
        unit.needs_no_lease |= {Topic.CLIENTS}

    def term(self) -> int:
        """Nothing was ever claimed."""
        return 0

    def held_to(self, work: Callable[[Unit], T]) -> Callable[[Unit], T]:
        """Work that fails as `NoLease` where it has changed what only a desk may."""

        def unit_of_work(unit: Unit) -> T:
            result = work(unit)
            if wrong := unit.touched.topics().keys() - MAY_CHANGE - unit.needs_no_lease:
                raise NoLease(sorted(wrong))
            return result

        return unit_of_work
