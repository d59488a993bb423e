"""A program that dies by SIGKILL between a rebalance's sales and its buys: nothing is sent twice, and by hand
the run goes on to the end that it would have come to."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from data.vocabulary import DeskKind, Side
from engine.desk import Desk
from tests.books import copied_home
from tests.desks import there
from tests.faults.forks import fork
from tests.further import further
from tests.rebalancing import model_file
from tests.tradedesk.cli_desk import Terminal
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

SOLD = "sold"
"""All sales have ended, and no buy is reserved."""

PLACES = (SOLD, "reserving", "reserved", "claimed", "answered")
"""Where the program dies, each of the buys alone."""

WAIT_S = 120.0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose clients hold too much of two stocks and too little of others."""
    home = tmp_path_factory.mktemp("rebalance") / "home"
    terminal = Terminal(home)
    terminal.done("init", "--demo")
    terminal.done("models", "import", str(model_file(home)), "--name", "Balanced", "--to", "target")
    return home


def rebalance(pipe: Connection, home: Path, place: str) -> None:
    """Confirm a rebalance of everybody, and be killed at a place of its buys."""

    async def trade() -> None:
        async with compose_desk(home, DeskKind.SCRIPT) as desk:
            model = await desk.models.get("Balanced")
            looked = await desk.rebalancing.look([one.id for one in desk.clients.all()], model)
            plan = await desk.plans.freeze(there(looked.intent))
            pipe.send(plan.answer)

            def reached(here: str) -> None:
                if here == place and _sold(desk):
                    os.kill(os.getpid(), signal.SIGKILL)

            seam(desk).engine.reached = reached
            if place == SOLD:
                desk.events.subscribe(lambda _: reached(SOLD))
            run = await desk.runs.start(plan, plan.digest)
            await desk.runs.settled(run.number, WAIT_S)

    asyncio.run(trade())


def _sold(desk: Desk) -> bool:
    """Whether all sales of the run have ended."""
    sales = [order for order in desk.orders.all() if order.side is Side.SELL]
    return bool(sales) and not any(order.live for order in sales)


def placed(home: Path) -> list[str]:
    """The tags of all orders that the exchange has."""
    with closing(sqlite3.connect(home / "paper.db")) as connection:
        return [row[0] for row in connection.execute("SELECT tags FROM orders")]


@pytest.mark.parametrize("place", further(PLACES, 2))
def test_a_rebalance_killed_between_sales_and_buys_ends_by_hand_as_it_was_confirmed(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    with copied_home(prepared, tmp_path / "home") as home:
        killed_and_gone_on(home, tmp_path, monkeypatch, place)


def killed_and_gone_on(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Kill a program at a place of its buys, then go on with its run by hand."""
    terminal = Terminal(home)
    for name in ("TRADEDESK_PAPER_LATENCY_MS", "TRADEDESK_TRADER"):
        monkeypatch.setenv(name, terminal.environment[name])
    child = fork(rebalance, home, place, words=tmp_path / "engine.log")
    try:
        answer = child.receive(WAIT_S)
        assert os.WTERMSIG(child.wait()) == signal.SIGKILL
    finally:
        child.kill()
    sales, buys = map(int, answer.split()[1::2])
    assert sales > 0 < buys
    left = terminal.done("run", "1")
    assert (left["status"], left["pause_reason"]) == ("paused", "engine_died")
    unsent = left["counts"]["unsent"]
    assert unsent == buys if place in (SOLD, "reserving", "reserved") else 0 < unsent < buys + 1
    terminal.run("run", "1", "resume", "--send", str(unsent), "--wait", "20", "--json")
    counts = terminal.done("run", "1")["counts"]
    assert counts["total"] == sales + buys
    lost = counts["unknown"] + counts["not_received"]  # claimed, and perhaps sent: never sent again
    assert counts["filled"] == sales + buys - lost
    assert bool(lost) == (place == "claimed")
    orders = terminal.done("orders")
    sent = [(order["code"], order["symbol"], order["side"]) for order in orders if order["run"] == 1]
    assert len(sent) == len(set(sent)) == sales + buys, "no order twice"
    assert len(set(placed(home))) == len(placed(home)) == len(orders) - lost, "the exchange has no other"
    assert terminal.done("doctor")["ok"]
