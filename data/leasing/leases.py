"""The leases of one engine on books of several desks: how long they last, and what is written under them.

They last from before a beat was sent, by a clock that goes on while the machine sleeps, so that they are
over here before anybody else may take them.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import date
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.engines.database import Database
from data.engines.shared.leases import (
    ClientElsewhere,
    LeaseHolder,
    beat_leases,
    begin_leases,
    end_leases,
    hand_clients,
    hold_fence,
    keep_rolled,
    lease_epochs,
    lease_holder,
    lease_holders,
    lease_rows,
    leased_to,
    not_had,
    not_rolled,
)
from data.errors import LeaseLost
from data.leasing.beating_line import BeatingLine
from data.leasing.processes import is_running, since_boot, this_host
from data.repositories.trading.orders import WRITTEN
from data.tables.columns import stored_moment
from data.writing.unit import Unit

LEASE_S = 30.0
"""How long leases last without a beat."""

BEAT_S = 3.0
"""How often they are renewed."""

SPARE_S = 5.0
"""What must be left of them beyond the time that a call may take."""


T = TypeVar("T")

_CLIENT, _RUN = (WRITTEN.index(name) for name in ("client_id", "run_number"))

Glance = Callable[[Callable[[Connection], LeaseHolder | None]], LeaseHolder | None]
"""Does a short read on whichever thread asks."""


class DeskName(Struct, frozen=True):
    """As what an engine's leases stand: the id of its home, and its name for people."""

    home: str
    name: str


class Leases:
    """What this process owns, and until when. Its own connection beats; a batch's checks."""

    leased = True

    def __init__(
        self, database: Database, who: DeskName, call_s: float, now: Callable[[], float] = since_boot
    ) -> None:
        """`call_s` is how long a call may take, `now` counts the seconds by which they last."""
        self._database, self.who, self.call_s, self._now = database, who, call_s, now
        self.instance_id = 0
        """Whose they are; 0 before the engine has a row."""
        self._held: frozenset[int] = frozenset()
        self._leaving: frozenset[int] = frozenset()
        self._until = float("-inf")
        self._term = 0
        self._epoch = -1
        self._lock = threading.Lock()
        self.glance: Glance = database.read
        """By which connection it is looked who lives."""
        self._line = BeatingLine(database)

    # --- what is asked at each order ---

    def sends_for(self, client_id: int) -> bool:
        """Whether a call for a client may begin, which ends while it is surely this engine's."""
        known = client_id in self._held and client_id not in self._leaving
        return known and self.left_s() >= self.call_s + SPARE_S

    @property
    def held(self) -> frozenset[int]:
        """Its clients, as its books were last read."""
        return self._held

    def term(self) -> int:
        """Another number once the leases had run out, or somebody has taken a client."""
        return self._term

    @property
    def over(self) -> str:
        """Why nothing may be sent for anybody; empty while they last."""
        if not self.instance_id or self.left_s() > 0:
            return ""
        return f"the books' server has not heard of this desk for {LEASE_S:g} s: others may have its clients"

    def left_s(self) -> float:
        """For how many seconds they last."""
        return self._until - self._now()

    def leave(self, client_ids: Collection[int]) -> None:
        """Begin nothing for clients that are handed over; for those alone."""
        self._leaving = frozenset(client_ids)

    # --- inside a transaction ---

    def owned(self, connection: Connection) -> frozenset[int] | None:
        """Whose books are this engine's, as they stand; it is known from here on."""
        self._held = leased_to(connection, self.instance_id) if self.instance_id else frozenset()
        return self._held

    def elsewhere(self, connection: Connection) -> dict[int, ClientElsewhere]:
        """The clients of other desks that live, and those that nobody has."""
        names = {i: one.name for i, one in lease_holders(connection).items() if holder_lives(one)}
        return {
            row.client_id: ClientElsewhere(row.client_id, row.code, row.title, names.get(row.instance_id, ""))
            for row in lease_rows(connection)
            if row.client_id not in self._held
        }

    def require(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Have nobody take these clients before this commit. Raises `LeaseLost` where somebody has."""
        wanted = frozenset(client_ids) - unit.epochs.keys()
        if wanted:
            unit.epochs |= hold_fence(unit, self.instance_id, wanted)
        if lost := wanted - unit.epochs.keys():
            raise LeaseLost(lost)

    def epochs_now(self, unit: Unit, client_ids: Collection[int]) -> Mapping[int, int]:
        """How often each has changed hands, whoever has it."""
        return lease_epochs(unit, client_ids)

    def held_to(self, work: Callable[[Unit], T]) -> Callable[[Unit], T]:
        """Work whose commit changes orders, runs and money of this engine's clients alone.

        It raises `LeaseLost` where it has changed another's, unless what it writes is anybody's.
        """

        def unit_of_work(unit: Unit) -> T:
            unit.lessee = self
            result = work(unit)
            self._close(unit)
            return result

        return unit_of_work

    def _close(self, unit: Unit) -> None:
        """Hold a unit to the clients that are this engine's, by all that it has changed."""
        if unit.of_anybody:
            return
        touched = unit.touched
        known = {number: cells for number, cells in touched.written.items() if cells is not None}
        clients = touched.clients | {cells[_CLIENT] for cells in known.values()}
        if clients:
            self.require(unit, clients)
        orders = (touched.orders | touched.written.keys()) - known.keys()
        runs = touched.runs - {cells[_RUN] for cells in known.values()}
        if (orders or runs) and (lost := not_had(unit, self.instance_id, orders, runs)):
            raise LeaseLost(lost)

    def adopt(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Own clients that are new in this commit."""
        hand_clients(unit, client_ids, 0, self.instance_id, str(stored_moment(unit.now)))
        unit.touched.leases = True

    def begin_day(self, unit: Unit, day: date) -> dict[date | None, frozenset[int]]:
        """The clients whose books this commit opens for a day, by the day that they were open for before.

        Nobody opens them again, and nobody takes the clients before the commit.
        """
        begun = dict[date | None, frozenset[int]]()
        for before, clients in not_rolled(unit, self.instance_id, day).items():
            self.require(unit, clients)
            begun[before] = keep_rolled(unit, self.instance_id, clients, day)
        return begun

    def begin(self, unit: Unit, instance_id: int) -> None:
        """Give this engine its fence; its leases last from the first beat on."""
        begin_leases(unit.connection, instance_id, this_host(), self.who.home, self.who.name)

    # --- who lives ---

    def lives(self, instance_id: int) -> bool:
        """Whether an engine's leases last, unless its process on this machine has ended.

        Where the server does not answer it is taken to live: nothing of its clients is touched then.
        """
        try:
            holder = self.glance(lambda connection: lease_holder(connection, instance_id))
        except DBAPIError:
            return True
        return holder is not None and holder_lives(holder)

    # --- beating ---

    def beat(self) -> bool:
        """Renew them by the connection of their own; returns whether the server took it."""
        with self._lock:
            if not self.instance_id:
                return False
            began = self._now()
            try:
                epoch = beat_leases(self._line.connected(), self.instance_id, LEASE_S)
            except DBAPIError:
                self._line.drop()
                return False
            if epoch is None:
                return False
            if began > self._until or epoch != self._epoch:
                self._term += 1
                self._epoch = epoch
            self._until = began + LEASE_S
            return True

    def end(self) -> None:
        """Have them end now, as far as the server hears of it, and beat no more."""
        with self._lock:
            self._until = float("-inf")
            if self.instance_id:
                with suppress(DBAPIError):
                    end_leases(self._line.connected(), self.instance_id)
            self.instance_id = 0
            self._line.close()


def holder_lives(holder: LeaseHolder) -> bool:
    """Whether an engine's leases last, as far as this machine can tell."""
    if not holder.lasts or holder.ended:
        return False
    return holder.host != this_host() or is_running(holder.pid, holder.process_started)
