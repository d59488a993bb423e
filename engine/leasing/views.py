"""What is read of leases: who has each client, and what came of moving some."""

from msgspec import Struct


class LeaseView(Struct, frozen=True):
    """A client and the desk that has it.

    `number` is that desk's, 0 where nobody has the client, and `desk` how people know it. One that does not
    last may be taken. `epoch` counts how often the client has changed hands.
    """

    client_id: int
    code: str
    name: str
    number: int
    desk: str
    lasts: bool
    mine: bool
    epoch: int


class LeasesMoved(Struct, frozen=True):
    """The codes of clients that changed hands, and of those that did not, each with the desk that has it."""

    moved: tuple[str, ...]
    kept: dict[str, str]
