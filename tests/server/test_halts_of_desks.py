"""Halts of one desk's clients, and of all desks, where several share one database."""

from pathlib import Path

import pytest

from brokers.contract import BrokerAccount, BrokerStatus, NotSent, Outcome
from data.records import replace
from data.vocabulary import HaltScope, OrderState, SizingKind
from engine.desk import Desk
from engine.halt.certificate import Certificate
from engine.halt.others import HaltsHeard
from engine.planning.intent import Selection
from engine.refusals import Halted
from tests.books import database_url
from tests.desks import Wire, books_are_sound, buy, carry_out, there, until
from tests.sharing import Firm
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


def code_of(desk: Desk, client_id: int) -> str:
    book = seam(desk).kept.book
    return (book.clients.get(client_id) or book.elsewhere[client_id]).code


async def resting(desk: Desk, client_id: int) -> int:
    """An order that rests at the venue."""
    wish = buy("INFY", SizingKind.FIXED_QUANTITY, 1, limit_paise=140000)
    plan = await desk.plans.freeze(replace(wish, selection=Selection(client_ids=(client_id,))))
    (order,) = (await desk.runs.start(plan, plan.digest)).order_ids
    await until(desk, lambda: desk.orders.get(order).state is OrderState.OPEN)
    return order


async def fired(desk: Desk, firm: bool = False) -> Certificate:
    firing = desk.halt.fire_now("asha", firm)
    await until(desk, firing.done, step_s=0.2)
    return firing.result()


async def trades(desk: Desk, client_id: int) -> bool:
    """Whether a plan of today would trade for a client."""
    plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, client_id, again=True))
    return plan.lines[0].ok


async def test_a_desk_halts_its_own_clients_and_the_others_go_on(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan, priya = code_of(asha, ROHAN), code_of(asha, PRIYA)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            mine, theirs = await resting(asha, AMIT), await resting(ravi, ROHAN)
            made = await fired(asha)
            assert (made.scope, made.value.split("@")[0]) == (HaltScope.DESK, "asha")
            assert (made.ended, made.cancelled) == (True, 1)
            assert asha.halt_stands()
            assert (asha.home / "HALT").exists()
            assert asha.orders.get(mine).state is OrderState.CANCELLED

            await until(ravi, lambda: ravi.halt.active() != [], step_s=0.2)
            assert not ravi.halt_stands()
            assert not (ravi.home / "HALT").exists()
            assert ravi.orders.get(theirs).state is OrderState.OPEN
            await carry_out(ravi, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))

            # Whom it hands over stays halted; whoever comes to it is halted as long as it has them.
            await asha.leases.release(priya, seam(ravi).engine.id)
            await until(ravi, lambda: PRIYA in seam(ravi).kept.book.clients)
            assert not await trades(ravi, PRIYA)
            await ravi.leases.release(rohan, seam(asha).engine.id)
            await until(asha, lambda: ROHAN in seam(asha).kept.book.clients)
            plan = await asha.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, again=True))
            with pytest.raises(Halted):
                await asha.runs.start(plan, plan.digest)

            await asha.halt.resume(made.number, "resume", "asha")
            assert not (asha.home / "HALT").exists()
            await until(ravi, lambda: ravi.halt.active() == [], step_s=0.2)
            await carry_out(ravi, buy("TCS", SizingKind.FIXED_QUANTITY, 1, PRIYA))
            await carry_out(asha, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, again=True))
            await books_are_sound(asha)


async def test_clients_of_a_desk_that_dies_halted_stay_halted_where_they_go(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        made = await fired(asha)
        leases = seam(asha).store.leases
        assert leases is not None
        leases.beat = lambda: False
        firm.run_out(leases.instance_id)
        async with firm.desk("ravi", "free", seed=8) as ravi:
            await until(ravi, lambda: ROHAN in seam(ravi).kept.book.clients)
            assert not await trades(ravi, ROHAN)
            assert not ravi.halt_stands()
            await ravi.halt.resume(made.number, "resume", "ravi")
            assert await trades(ravi, ROHAN)
    async with firm.desk("asha", "free", seed=9):
        assert not (firm.folder / "asha" / "HALT").exists(), "its halt was ended elsewhere"


async def test_a_halt_of_the_firm_stops_each_desk_by_its_own_file_until_any_ends_it(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            theirs = await resting(ravi, ROHAN)
            firing = asha.halt.fire_now("asha", firm=True)
            await until(ravi, lambda: not ravi.orders.get(theirs).live, step_s=0.2)
            await until(asha, firing.done, step_s=0.2)
            made = firing.result()
            assert made.scope is HaltScope.EVERYTHING
            assert ravi.halt_stands()
            await until(ravi, lambda: (ravi.home / "HALT").exists(), step_s=0.2)
            await until(asha, lambda: there(asha.halt.certificate(made.number)).ended, step_s=0.2)
            told = {one.name.split("@")[0]: one for one in there(asha.halt.certificate(made.number)).desks}
            assert (told["asha"].knew_s, told["asha"].orders) == (0.0, 0)
            ravis = told["ravi"]
            assert (ravis.clients, ravis.orders, ravis.cancelled, ravis.unknown) == (1, 1, 1, 0)
            assert 0 <= there(ravis.knew_s) <= there(ravis.first_cancel_s)
            await ravi.halt.resume(made.number, "resume", "ravi")
            await until(asha, lambda: not (asha.home / "HALT").exists(), step_s=0.2)
            assert not asha.halt_stands()
            (order,) = exchange_of(ravi).orders(rohan)
            assert order.status is BrokerStatus.CANCELLED
            await books_are_sound(asha)


async def _hears_nothing(desk: HaltsHeard) -> None:
    """In the place of what a desk says that knows of a halt."""


async def test_who_halts_the_firm_cancels_for_desks_that_have_died_and_names_them(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HaltsHeard, "say_known", _hears_nothing)
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            theirs = await resting(ravi, ROHAN)
            leases = seam(ravi).store.leases
            assert leases is not None
            leases.beat = lambda: False
            firm.run_out(leases.instance_id)
            seam(ravi).workers.canceller.close()
            made = await fired(asha, firm=True)
            await until(asha, lambda: there(asha.halt.certificate(made.number)).ended, step_s=0.2)
            assert ROHAN in seam(asha).kept.book.clients
            assert asha.orders.get(theirs).state is OrderState.CANCELLED
            told = {one.name.split("@")[0]: one for one in there(asha.halt.certificate(made.number)).desks}
            assert (told["ravi"].reached, told["ravi"].lives) == (False, False)
            assert (told["ravi"].orders, told["ravi"].cancelled) == (1, 1)


async def test_a_desk_that_opens_says_nothing_of_a_halt_that_another_has_fired(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        await asha.leases.release(code_of(asha, ROHAN))
        wire, order = Wire(asha), await resting(asha, AMIT)
        wire.on_cancel = _not_taken
        firing = asha.halt.fire_now("asha", firm=True)
        await until(asha, lambda: asha.halt.active() != [] and asha.halt.active()[-1].number > 0, step_s=0.2)
        async with firm.desk("ravi", "free", seed=8) as ravi:
            await until(asha, firing.done, step_s=1.0)
            number = firing.result().number
            await until(ravi, lambda: ravi.halt.certificate(number) is not None, step_s=0.2)
            assert asha.orders.get(order).live
            assert not there(ravi.halt.certificate(number)).ended
            async with seam(asha).store.reader() as reader:
                found = await reader.exec_driver_sql("SELECT count(*) FROM halt_certificate WHERE ended")
                assert found.scalar_one() == 0


async def _not_taken(account: BrokerAccount, broker_order_id: str) -> Outcome:
    return NotSent("the line is down")
