"""Guards and limits by role and scope: who sets them, arms again, takes away, loosens."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from data.vocabulary import FlattenWhat, HaltScope, LimitKind, LimitScope, Right, Role
from engine.desk import Desk
from engine.guards.asked import GuardWish
from engine.people.rights import may
from engine.planning.limits.typed import LimitWish
from engine.refusals import NotOfRole, OutOfScope
from tests.people.home_of_many import MINE, OF_ROLE, THEIRS, desk_of_many, refusals, sit

Place = tuple[HaltScope, str]
GROUP, DESK = (HaltScope.GROUP, "Growth"), (HaltScope.EVERYTHING, "")
SET_OF = FlattenWhat.MIS


def guard_of(place: Place) -> GuardWish:
    return GuardWish(*place, SET_OF, loss_paise=50_000_00)


async def with_group(desk: Desk) -> Place:
    """A group of one client of the scoped trader and one of somebody else; returns the first as a place."""
    mine, theirs = (desk.clients.find(code).id for code in (MINE[0], THEIRS))
    await desk.groups.add(GROUP[1], [mine, theirs])
    return HaltScope.CLIENT, str(mine)


async def what_is_done(desk: Desk, place: Place) -> dict[str, str]:
    """What comes of each thing that may be done to the guard of a place, as whoever sits there does it."""
    named = {DESK: "desk", GROUP: GROUP[1]}.get(place, MINE[0])
    acts: Mapping[str, Callable[[], Awaitable[object]]] = {
        "set": lambda: desk.guards.set(guard_of(place)),
        "arm": lambda: desk.guards.arm(*place, SET_OF, f"arm {named}"),
        "remove": lambda: desk.guards.remove(*place, SET_OF),
    }
    came: dict[str, str] = {}
    for name, act in acts.items():
        try:
            await act()
            came[name] = "done"
        except (NotOfRole, OutOfScope) as refused:
            came[name] = type(refused).__name__
        except ValueError as problem:
            came[name] = str(problem).rpartition(": ")[2]
    return came


async def test_who_may_guard_does_so_for_a_client_a_group_and_the_desk_and_nobody_else(tmp_path):
    refused = dict.fromkeys(("set", "arm", "remove"), "NotOfRole")
    async with desk_of_many(tmp_path) as desk:
        places = (await with_group(desk), GROUP, DESK)
        for role in Role:
            for place in places:
                await desk.guards.set(guard_of(place))
            await sit(desk, OF_ROLE[role])
            came = [await what_is_done(desk, place) for place in places]
            await sit(desk, "asha")
            left = {(one.scope, one.value) for one in desk.guards.all()}
            if may(role, Right.GUARD):
                assert [(one["set"], one["remove"]) for one in came] == [("done", "done")] * 3
                assert all("has not tripped" in one["arm"] for one in came)
                assert left == set()
            else:
                assert (came, left) == ([refused] * 3, set(places))


async def test_a_trader_of_some_clients_guards_those_and_no_group_or_desk_that_has_others(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        client = await with_group(desk)
        for place in (GROUP, DESK):
            await desk.guards.set(guard_of(place))
        await sit(desk, "ravi")
        assert [one.of for one in desk.guards.all()] == []
        assert (await what_is_done(desk, client))["set"] == "done"
        for place in (GROUP, DESK, (HaltScope.CLIENT, "1")):
            assert set((await what_is_done(desk, place)).values()) == {"OutOfScope"}
        await sit(desk, "asha")
        assert {(one.scope, one.value) for one in desk.guards.all()} == {GROUP, DESK}
        assert {one["why"] for one in await refusals(desk)} == {"OutOfScope"}


# --- limits ------------------------------------------------------------------------------------------------


def limit(figure: int | None) -> LimitWish:
    return LimitWish(LimitScope.CLIENT, MINE[0], LimitKind.ORDER_VALUE, figure=figure)


LOOSER: Mapping[str, Callable[[Desk], Awaitable[object]]] = {
    "a larger figure": lambda desk: desk.limits.set(limit(2_00_000_00)),
    "none": lambda desk: desk.limits.remove(limit(None)),
    "the desk's taken away": lambda desk: desk.limits.remove(
        LimitWish(LimitScope.DESK, "", LimitKind.ORDERS)
    ),
}


@pytest.mark.parametrize("name", ["tara", "ravi"])
async def test_a_trader_tightens_a_limit_and_only_an_admin_loosens_it(tmp_path, name):
    async with desk_of_many(tmp_path) as desk:
        await desk.limits.set(limit(1_00_000_00))
        await desk.limits.set(LimitWish(LimitScope.DESK, "", LimitKind.ORDERS, figure=100))
        await sit(desk, name)
        before = desk.limits.all()
        for act in LOOSER.values():
            with pytest.raises((NotOfRole, OutOfScope)):
                await act(desk)
        assert desk.limits.all() == before
        await desk.limits.set(limit(50_000_00))
        await sit(desk, "asha")
        assert [one.figure for one in desk.limits.all() if one.kind is LimitKind.ORDER_VALUE] == [50_000_00]
        await desk.limits.set(limit(2_00_000_00))
        await desk.limits.remove(limit(None))
        assert [one.figure for one in desk.limits.all() if one.kind is LimitKind.ORDER_VALUE] == []


async def test_whoever_keeps_no_clients_sets_no_limit_either(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        for name in ("anil", "uma", "aarav"):
            await sit(desk, name)
            with pytest.raises(NotOfRole):
                await desk.limits.set(limit(1_000_00))
