"""A role that one process at a time has, by the database's clock; whoever stands by takes it when it ends."""

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from data.engines.database import Database
from data.engines.shared.leases import end_role, renew_role, take_role
from data.leasing.beating_line import BeatingLine
from data.leasing.processes import since_boot

ROLE_S = 2.0
"""How long a role lasts without being renewed."""

ROLE_BEAT_S = 0.5
"""How often it is renewed, or asked for."""


class HeldRole:
    """A role as one process has it, or not. Its calls block: they are for a thread beside the loop.

    It lasts from before it was asked for, by a clock that goes on while the machine sleeps, so that it is
    over here before anybody else may take it.
    """

    def __init__(
        self, database: Database, role: str, instance_id: int, now: Callable[[], float] = since_boot
    ) -> None:
        self._database, self._role, self._instance_id, self._now = database, role, instance_id, now
        self._until = float("-inf")
        self._line = BeatingLine(database)
        self.epoch = 0
        """How often the role had changed hands when this process took it last."""

    @property
    def holds(self) -> bool:
        """Whether it is surely still this process's."""
        return self._until > self._now()

    def keep(self) -> bool:
        """Renew it, or take it where nobody has it; returns whether this process has it."""
        began = self._now()
        try:
            connection = self._line.connected()
            kept = self.holds and renew_role(connection, self._role, self._instance_id, self.epoch, ROLE_S)
            if not kept:
                epoch = take_role(connection, self._role, self._instance_id, ROLE_S)
                if epoch is None:
                    return False
                self.epoch = epoch
        except DBAPIError:
            self._line.drop()
            return self.holds
        self._until = began + ROLE_S
        return True

    def end(self) -> None:
        """Give it up."""
        if self.holds:
            with suppress(DBAPIError):
                end_role(self._line.connected(), self._role, self._instance_id, self.epoch)
        self._until = float("-inf")
        self._line.close()
