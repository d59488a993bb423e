"""What a dead engine left to be carried on: whoever may look at it does not carry it on by that."""

from pathlib import Path

import pytest

from brokers.contract import NotSent, OrderRequest
from data.vocabulary import FlattenWhat, HaltScope, OrderState, Product, Role, SizingKind
from engine.people.facade import FACADE
from engine.refusals import Forbidden
from tests.desks import Wire, buy, carry_out, in_time, paper_desk, until
from tests.people.home_of_many import MINE, OF_ROLE, THEIRS, desk_of_many, sit

QTY = SizingKind.FIXED_QUANTITY


async def left_flatten(home: Path) -> int:
    """A flatten of a client of nobody's scope, whose engine ended before it sent anything; its number."""
    async with desk_of_many(home) as desk:
        client = desk.clients.find(THEIRS).id
        await carry_out(desk, buy("TCS", QTY, 40, client, product=Product.MIS))

        async def never_leaves(account: object, request: OrderRequest) -> NotSent:
            return NotSent("the line is down")

        Wire(desk).on_place = never_leaves
        number = await desk.flatten.start(HaltScope.CLIENT, str(client), FlattenWhat.MIS)
        await until(desk, lambda: desk.flatten.going)
        return number


async def test_a_flatten_is_carried_on_by_who_may_flatten_alone(tmp_path: Path) -> None:
    number = await left_flatten(tmp_path)
    async with paper_desk(tmp_path, demo=False) as desk:
        for name in (*(OF_ROLE[one] for one in (Role.ASSISTANT, Role.AUDITOR, Role.CLIENT)), "ravi"):
            await sit(desk, name)
            with pytest.raises(Forbidden):
                await in_time(desk, desk.flatten.follow(number))
        await sit(desk, OF_ROLE[Role.TRADER])
        assert [one.carried for one in desk.flatten.going] == [False], "nobody has carried it on"
        assert not [one for one in desk.orders.all() if one.flatten_number and one.state is OrderState.FILLED]
        assert (await in_time(desk, desk.flatten.follow(number))).flat == 1


async def test_a_halt_is_followed_by_who_may_halt_alone(tmp_path: Path) -> None:
    async with desk_of_many(tmp_path) as desk:
        certificate = await in_time(
            desk, desk.halt.fire("asha", HaltScope.CLIENT, str(desk.clients.find(MINE[0]).id))
        )
        for role in (Role.AUDITOR, Role.CLIENT):
            await sit(desk, OF_ROLE[role])
            with pytest.raises(Forbidden):
                await in_time(desk, desk.halt.follow(certificate.number))
            assert desk.halt.certificate(certificate.number) is not None
        await sit(desk, OF_ROLE[Role.ASSISTANT])
        assert (await in_time(desk, desk.halt.follow(certificate.number))).number == certificate.number


def test_what_may_carry_on_what_another_began_asks_whose_it_is_before_it_does() -> None:
    for name in ("follow", "carry_on", "stop"):
        assert FACADE["flatten"][name].first is not None, name
