"""A command that only looks, such as an assistant's server: it lives for long, and books nothing of it."""

from pathlib import Path

from data.clock import ManualClock
from data.vocabulary import DeskKind
from engine.rules import Rules
from tests.desks import START, by_phone, manual_clock, paper_desk
from tradedesk.testing import seam

AARAV = 42


async def test_what_happens_at_the_broker_meanwhile_is_booked_by_a_desk_that_keeps_up_alone(
    tmp_path: Path,
) -> None:
    looking = Rules(looks_only=True)
    async with paper_desk(tmp_path, clock=ManualClock(START), kind=DeskKind.COMMAND, rules=looking) as desk:
        before = (await desk.audit.chain_state()).rows
        by_phone(desk, AARAV, quantity=3, symbol="TCS")
        for _ in range(30):
            await manual_clock(desk).advance(5)
            await desk.settle()
        assert desk.orders.elsewhere() == []
        assert (await desk.audit.chain_state()).rows == before
        assert seam(desk).book.external_orders == {}
