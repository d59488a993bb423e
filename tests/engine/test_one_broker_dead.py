"""Two brokers on one desk, one frozen or dead: sends, cancels, reads, gate and close of the other go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from brokers.connection import Connection
from brokers.contract import (
    BrokerAccount,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerTrade,
    NoAnswer,
    OrderRequest,
    Outcome,
)
from brokers.paper.broker import PaperBroker
from brokers.silences import Silences
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from data.audit import AuditAction
from data.clock import ManualClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import (
    ClientStatus,
    ConnectionKind,
    DeskKind,
    HaltScope,
    OrderState,
    Reason,
    SessionProblem,
    SizingKind,
    WhyOpen,
)
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from engine.planning.intent import Intent
from engine.rules import WORKERS, Rules
from engine.startup import opened
from engine.words.alerts import alert_words
from tests.books import books_of, empty_books
from tests.desks import START, WAITS, buy, in_time, sell, until
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.settings import Settings
from tradedesk.testing import seam

TCS = "NSE:TCS"
RUPEES = 10_00_000_00


class Freezing(PaperBroker):
    """A broker that can stop answering, so that whatever it is asked waits, or be `down` for all calls."""

    def __init__(self, exchange: PaperExchange, clock: ManualClock, name: str) -> None:
        super().__init__(exchange, clock, latency=(0.0, 0.0))
        self.called = name
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0
        self.down = False

    @property
    def name(self) -> str:
        return self.called

    async def _thaw(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.down:
            raise NoAnswer("nobody answers there")

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        if not self.answers.is_set():
            request.last_look()  # the bytes have left
        await self._thaw()
        return await super().place(account, request)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        await self._thaw()
        return await super().cancel(account, broker_order_id)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        await self._thaw()
        return await super().orders(account)

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        await self._thaw()
        return await super().trades(account)

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        await self._thaw()
        return await super().holdings(account)

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        await self._thaw()
        return await super().funds(account)

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        await self._thaw()
        return await super().profile(account)


@dataclass
class Both:
    """The desk, the broker that answers and the one that may freeze, with their clients' numbers."""

    desk: Desk
    fine: Freezing
    frozen: Freezing
    exchange: PaperExchange
    at_fine: list[int]
    at_frozen: list[int]

    async def resting(self, *client_ids: int) -> None:
        """Orders far below the market for these clients, which rest."""
        await self.desk.market.fetch([TCS])
        wish = buy("TCS", SizingKind.FIXED_QUANTITY, 1, *client_ids, limit_paise=2400_00)
        plan = await self.desk.plans.freeze(wish)
        run = await self.desk.runs.start(plan, plan.digest)
        await until(self.desk, lambda: not {"unsent", "sending"} & set(_standing(self.desk, run.number)))

    def states(self, client_ids: list[int]) -> set[OrderState]:
        """In which states the orders of these clients are."""
        return {one.state for one in self.desk.orders.all() if one.client_id in client_ids}


def _standing(desk: Desk, number: int) -> list[str]:
    return [word.value for word, count in desk.runs.get(number).counts.items() if count]


@asynccontextmanager
async def two_brokers(home: Path, clients: int = 4, at_frozen: int = 2) -> AsyncIterator[Both]:
    """So many clients, some at the broker that may freeze, everybody compared, TCS standing still."""
    clock, calendar = ManualClock(START), load_calendar()
    exchange = PaperExchange(None, clock, calendar)
    exchange.list_instruments(universe())
    exchange.pin("TCS", 2500_00, 2490_00)
    people = [
        NewClient(f"B{n:03d}", f"Client {n}", broker, f"U{n:03d}", ClientStatus.ACTIVE, RUPEES, RUPEES)
        for n in range(clients)
        for broker in ["upstox" if n < at_frozen else "zerodha"]
    ]
    exchange.open_accounts([AccountOpening(one.broker_user_id, RUPEES) for one in people])
    brokers = Freezing(exchange, clock, "zerodha"), Freezing(exchange, clock, "upstox")
    books, settings = books_of(empty_books(home)), Settings(trader="tester")
    base = Foundation(home, books, settings, clock, calendar, Rules(), WAITS, Random(7))
    ways = [Connection(one.name, ConnectionKind.SIM, one) for one in brokers]
    desk = base.desk(DeskKind.SCRIPT, exchange.market_clock, ways)
    try:
        async with opened(desk):
            await desk.market.store_instruments([row.instrument for row in universe()], "test")
            await desk.clients.add(people)
            await asyncio.gather(*(desk.reconcile.check(one.id) for one in desk.clients.all()))
            at = {one.id: one.broker for one in desk.clients.all()}
            theirs = [one for one, broker in at.items() if broker == "upstox"]
            yield Both(desk, *brokers, exchange, [one for one in at if one not in theirs], theirs)
            brokers[1].answers.set()
    finally:
        exchange.close()


async def test_calls_that_hang_at_one_broker_take_no_place_of_the_others(tmp_path: Path) -> None:
    async with two_brokers(tmp_path, WORKERS + 4, WORKERS + 2) as it:
        it.frozen.answers.clear()
        await it.desk.market.fetch([TCS])
        wish = buy("TCS", SizingKind.FIXED_QUANTITY, 1, *it.at_frozen)
        plan = await it.desk.plans.freeze(wish)
        await it.desk.runs.start(plan, plan.digest)
        await until(it.desk, lambda: it.frozen.asked >= WORKERS, step_s=0.0)
        mine = await it.desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, *it.at_fine))
        await it.desk.runs.start(mine, mine.digest)
        await until(it.desk, lambda: it.states(it.at_fine) == {OrderState.FILLED}, step_s=0.0)
        assert it.states(it.at_frozen) <= {OrderState.SENDING, OrderState.RESERVED}


async def test_a_halt_takes_back_what_rests_at_the_living_and_names_who_was_not_read(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:
        await it.resting(*it.at_fine, *it.at_frozen)
        it.frozen.answers.clear()
        certificate = await in_time(it.desk, it.desk.halt.fire("tester", HaltScope.EVERYTHING, ""))
        assert not certificate.ended
        assert {one.code for one in certificate.unread} == {"B000", "B001"}
        assert it.states(it.at_fine) == {OrderState.CANCELLED}
        assert it.states(it.at_frozen) == {OrderState.OPEN}
        it.frozen.answers.set()
        await until(it.desk, lambda: it.states(it.at_frozen) == {OrderState.CANCELLED})


async def test_books_of_the_living_are_compared_while_the_others_hang(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:
        it.frozen.answers.clear()
        hanging = [asyncio.create_task(it.desk.reconcile.check(one)) for one in it.at_frozen]
        done = [await it.desk.reconcile.check(one) for one in it.at_fine]
        assert done == [True, True]
        assert not any(one.done() for one in hanging)
        it.frozen.answers.set()
        await asyncio.gather(*hanging)


async def test_a_plan_waits_for_a_silent_broker_once_and_then_for_nobody(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:
        it.desk.reconcile.forget()
        it.frozen.answers.clear()
        clock = it.desk.clock
        began = clock.monotonic()
        await in_time(it.desk, it.desk.reconcile.ensure([*it.at_fine, *it.at_frozen]))
        first = clock.monotonic() - began
        assert first <= WAITS.silent_broker_s + 1
        assert [it.desk.reconcile.is_compared(one) for one in it.at_fine] == [True, True]
        began = clock.monotonic()
        await it.desk.reconcile.ensure([*it.at_fine, *it.at_frozen])
        assert clock.monotonic() == began
        (plan_lines,) = [(await it.desk.plans.preview(buy("TCS", SizingKind.FIXED_QUANTITY, 1))).lines]
        assert {line.client_id for line in plan_lines if line.ok} == set(it.at_fine)


async def test_a_broker_that_is_down_marks_its_own_clients_alone(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:
        it.frozen.down = True
        looks = [await it.desk.sessions.check(one) for one in (*it.at_fine, *it.at_frozen)]
        assert looks == [True, True, False, False]
        found = {one: it.desk.sessions.of(one) for one in (*it.at_fine, *it.at_frozen)}
        problems = {one: view.problem for one, view in found.items() if view is not None}
        assert problems == {
            **dict.fromkeys(it.at_fine, SessionProblem.NONE),
            **dict.fromkeys(it.at_frozen, SessionProblem.UNREACHABLE),
        }
        assert {it.desk.gate.of(one).reason for one in it.at_fine} == {None}


async def test_a_broker_that_answers_nobody_for_a_while_is_down_until_it_answers(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:

        def reasons(ids: list[int]) -> set[Reason | None]:
            return {it.desk.gate.of(one).reason for one in ids}

        async def barred(wish: Intent) -> set[int]:
            plan = await it.desk.plans.preview(wish)
            return {line.client_id for line in plan.lines if line.reason is Reason.BROKER_DOWN}

        it.frozen.down = True
        assert not await it.desk.reconcile.check(it.at_frozen[0])
        began = it.desk.clock.now()
        await until(it.desk, lambda: it.desk.clock.now() > began + timedelta(seconds=38), step_s=2.0)
        assert reasons(it.at_frozen) == {None}, "some reads that failed keep nothing back"
        await until(it.desk, lambda: reasons(it.at_frozen) == {Reason.BROKER_DOWN}, step_s=2.0)
        assert it.desk.clock.now() - began <= timedelta(seconds=75), "each is read once a minute"
        assert reasons(it.at_fine) == {None}
        assert it.desk.clients.ready_count() == len(it.at_fine)
        counted = [it.desk.clients.total(ids).ready for ids in (it.at_fine, it.at_frozen)]
        assert counted == [len(it.at_fine), 0], "each broker's count is that of the whole"
        await it.desk.market.fetch([TCS])
        assert await barred(buy("TCS", SizingKind.FIXED_QUANTITY, 1)) == set(it.at_frozen)
        assert await barred(sell("TCS", SizingKind.FIXED_QUANTITY, 1)) == set()
        it.frozen.down = False
        await until(it.desk, lambda: reasons(it.at_frozen) == {None}, step_s=5.0)


async def test_a_broker_that_goes_down_is_told_once_and_so_is_that_it_answers(tmp_path: Path) -> None:
    async with two_brokers(tmp_path) as it:
        desk, name = it.desk, it.frozen.name.capitalize()

        def tells(*parts: str) -> bool:
            (words,) = [alert_words(one) for one in desk.alerts.standing] or [""]
            return all(part in words for part in parts)

        for times in (1, 2):
            it.frozen.down = True
            went = f"{name} does not answer since ", ": 2 clients red · Enter"
            await until(desk, lambda went=went: tells(*went), step_s=5.0)
            it.frozen.down = False
            await until(desk, lambda: tells(f"{name} answers again, after "), step_s=5.0)
            for action in (AuditAction.BROKER_DOWN, AuditAction.BROKER_ANSWERS):
                assert len(await desk.audit.rows(action=action.value)) == times


def test_reads_that_failed_far_apart_are_no_one_silence() -> None:
    silences, at = Silences(), START
    silences.ended("there", 1, NoAnswer("503"), at)
    silences.ended("there", 2, NoAnswer("503"), at + timedelta(hours=3))  # the machine slept
    silence = silences.of("there")
    assert silence is not None
    assert (silence.since, silence.of) == (at + timedelta(hours=3), {2})
    silences.ended("there", 1, None, at + timedelta(hours=3))
    assert silences.of("there") is None


async def test_a_close_leaves_a_dead_brokers_clients_open_by_name_and_closes_the_others(
    tmp_path: Path,
) -> None:
    async with two_brokers(tmp_path) as it:
        await it.desk.market.fetch([TCS])
        plan = await it.desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await it.desk.runs.start(plan, plan.digest)
        every = [*it.at_fine, *it.at_frozen]
        await until(it.desk, lambda: it.states(every) == {OrderState.FILLED})
        await it.desk.close.note_before()
        day = it.desk.market_clock.trading_day
        it.frozen.down = True
        it.exchange.jump(seam(it.desk).calendar.session_close(day))
        await it.desk.workings.days.keep()
        prospect = await in_time(it.desk, it.desk.close.look(day))
        assert {(one.code, one.why) for one in prospect.open} == {
            ("B000", WhyOpen.UNREAD),
            ("B001", WhyOpen.UNREAD),
        }
        report = await in_time(it.desk, it.desk.close.close(day, prospect.closing))
        assert {one.client_id for one in report.clients} == set(it.at_fine)
        it.frozen.down = False
        later = await in_time(it.desk, it.desk.close.look(day))
        assert (later.rev, later.closing, later.open) == (2, 2, ())
