"""Rehearsing a faulty broker: a whole desk on one, and the option that opens it."""

from pathlib import Path

import pytest

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import Faults
from data.clock import ManualClock
from data.reference.phases import load_calendar
from data.vocabulary import OrderState, SizingKind
from tests.books import empty_books
from tests.desks import MISSION_PINS, START, WAITS, books_are_sound, buy, until
from tests.tradedesk.cli_desk import Terminal
from tradedesk.compose.brokers.paper import prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

FAULTS = Faults(drop_answer=0.5, late_8s=0.5, lose_update=1.0, stale_book=0.5, seed=4)


async def test_a_desk_finds_every_order_whose_answer_was_lost(tmp_path: Path) -> None:
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar())
    settings = Settings(trader="tester")
    async with compose_desk(
        empty_books(tmp_path),
        clock=clock,
        settings=settings,
        waits=WAITS,
        exchange=exchange,
        latency=(0.0, 0.0),
        seed=7,
        faults=FAULTS,
    ) as desk:
        await prepare_demo(desk)
        exchange.pin("TCS", *MISSION_PINS["TCS"])
        await desk.market.fetch(["NSE:TCS"])
        ready = [client.id for client in desk.clients.all() if client.gate is None][:6]
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 2, *ready))
        run = await desk.runs.start(plan, plan.digest)

        def orders(state: OrderState) -> int:
            return sum(desk.orders.get(order_id).state is state for order_id in run.order_ids)

        await until(desk, lambda: orders(OrderState.UNKNOWN) == len(ready))
        await until(desk, lambda: orders(OrderState.FILLED) == len(ready))
        await books_are_sound(desk)

        broker = desk.connections.feed.broker
        assert isinstance(broker, FaultyBroker)
        assert broker.struck["drop_answer"] + broker.struck["late_8s"] == len(ready)
        for client_id in ready:
            code = desk.clients.get(client_id).code
            (order,) = exchange.orders(code)
            assert order.filled_quantity == 2


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ("strom", "did you mean storm?"),
        ("late_8s=2", "from 0 to 1"),
        ("storm,seed=7", "the screen needs a terminal"),
    ],
)
def test_the_option_is_read_before_the_screen_opens(tmp_path: Path, faults: str, words: str) -> None:
    printed = Terminal(tmp_path / "home").run("demo", "--faults", faults)
    assert printed.code == 2
    assert words in printed.err
    assert not (tmp_path / "home").exists()
