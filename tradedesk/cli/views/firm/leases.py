"""JSON shapes of leases: who has which client."""

from msgspec import Struct

from engine.leasing.views import LeasesMoved, LeaseView


class LeaseShape(Struct, frozen=True):
    """A client and the desk that has it; number 0 where none ever had, `free` where it may be taken."""

    client_id: int
    code: str
    desk_number: int
    desk: str
    free: bool
    mine: bool
    epoch: int


class LeasesMovedShape(Struct, frozen=True):
    """Codes of clients that changed hands, and of those that another desk keeps, with its name."""

    moved: list[str]
    kept: dict[str, str]


def lease_shape(one: LeaseView) -> LeaseShape:
    """A client's lease."""
    return LeaseShape(one.client_id, one.code, one.number, one.desk, not one.lasts, one.mine, one.epoch)


def leases_moved_shape(one: LeasesMoved) -> LeasesMovedShape:
    """What came of moving some."""
    return LeasesMovedShape(list(one.moved), dict(one.kept))
