"""Two desks on one home: whatever one changes, of every topic, the other shows without being told."""

from pathlib import Path

from data.acting import Actor, acting
from data.clock import ManualClock
from data.records import replace
from data.vocabulary import ClientStatus, DeskKind, HaltScope, SizingKind
from tests.desks import START, buy, carry_out, filed_desk, in_time, until

ROHAN, PRIYA = 8, 15
QTY = SizingKind.FIXED_QUANTITY


async def test_every_topic_of_one_desk_reaches_the_other(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock, DeskKind.APP) as desk,
        filed_desk(tmp_path, clock, DeskKind.COMMAND, 8) as other,
    ):
        before = other.funds.of(ROHAN).available_paise
        _, run = await carry_out(desk, buy("INFY", QTY, 2, ROHAN))
        ended = lambda: [one.number for one in other.runs.all() if one.finished_at]  # noqa: E731
        await until(other, lambda: run.number in ended(), step_s=0.1)
        assert other.orders.get(run.order_ids[0]).filled_quantity == 2
        assert other.funds.of(ROHAN).available_paise < before
        assert [held.quantity for held in other.holdings.of(ROHAN) if held.key == "NSE:INFY"][:1] != [0]

        await desk.clients.set_status(PRIYA, ClientStatus.INACTIVE, "asked us to")
        await until(other, lambda: other.clients.get(PRIYA).status is ClientStatus.INACTIVE, step_s=0.1)

        with acting(Actor("asha")):  # the traders of the two are not the same
            await desk.watchlists.add("NSE:INFY", "Mine")
            await until(other, lambda: other.watchlists.keys("Mine") == ["NSE:INFY"], step_s=0.1)

        known = desk.market.index.resolve("INFY")
        await desk.market.store_instruments([replace(known, sector="Tested")], "test", complete=False)
        await until(other, lambda: other.market.index.resolve("INFY").sector == "Tested", step_s=0.1)

        made = await in_time(desk, desk.halt.fire("tester", HaltScope.CLIENT, str(ROHAN)))
        await until(other, lambda: [h.number for h in other.halt.active()] == [made.number], step_s=0.1)
        await desk.halt.resume(made.number, "resume", "tester")
        await until(other, lambda: other.halt.active() == [], step_s=0.1)
