"""The proof of a rehearsal: every order, trade and paisa of the books held to the broker's ledger."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from data.server.held_to import KeptBooks
from data.vocabulary import OrderState

SHOWN = 6
"""Differences that are told; there may be more."""


class HeldTo(Struct, frozen=True):
    """What differs; `paise` is by how much all accounts together do. `wrong` are the words of the first."""

    orders: int
    fills: int
    twice: int
    unaccounted: int
    paise: int
    in_doubt: int
    wrong: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether nothing does."""
        return not (self.twice or self.unaccounted or self.paise or self.in_doubt or self.wrong)


def proof_of(ours: KeptBooks, theirs: Mapping[str, Any], wrong: Sequence[str]) -> HeldTo:
    """What differs between books and a ledger (`RehearsedVenue.ledger`); desks have found what is `wrong`."""
    by_tag = {tag: order for order in ours.orders for tag in order.tags}
    placed = Counter[str](one["tag"] for one in theirs["orders"])
    there = {by_tag[one["tag"]].id: one for one in theirs["orders"] if one["tag"] in by_tag}
    of_ours = Counter(by_tag[tag].id for tag in placed if tag in by_tag)
    twice = sum(count - 1 for count in placed.values()) + sum(count - 1 for count in of_ours.values())

    nobodys = [tag for tag in theirs["received"] if tag not in by_tag]
    told = [f"a placement with tag {tag} came that no attempt tells of" for tag in nobodys]
    for order in ours.orders:
        told += _differing(order.id, order.state, order.is_there, order.filled, there.get(order.id))
    ours_traded = Counter(ours.fills)
    theirs_traded = Counter(
        (one["id"], one["order"], one["quantity"], one["paise"]) for one in theirs["trades"]
    )
    told += [f"trade {one} is not booked" for one in (theirs_traded - ours_traded).elements()]
    told += [f"trade {one} is booked and was not made" for one in (ours_traded - theirs_traded).elements()]

    paise, money = 0, list[str]()
    for user, gives in theirs["cash"].items():
        has = ours.cash.get(user, (0, 0, 0))
        apart = sum(abs(a - b) for a, b in zip(has, gives, strict=True))
        paise += apart
        money += [f"{user} has {has}, at the broker {tuple(gives)}"] if apart else []
    doubt = sum(one.state in (OrderState.SENDING, OrderState.UNKNOWN) for one in ours.orders)
    fills = sum(theirs_traded.values())
    every = (*wrong, *told, *money)
    return HeldTo(len(placed), fills, twice, len(told), paise, doubt, every[:SHOWN])


def _differing(
    number: int, state: OrderState, is_there: bool, filled: int, their: Mapping[str, Any] | None
) -> list[str]:
    name = f"order {number} ({state})"
    if their is None:
        return [f"{name} is not at the broker"] if is_there else []
    told = list[str]()
    if state not in (OrderState.OPEN, OrderState.UNKNOWN, OrderState.SENDING) and not their["ended"]:
        told.append(f"{name} lives at the broker")
    if state is OrderState.OPEN and their["ended"]:
        told.append(f"{name} has ended at the broker")
    if their["filled"] != filled:
        told.append(f"{name} has {filled} filled, at the broker {their['filled']}")
    return told
