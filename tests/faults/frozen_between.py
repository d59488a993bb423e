"""A process that stops itself between a look and what follows on it: at a send, or at a commit."""

import os
import signal
from collections.abc import Collection
from enum import Enum

from data.leasing.leases import Leases
from data.writing.unit import Unit
from engine.execution.sending.unanswered import LastLook


class Between(Enum):
    """Where it stops."""

    SEND = "look and send"
    """The order has been found to be this desk's to send; its bytes have not left."""
    COMMIT = "fence and commit"
    """The clients have been found to be this desk's; the transaction that writes for them is open."""


class StopsItself:
    """Waits to be armed, and then stops the process once, at the first such place that is come to."""

    def __init__(self) -> None:
        self._armed: Between | None = None
        look, require, come_to = LastLook.__call__, Leases.require, self._come_to

        def looked(self: LastLook) -> str:
            why = look(self)
            if not why:
                come_to(Between.SEND)
            return why

        def required(self: Leases, unit: Unit, client_ids: Collection[int]) -> None:
            require(self, unit, client_ids)
            come_to(Between.COMMIT)

        LastLook.__call__ = looked
        Leases.require = required

    def arm(self, between: Between) -> None:
        """Stop at the next such place, from whichever thread comes there first."""
        self._armed = between

    def _come_to(self, place: Between) -> None:
        if self._armed is place:
            self._armed = None
            os.kill(os.getpid(), signal.SIGSTOP)
