"""A machine that sleeps in mid-run: what had not left is proven so, and waits for the trader."""

import asyncio
from contextlib import suppress

from data.records import replace
from data.store import GateMode
from data.vocabulary import OrderState, PauseReason, RunCount, RunStatus, SizingKind
from tests.desks import Wire, books_are_sound, buy, manual_clock, paper_desk, until
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
ASLEEP_S = 75.0
LIMIT = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN, PRIYA, AMIT, limit_paise=2440_00)


class Timeouts:
    """The time-outs of a desk's calls, which run out when the test says."""

    def __init__(self, desk) -> None:
        self._given: list[asyncio.Timeout] = []
        self._clock = desk.clock
        self._clock.timeout = self._give

    def _give(self, seconds: float) -> asyncio.Timeout:
        self._given.append(asyncio.timeout(None))
        return self._given[-1]

    def run_out(self) -> None:
        del self._clock.timeout
        for one in self._given:
            with suppress(RuntimeError):  # its call has ended
                one.reschedule(asyncio.get_running_loop().time())


async def at_broker(desk) -> int:
    accounts = [desk.connections.account(desk.clients.get(client)) for client in (ROHAN, PRIYA, AMIT)]
    return sum([len(await desk.connections.feed.broker.orders(account)) for account in accounts])


async def test_only_what_may_have_left_before_the_machine_slept_is_in_doubt(tmp_path):
    async with paper_desk(tmp_path) as desk:
        seam(desk).waits = replace(seam(desk).waits, claim_valid_s=1.0)
        wire, timeouts = Wire(desk), Timeouts(desk)

        async def place(account, request):
            if account.client_id == PRIYA:
                assert request.last_look() == ""  # its bytes leave, and no answer comes
            await asyncio.Event().wait()

        wire.on_place = place
        plan = await desk.plans.freeze(LIMIT)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: len(wire.placed) == 3, step_s=0.0)
        manual_clock(desk).shift(ASLEEP_S)
        timeouts.run_out()
        wire.on_place = None
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
        states = {order.client_id: order.state for order in desk.orders.all(run=run.number)}
        assert states == {
            ROHAN: OrderState.RESERVED,
            PRIYA: OrderState.UNKNOWN,
            AMIT: OrderState.RESERVED,
        }
        assert desk.runs.get(run.number).pause_reason is PauseReason.TOO_OLD
        assert all(request.last_look() for request in wire.placed), "a thread that wakes later sends nothing"
        assert await at_broker(desk) == 0
        await books_are_sound(desk)


async def test_a_claim_that_was_kept_just_before_the_machine_slept_is_in_no_doubt(tmp_path):
    async with paper_desk(tmp_path) as desk:
        seam(desk).waits = replace(seam(desk).waits, claim_valid_s=1.0)
        write, slept = seam(desk).store.write, []

        async def then_sleep(unit, gate=GateMode.SHARED):
            done = await write(unit, gate)
            if not slept and any(o.state is OrderState.SENDING for o in desk.orders.all()):
                slept.append(True)
                manual_clock(desk).shift(ASLEEP_S)
                await manual_clock(desk).advance(1.0)  # the heartbeat is the first to wake
            return done

        seam(desk).store.write = then_sleep
        plan = await desk.plans.freeze(LIMIT)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
        found = desk.runs.get(run.number)
        assert (found.pause_reason, found.counts[RunCount.UNSENT]) == (PauseReason.TOO_OLD, 3)
        assert slept
        assert await at_broker(desk) == 0
        await books_are_sound(desk)
