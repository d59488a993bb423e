"""Nobody waits for a dead client or a slow one: neither their orders, nor their cancels, nor their books.

Each run is compared with the same run in which everybody answers, by the desk's own clock.
"""

import asyncio
import random
from dataclasses import dataclass

import pytest

from data.vocabulary import OrderState, SizingKind
from engine.rules import CANCEL_WORKERS, WORKERS, Waits
from tests.desks import Wire, books_are_sound, buy, manual_clock
from tests.faults.scenery import opening_price
from tests.faults.stage import play, staged_desk
from tradedesk.testing import seam

pytestmark = pytest.mark.proof

CLIENTS = 100
BULKS = 4
LOW = opening_price("RELIANCE") * 96 // 100 // 100 * 100
MOST_S = 120.0

SLOW_S = 8.0
"""What a slow client's calls take; a dead one's never end."""


@dataclass(frozen=True, slots=True)
class Ills:
    """Whose calls never end, and whose take long, by client id."""

    dead: frozenset[int] = frozenset()
    slow: frozenset[int] = frozenset()

    @property
    def all(self) -> frozenset[int]:
        return self.dead | self.slow


class SickWire(Wire):
    """A broker that takes its time: a tenth to a third of a second for most, for the ill ones as they are."""

    def __init__(self, desk, seed=1):
        super().__init__(desk)
        self._desk, self._dice = desk, random.Random(seed)
        self.ills = Ills()
        self.reached = {"place": {}, "cancel": {}}
        self.read_at = {}

    async def _wait(self, account):
        usual = self._dice.uniform(0.1, 0.3)
        await self._desk.clock.sleep(SLOW_S if account.client_id in self.ills.slow else usual)
        await self._fall_silent(account)

    async def _fall_silent(self, account):
        while account.client_id in self.ills.dead:
            await asyncio.get_running_loop().create_future()

    def _note(self, what, account, name):
        self.reached[what][name] = (account.client_id, self._desk.clock.monotonic())

    async def place(self, account, request):
        self._note("place", account, request.tag)
        if account.client_id in self.ills.dead:
            await super().place(account, request)  # it arrives; the answer is what never comes
        await self._wait(account)
        return await super().place(account, request)

    async def cancel(self, account, broker_order_id):
        self._note("cancel", account, broker_order_id)
        await self._wait(account)
        return await super().cancel(account, broker_order_id)

    async def orders(self, account):
        await self._wait(account)
        self.read_at[account.client_id] = self._desk.clock.monotonic()
        return await self.broker.orders(account)

    async def trades(self, account):
        await self._wait(account)
        return await self.broker.trades(account)

    async def funds(self, account):
        await self._wait(account)
        return await self.broker.funds(account)

    async def holdings(self, account):
        await self._wait(account)
        return await self.broker.holdings(account)


def last_of_others(reached, ills, began):
    """When the last call of those who are well reached the broker, in seconds after `began`."""
    return max(at for client_id, at in reached.values() if client_id not in ills.all) - began


async def bulks(desk, quantity=1):
    """Several bulk orders of everybody, none of which trades; returns their numbers."""
    runs = []
    for _ in range(BULKS):
        intent = buy("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, limit_paise=LOW, again=True)
        plan = await desk.plans.freeze(intent)
        runs.append(await desk.runs.start(plan, plan.digest))
    assert [run.counts["total"] for run in runs] == [CLIENTS] * BULKS
    return runs


def ill(desk, dead=0, slow=0):
    """Make clients ill, those that come first in a list."""
    ids = sorted(client.id for client in desk.clients.all())
    return Ills(frozenset(ids[:dead]), frozenset(ids[dead : dead + slow]))


def open_of_others(desk, ills):
    orders = [order for order in desk.orders.all() if order.client_id not in ills.all]
    return sum(order.state is OrderState.OPEN for order in orders) == len(orders) > 0


def hopeful(desk):
    """Every client's books have been read, so that whoever falls ill does so in the middle of the day."""
    return len(seam(desk).book.reconciled) == CLIENTS


async def time_of_bulks(folder, dead=0, slow=0):
    """Seconds until the last placement of those who are well."""
    async with staged_desk(folder, CLIENTS) as desk:
        wire = SickWire(desk)
        await play(desk, lambda: hopeful(desk), MOST_S)
        wire.ills = ills = ill(desk, dead, slow)
        starting = asyncio.ensure_future(bulks(desk))
        began = desk.clock.monotonic()
        await play(desk, lambda: starting.done() and open_of_others(desk, ills), MOST_S)
        await starting
        took = last_of_others(wire.reached["place"], ills, began)
        await end_of_illness(desk, wire)
        return took


WELL = {}
"""What a run of each kind took in which nobody was ill: the same each time."""


async def while_all_are_well(run, folder):
    if run not in WELL:
        WELL[run] = await run(folder)
    return WELL[run]


async def end_of_illness(desk, wire):
    """Everybody answers again, and no order is lost or sent twice."""
    wire.ills = Ills()
    await play(desk, lambda: not (desk.counts().unsent or desk.counts().unknown), MOST_S)
    await books_are_sound(desk)


async def test_bulk_orders_of_others_go_out_as_if_one_dead_and_one_slow_client_were_well(tmp_path):
    well = await while_all_are_well(time_of_bulks, tmp_path / "well")
    took = await time_of_bulks(tmp_path / "ill", dead=1, slow=1)
    print(f"1 dead, 1 slow: the last other placement after {took:.2f} s instead of {well:.2f} s")
    assert took <= 1.5 * well


async def test_as_many_dead_clients_as_there_are_workers_delay_others_by_a_slow_call_for_each_bulk(tmp_path):
    """Until a call has hung for `slow_call_s` it cannot be told from one that is answered in time."""
    well = await while_all_are_well(time_of_bulks, tmp_path / "well")
    took = await time_of_bulks(tmp_path / "ill", dead=WORKERS)
    print(f"{WORKERS} dead: the last other placement after {took:.2f} s instead of {well:.2f} s")
    assert took <= 1.5 * well + BULKS * Waits().slow_call_s
    assert took < Waits().send_timeout_s


async def time_of_cancels(folder, dead=0, slow=0):
    """Seconds until the last first cancel of those who are well, and until their last order had ended."""
    async with staged_desk(folder, CLIENTS) as desk:
        wire = SickWire(desk)
        await play(desk, lambda: hopeful(desk), MOST_S)
        starting = asyncio.ensure_future(bulks(desk))
        await play(desk, lambda: starting.done() and open_of_others(desk, Ills()), MOST_S)
        await starting
        await manual_clock(desk).advance(5)
        wire.ills = ills = ill(desk, dead, slow)
        began = desk.clock.monotonic()
        fired = desk.halt.fire_now("tester")

        def ended():
            live = {order.client_id for order in desk.orders.all(live=True)}
            return not live - ills.all

        ended_s = await play(desk, ended, MOST_S)
        took = last_of_others(wire.reached["cancel"], ills, began)
        wire.ills = Ills()
        await play(desk, fired.done, MOST_S)
        await play(desk, lambda: desk.counts().live == 0, MOST_S)
        await books_are_sound(desk)
        return took, ended_s


@pytest.mark.parametrize(("dead", "slow"), [(1, 1), (8, 0)])
async def test_cancels_of_others_go_out_as_if_nobody_were_ill(tmp_path, dead, slow):
    well, well_ended = await while_all_are_well(time_of_cancels, tmp_path / "well")
    took, ended = await time_of_cancels(tmp_path / "ill", dead, slow)
    print(
        f"{dead} dead, {slow} slow: the last other cancel after {took:.2f} s instead of {well:.2f} s, "
        f"ended {ended:.2f} s instead of {well_ended:.2f} s"
    )
    waves = dead * BULKS // CANCEL_WORKERS  # how often the dead clients' cancels fill all workers
    assert took <= 1.5 * well + waves * Waits().slow_call_s
    assert ended <= 1.5 * well_ended + waves * Waits().slow_call_s
