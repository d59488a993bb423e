"""A morning of one client at a local Upstox, through the desk as it is composed for a home."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.serving.delays import NO_DELAYS
from brokers.simulators.serving.server import ServedAt
from brokers.simulators.upstox.server import LocalUpstox
from data.clock import ManualClock, SystemClock
from data.errors import BadInput
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import (
    ClientStatus,
    ConnectionKind,
    Demat,
    DeskKind,
    GateColour,
    GateItem,
    HaltScope,
    OrderState,
    OrderType,
    RouteKind,
    RunCount,
    Side,
    SizingKind,
)
from engine.access.routes import NewRoute
from engine.accounts.client_file import NewClient
from engine.book.gate_views import GateFinding, SessionFigures
from engine.desk import Desk
from engine.planning.intent import Intent, Sizing
from tests.books import empty_books
from tests.desks import START, WAITS
from tradedesk.compose.desk_access import access_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

APP, USER = "615b1297-d443-3b39-ba19-1927fbcdddc7", "7PBA64"
REAL = SystemClock()


class Stood:
    """A desk with one client at a local Upstox, and time that a test lets pass."""

    def __init__(self, desk: Desk, upstox: LocalUpstox, clock: ManualClock) -> None:
        self.desk, self.upstox, self.clock = desk, upstox, clock

    async def until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not happened():
                await self.clock.advance(0.1)
                await REAL.sleep(0.005)

    async def done(self, work: Any) -> Any:
        task = asyncio.ensure_future(work)
        await self.until(task.done)
        return await task

    async def sign_in(self) -> None:
        code = self.upstox.sessions.request_token(APP, USER)
        await self.done(self.desk.sessions.sign_in(1, f"http://127.0.0.1/?code={code}&state=x"))


@asynccontextmanager
async def upstox_morning(home: Path, begins: time | None = None, **more: Any) -> AsyncIterator[Stood]:
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar(), begins=begins)
    exchange.list_instruments(universe())
    exchange.open_accounts([AccountOpening(USER, 10_00_000_00, rates="upstox")])
    place = ServedAt(delays=NO_DELAYS, rng=random.Random(7))
    upstox = LocalUpstox(exchange, clock, api_keys={APP: "secretofapp0123456789"}, place=place)
    await upstox.start()
    try:
        empty_books(home)
        settings = Settings(market="upstox", upstox_url=upstox.url, vault="file", trader="tester", **more)
        opening = compose_desk(
            home,
            clock=clock,
            settings=settings,
            waits=WAITS,
            seed=7,
            passphrase=lambda: "only for rehearsals",
        )
        async with opening as desk:
            (connection,) = desk.connections
            access_of(connection).keep_secret(APP, "secretofapp0123456789")
            stood = Stood(desk, upstox, clock)
            await stood.done(desk.instruments.refresh(again=True))
            new = NewClient(
                "UP0001",
                "Ann",
                "upstox",
                USER,
                ClientStatus.ACTIVE,
                capital_paise=10_00_000_00,
                available_paise=10_00_000_00,
            )
            await desk.clients.add([new])
            route = NewRoute(RouteKind.OWN, APP, egress_ip="203.0.113.7", consent="2026-1", demat=Demat.DDPI)
            await desk.routes.set(1, route)
            yield stood
    finally:
        await upstox.stop()
        exchange.close()


async def test_a_client_signs_in_and_buys_and_the_books_agree(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path) as stood:
        desk = stood.desk
        (connection,) = desk.connections
        assert (connection.kind, connection.name, desk.clients.get(1).connection) == (
            ConnectionKind.SIM,
            "upstox",
            "upstox",
        )
        assert desk.gate.of(1).colour is GateColour.RED
        assert f"client_id={APP}" in await desk.sessions.login_url(1, "x")
        await stood.sign_in()
        session = desk.sessions.of(1)
        assert session is not None
        assert session.expires_at is not None
        assert f"{session.expires_at:%d %H:%M}" == "18 22:00", "half past three in India"
        await stood.done(desk.reconcile.check(1))
        assert desk.gate.of(1).reason is None

        prices = await stood.done(desk.market.fetch(["NSE:RELIANCE"]))
        assert "NSE:RELIANCE" in prices
        intent = Intent(Side.BUY, "NSE:RELIANCE", Sizing(SizingKind.FIXED_QUANTITY, 3))
        plan = await stood.done(desk.plans.freeze(intent))
        run = await stood.done(desk.runs.start(plan, plan.digest))
        await stood.until(lambda: desk.runs.get(run.number).counts.get(RunCount.FILLED))
        (order,) = desk.orders.all()
        still = stood.clock.monotonic() + 5
        await stood.until(lambda: stood.clock.monotonic() > still)
        assert (order.state, order.filled_quantity) == (OrderState.FILLED, 3)
        assert await stood.done(desk.reconcile.check(1))


async def test_the_gate_is_red_while_the_name_of_an_algo_is_not_set(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path, upstox_algos={APP: ""}) as stood:
        await stood.sign_in()
        judged = stood.desk.gate.of(1).check(GateItem.ROUTE).judged
        assert (judged.colour, judged.finding) == (GateColour.RED, GateFinding.NO_ALGO_NAME)


async def test_a_kill_switch_is_set_by_its_own_word_alone_and_closes_the_gate(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path) as stood:
        desk = stood.desk
        await stood.sign_in()
        switches = await stood.done(desk.kill_switches.read(1))
        assert not any(one.on for one in switches)
        with pytest.raises(BadInput, match="lock NSE_EQ of UP0001"):
            await stood.done(desk.kill_switches.lock(1, "nse_eq", "yes"))
        found = await stood.done(desk.kill_switches.lock(1, "nse_eq", "lock NSE_EQ of UP0001"))
        assert [one.segment for one in found if one.on] == ["NSE_EQ"]
        await stood.until(lambda: desk.gate.of(1).reason is not None)
        assert desk.gate.of(1).check(GateItem.ROUTE).judged.finding is GateFinding.KILL_SWITCH_ON
        assert [row.details for row in await desk.audit.rows(action="KILL_SWITCH_SET")] == [
            {"code": "UP0001", "segment": "NSE_EQ"}
        ]


async def test_a_command_that_follows_no_stream_does_not_say_that_none_stands(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path) as stood:
        await stood.sign_in()
        opening = compose_desk(
            tmp_path,
            DeskKind.COMMAND,
            clock=stood.clock,
            settings=Settings(market="upstox", upstox_url=stood.upstox.url, vault="file", trader="tester"),
            passphrase=lambda: "only for rehearsals",
        )
        async with opening as command:
            judged = command.gate.of(1).check(GateItem.SESSION).judged
            assert (judged.colour, judged.finding) == (GateColour.GREEN, GateFinding.SIGNED_IN)
            assert isinstance(judged.figures, SessionFigures)
            assert not judged.figures.polled


async def test_a_halt_sets_no_kill_switch(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path) as stood:
        await stood.sign_in()
        await stood.done(stood.desk.halt.fire("tester", HaltScope.EVERYTHING, ""))
        assert stood.upstox.kill_switches.rows(USER)
        assert not any(row["kill_switch_enabled"] for row in stood.upstox.kill_switches.rows(USER))


@pytest.mark.parametrize(
    ("named", "becomes"), [("steady", OrderState.FILLED), ("other", OrderState.REJECTED)]
)
async def test_the_name_of_an_apps_algo_goes_with_its_orders(
    tmp_path: Path, named: str, becomes: OrderState
) -> None:
    async with upstox_morning(tmp_path, upstox_algos={APP: named}) as stood:
        desk = stood.desk
        stood.upstox.switches.change({"algo_names": {APP: ["steady"]}})
        await stood.sign_in()
        await stood.done(desk.reconcile.check(1))
        await stood.done(desk.market.fetch(["NSE:RELIANCE"]))
        plan = await stood.done(
            desk.plans.freeze(Intent(Side.BUY, "NSE:RELIANCE", Sizing(SizingKind.FIXED_QUANTITY, 3)))
        )
        run = await stood.done(desk.runs.start(plan, plan.digest))
        await stood.until(lambda: [one.state for one in desk.orders.all(run=run.number)] == [becomes])


async def test_an_order_that_shows_a_part_waits_for_the_session_is_changed_and_trades(tmp_path: Path) -> None:
    async with upstox_morning(tmp_path, begins=time(8, 30)) as stood:
        desk = stood.desk
        stood.upstox.exchange.pin("TCS", 2_500_00)
        await stood.sign_in()
        await stood.done(desk.reconcile.check(1))
        await stood.done(desk.market.fetch(["NSE:TCS"]))
        wish = Intent(
            Side.BUY,
            "NSE:TCS",
            Sizing(SizingKind.FIXED_QUANTITY, 10),
            OrderType.LIMIT,
            limit_paise=2_500_00,
            after_market=True,
            disclosed_quantity=2,
        )
        plan = await stood.done(desk.plans.freeze(wish))
        run = await stood.done(desk.runs.start(plan, plan.digest))
        await stood.until(lambda: desk.runs.get(run.number).counts.get(RunCount.OPEN))
        (order,) = desk.orders.all()
        assert order.standing == "AMO for 18 Nov"
        (entry,) = stood.upstox.journal.entries()
        assert (entry.request.after_market, entry.request.disclosed_quantity) == (True, 2)
        await stood.done(desk.orders.modify(order.id, 6, None, None))
        await stood.until(lambda: desk.orders.get(order.id).quantity == 6)
        (entry,) = stood.upstox.journal.entries()
        assert (entry.request.quantity, entry.request.disclosed_quantity) == (6, 2)
        stood.upstox.exchange.jump(datetime(2026, 11, 18, 3, 45, 1, tzinfo=UTC))
        await stood.until(lambda: desk.orders.get(order.id).state is OrderState.FILLED)
