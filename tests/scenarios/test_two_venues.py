"""One home at two venues over real sockets: some clients at a local Kite, others on paper beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time
from pathlib import Path

import pytest

from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import IST
from data.errors import BadInput
from data.home import paper_exchange_file
from data.records import replace
from data.reference.phases import load_calendar
from data.repositories.listings import replace_listings
from data.vocabulary import (
    ClientStatus,
    ConnectionKind,
    DeskKind,
    OrderState,
    PauseReason,
    Reason,
    RunCount,
    Side,
    SizingKind,
)
from engine.accounts.client_file import NewClient
from engine.execution.views import RunView
from engine.planning.plan import Plan
from engine.refusals import TradingStopped
from engine.words.tape import news_words
from engine.words.trading.why import detail_words
from screens.clients.gate_rows import client_head
from tests.desks import WAITS, books_are_sound, buy, on_its_books
from tests.refusing import refuses
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.brokers.paper import PAPER, exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
AT_KITE = (Person(1), Person(2))
KITE_1, KITE_2, PAPER_3, PAPER_4 = range(1, 5)
EVERYBODY = (KITE_1, KITE_2, PAPER_3, PAPER_4)
ON_PAPER = tuple(
    NewClient(f"PA{n}", f"Paper {n}", broker, f"U{n}", ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
    for n, broker in ((3, "upstox"), (4, "groww"))
)
TCS = "NSE:TCS"


@asynccontextmanager
async def two_venues(home: Path) -> AsyncIterator[Morning]:
    """A morning at both with everybody signed in, TCS standing still at Kite."""
    async with kite_morning(home, AT_KITE, on_paper=ON_PAPER) as morning:
        morning.exchange.pin("TCS", 2500_00, 2490_00)
        await morning.sign_in(AT_KITE)
        await morning.compared(())
        yield morning


DIFFER = (
    "kite is at 18 Nov 2026 and paper is at 19 Nov 2026: their days differ, "
    "and orders leave again once they agree"
)


def jump_a_day(paper: PaperExchange) -> None:
    """Put an exchange past the end of its day, so that its next one has begun."""
    paper.jump(datetime.combine(paper.trading_day, time(23, tzinfo=IST)))


def states(morning: Morning) -> dict[int, list[OrderState]]:
    """The states of each client's orders, oldest first."""
    found: dict[int, list[OrderState]] = {one: [] for one in EVERYBODY}
    for order in sorted(morning.desk.orders.all(), key=lambda one: one.id):
        found[order.client_id].append(order.state)
    return found


async def bought(morning: Morning, *client_ids: int, limit_paise: int | None = None) -> tuple[Plan, RunView]:
    """Buy two TCS for each of these clients and wait until the calls have ended."""
    await morning.priced(TCS)
    return await morning.send(buy("TCS", QTY, 2, *client_ids, limit_paise=limit_paise))


async def test_a_plan_over_both_goes_to_each_clients_own_venue_at_one_price(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk, paper = morning.desk, exchange_of(morning.desk)
        assert [(one.name, one.kind) for one in desk.connections] == [
            ("kite", ConnectionKind.SIM),
            ("paper", ConnectionKind.PAPER),
        ]
        assert desk.mode == "SIM", "the most dangerous of them"
        carried = {client.code: client.connection for client in desk.clients.all()}
        assert carried == {"KC0001": "kite", "KC0002": "kite", "PA3": "paper", "PA4": "paper"}
        heads = [client_head(desk, row, masked=False) for row in desk.gate.rows()]
        assert sorted(head.rpartition(" at ")[2] for head in heads) == [
            "groww by paper",
            "upstox by paper",
            "zerodha by kite",
            "zerodha by kite",
        ]
        plan, run = await bought(morning, *EVERYBODY)
        assert plan.orders == 4
        await morning.until(lambda: run.number and desk.runs.get(run.number).counts[RunCount.FILLED] == 4)
        prices = {order.client_id: order.filled_notional_paise for order in desk.orders.all()}
        assert prices == dict.fromkeys(EVERYBODY, 2 * 2500_00)
        assert [len(paper.orders(code)) for code in ("PA3", "PA4")] == [1, 1]
        assert [len(morning.exchange.orders(one.user_id)) for one in AT_KITE] == [1, 1]
        assert paper.trading_day == desk.market_clock.trading_day
        await morning.compared(AT_KITE)
        assert await desk.reconcile.check(PAPER_3)
        assert [desk.reconcile.breaks(one) for one in EVERYBODY] == [[]] * 4
        await books_are_sound(desk)


async def test_whose_broker_does_not_list_the_symbol_is_skipped_by_name(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk = morning.desk
        await seam(desk).store.write(lambda unit: replace_listings(unit, "zerodha", [TCS], []))
        await desk.market.load()
        await morning.priced(TCS)
        plan = await desk.plans.freeze(buy("TCS", QTY, 2, *EVERYBODY))
        assert {
            line.client_id: (line.reason, detail_words(line)) for line in plan.skipped_lines
        } == dict.fromkeys((KITE_1, KITE_2), (Reason.NOT_LISTED, "NSE:TCS is not listed at Zerodha"))
        assert {line.client_id for line in plan.ok_lines} == {PAPER_3, PAPER_4}, "paper trades what is known"
        assert await desk.plans.get(plan.number or 0) == plan
        sale = await desk.plans.preview(replace(plan.intent, side=Side.SELL))
        assert {line.reason for line in sale.lines if line.client_id == KITE_1} == {Reason.NOT_LISTED}


async def test_an_order_that_rests_on_paper_trades_when_the_price_at_kite_reaches_it(
    tmp_path: Path,
) -> None:
    async with two_venues(tmp_path) as morning:
        desk = morning.desk
        await bought(morning, PAPER_3, limit_paise=2450_00)
        assert states(morning)[PAPER_3] == [OrderState.OPEN]
        morning.exchange.pin("TCS", 2449_00, 2490_00)
        await morning.priced(TCS)
        await morning.until(lambda: states(morning)[PAPER_3] == [OrderState.FILLED])
        (order,) = exchange_of(desk).orders("PA3")
        assert order.filled_quantity == 2


async def test_a_halt_takes_back_what_rests_at_either_and_its_certificate_names_both(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk = morning.desk
        await bought(morning, *EVERYBODY, limit_paise=2400_00)
        assert states(morning) == {one: [OrderState.OPEN] for one in EVERYBODY}
        certificate = await morning.halted()
        assert (certificate.cancelled, certificate.ended) == (4, True)
        assert certificate.unread == ()
        assert states(morning) == {one: [OrderState.CANCELLED] for one in EVERYBODY}
        await books_are_sound(desk)


async def test_a_session_lost_at_kite_keeps_nobody_on_paper_from_trading(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk = morning.desk
        await desk.sessions.expire(KITE_1, "the broker ended it")
        assert [client.code for client in desk.sessions.due()] == ["KC0001"]
        plan, run = await bought(morning, *EVERYBODY)
        assert {line.client_id: line.reason for line in plan.lines if line.reason} == {
            KITE_1: Reason.SESSION_EXPIRED
        }
        await morning.until(lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 3)
        assert states(morning)[KITE_1] == []


async def test_venues_of_two_days_are_opened_for_reading_and_cancels_alone(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        await bought(morning, KITE_1, limit_paise=2400_00)
        await morning.close_desk()
        paper = PaperExchange(paper_exchange_file(tmp_path), morning.clock, load_calendar())
        jump_a_day(paper)
        paper.close()
        settings = Settings(kite_url=morning.kite.url, vault="file", trader="tester")
        settings = on_its_books(settings, tmp_path)
        opening = compose_desk(
            tmp_path,
            DeskKind.COMMAND,
            clock=morning.clock,
            settings=settings,
            waits=WAITS,
            latency=(0.0, 0.0),
            passphrase=lambda: "only for rehearsals",
        )
        async with opening as desk:
            assert desk.trading_disabled == DIFFER
            later = replace(morning, desk=desk)
            await later.priced(TCS)
            plan = await desk.plans.freeze(buy("TCS", QTY, 1, KITE_2))
            with refuses(TradingStopped, "their days differ"):
                await desk.runs.start(plan, plan.digest)
            certificate = await later.halted()
            assert certificate.ended
            assert all(not order.live for order in desk.orders.all()), "what rested at Kite is taken back"


async def test_what_is_reserved_when_the_days_come_apart_is_paused_and_never_sent(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk, paper = morning.desk, exchange_of(morning.desk)
        await bought(morning, KITE_1, limit_paise=2400_00)
        (resting,) = desk.orders.all()
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, KITE_2, PAPER_3))
        run = await desk.runs.start(plan, plan.digest)
        jump_a_day(paper)  # before the loop gives anybody else a turn: the run is reserved, not claimed
        await morning.until(lambda: desk.runs.get(run.number).paused)
        found = desk.runs.get(run.number)
        assert (found.pause_reason, found.counts[RunCount.UNSENT]) == (PauseReason.VENUES_DIFFER, 2)
        assert [len(morning.exchange.orders(one.user_id)) for one in AT_KITE] == [1, 0]
        assert paper.orders("PA3") == []
        assert any(f"trading is stopped: {DIFFER}" in news_words(line.news) for line in desk.day_tape.lines())
        with refuses(TradingStopped, "their days differ"):
            await desk.runs.go_on(run.number, 2)
        with refuses(TradingStopped, "their days differ"):
            await desk.orders.modify(resting.id, quantity=1)
        stopped = await desk.runs.stop(run.number, live=False)
        assert stopped.counts[RunCount.CANCELLED] == 2
        await books_are_sound(desk)


async def test_a_claim_whose_bytes_wait_is_kept_back_when_the_days_come_apart(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as morning:
        desk, paper = morning.desk, exchange_of(morning.desk)

        def come_apart(point: str) -> None:
            if point == "claimed":
                jump_a_day(paper)

        await morning.priced(TCS)
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, KITE_1))
        seam(desk).reached = come_apart
        run = await desk.runs.start(plan, plan.digest)
        await morning.until(lambda: desk.runs.get(run.number).paused)
        assert desk.runs.get(run.number).pause_reason is PauseReason.VENUES_DIFFER
        assert morning.exchange.orders(AT_KITE[0].user_id) == []
        await books_are_sound(desk)


async def test_a_home_has_one_connection_of_a_name(tmp_path: Path) -> None:
    async with compose_desk(tmp_path) as desk:
        with pytest.raises(BadInput, match="a connection of that name"):
            await desk.connecting.add(PAPER)
