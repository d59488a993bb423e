"""Clients that change hands, each move in one transaction behind the fence of who has them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from data.engines.shared.leases import (
    LeaseHolder,
    LeaseRow,
    break_fence,
    end_leases,
    hand_clients,
    has_run_out,
    lease_holders,
    lease_rows,
)
from data.errors import BadInput
from data.leasing.leases import Leases, holder_lives
from data.tables.columns import stored_moment
from data.writing.unit import Unit


class ClientsTaken(Struct, frozen=True):
    """What came of taking: clients with the engine that had each, 0 for nobody, and who keeps the rest."""

    clients: Mapping[int, int]
    kept: Mapping[int, LeaseHolder]


Wanted = Callable[[LeaseRow, LeaseHolder | None], bool]
"""Whether a client is wanted, by its row and by whoever had it last."""


def take_clients(unit: Unit, leases: Leases, wanted: Wanted) -> ClientsTaken:
    """Take the clients that are wanted from nobody, and from engines whose leases are over."""
    me, holders = leases.instance_id, lease_holders(unit)
    by_holder = defaultdict[int, set[int]](set)
    for row in lease_rows(unit):
        if row.instance_id != me and wanted(row, holders.get(row.instance_id)):
            by_holder[row.instance_id].add(row.client_id)
    taken, kept = dict[int, int](), dict[int, LeaseHolder]()
    for holder_id, clients in sorted(by_holder.items()):
        holder = holders.get(holder_id)
        if holder is not None and not _is_over(unit, holder):
            kept |= dict.fromkeys(clients, holder)
            continue
        moved = hand_clients(unit, clients, holder_id, me, str(stored_moment(unit.now)))
        taken |= dict.fromkeys(moved, holder_id)
    if taken:
        unit.touched.leases = True
    return ClientsTaken(taken, kept)


def _is_over(unit: Unit, holder: LeaseHolder) -> bool:
    """Whether an engine's leases are, behind its fence, where no batch of its own is under way."""
    if holder_lives(holder):
        return False
    break_fence(unit.connection, holder.instance_id)
    if holder.lasts:  # it has said that it ended, or its process on this machine is gone: nothing beats
        end_leases(unit.connection, holder.instance_id)
        return True
    return has_run_out(unit.connection, holder.instance_id)


def hand_over(unit: Unit, leases: Leases, client_ids: Collection[int], to_id: int = 0) -> None:
    """Give clients of this engine to another that lives, 0 for nobody.

    Raises `LeaseLost` where they are not its own, `BadInput` where the other does not live.
    """
    leases.require(unit, client_ids)
    if to_id:
        holder = lease_holders(unit).get(to_id)
        if holder is None or not holder_lives(holder):
            raise BadInput("desk", to_id, "no such desk is open; `tradedesk leases` lists them")
    hand_clients(unit, client_ids, leases.instance_id, to_id, str(stored_moment(unit.now)))
    unit.touched.leases = True
