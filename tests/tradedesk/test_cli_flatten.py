"""`flatten` from terminals: documents and exit codes, two at once, one of them killed, and while halted."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import sleep

import pytest
from cli_desk import Terminal

from brokers.contract import Accepted, OrderRequest
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import SystemClock
from data.home import paper_exchange_file
from data.reference.phases import load_calendar
from data.vocabulary import OrderType, Product, Side

FLATTEN = ("flatten", "desk", "mis", "--yes")


@contextmanager
def venue(home: Terminal) -> Iterator[PaperExchange]:
    exchange = PaperExchange(paper_exchange_file(home.home), SystemClock(), load_calendar())
    try:
        yield exchange
    finally:
        exchange.close()


def long_40_short_100_with_a_stop(demo: Terminal) -> None:
    """MIS +40 TCS under a live stop, MIS -100 INFY from another client's phone, CNC beside both."""
    demo.order("PS1015", "buy", "TCS", "19", "--product", "MIS")
    demo.order("PS1015", "buy", "TCS", "21", "--product", "MIS", "--again")
    demo.order("RG1008", "buy", "HDFCBANK", "5")
    stop = ("--trigger", "2000", "--product", "MIS", "--wait", "0")
    demo.run("order", "PS1015", "sell", "TCS", "40", *stop, "--yes")
    with venue(demo) as exchange:
        short = OrderRequest(
            "NSE", "INFY", Side.SELL, 100, Product.MIS, OrderType.MARKET, "", protection_bps=200
        )
        assert isinstance(exchange.place("RG1008", short), Accepted)


def sent(demo: Terminal) -> Counter[tuple[str, str, str]]:
    """What the desk's flattens have traded at the venue, and what is held there now, in shares."""
    found = Counter[tuple[str, str, str]]()
    with venue(demo) as exchange:
        for user in ("PS1015", "RG1008"):
            for one in exchange.trades(user):
                found[user, one.tradingsymbol, f"{one.side} {one.product}"] += one.quantity
            for row in exchange.holdings(user):
                net = row.free + row.t1 + row.today - row.short
                found[user, row.tradingsymbol, f"holds {row.product}"] = net
            live = [one for one in exchange.orders(user) if one.status == "open"]
            assert live == []
    return found


EXACT = {
    ("PS1015", "TCS", "BUY MIS"): 40,
    ("PS1015", "TCS", "SELL MIS"): 40,
    ("RG1008", "INFY", "SELL MIS"): 100,
    ("RG1008", "INFY", "BUY MIS"): 100,
    ("RG1008", "HDFCBANK", "BUY CNC"): 5,
    ("RG1008", "HDFCBANK", "holds CNC"): 5,
}


def test_without_yes_it_says_what_it_would_send_and_sends_nothing(demo: Terminal) -> None:
    long_40_short_100_with_a_stop(demo)
    printed = demo.run("flatten", "desk", "--json")
    assert printed.code == 3
    told = {(one["code"], one["net"], one["side"]) for one in printed.document["positions"]}
    assert told == {("PS1015", 40, "SELL"), ("RG1008", -100, "BUY")}
    assert printed.document["answer"] == "flat 2"
    assert "NOT in it: CNC, MTF, T1, pledged" in printed.err
    assert demo.run("flatten", "show").code == 2


def test_while_halted_it_is_flat_and_a_buy_is_refused(demo: Terminal) -> None:
    long_40_short_100_with_a_stop(demo)
    halt = demo.done("cancel-all", "--yes")["number"]
    assert demo.run("order", "PS1015", "buy", "TCS", "1", "--yes").code == 6
    made = demo.done(*FLATTEN)
    assert (made["flat"], made["left"], made["passes"]) == (2, 0, [halt])
    assert sent(demo) == EXACT
    assert demo.done("flatten", "show") == made
    assert demo.done("doctor")["ok"]


@pytest.mark.parametrize("words", [("client",), ("group", "nobody"), ("desk", "cnc"), ("desk", "mis", "now")])
def test_what_is_no_flatten_is_refused_by_name(demo: Terminal, words: tuple[str, ...]) -> None:
    assert demo.run("flatten", *words, "--yes", "--json").code == 2


@pytest.mark.proof
@pytest.mark.parametrize(("killed", "halted"), [(True, False), (False, True)])
def test_two_terminals_at_once_send_each_exit_once(demo: Terminal, killed: bool, halted: bool) -> None:
    long_40_short_100_with_a_stop(demo)
    if halted:
        demo.done("cancel-all", "--yes")
    slow = {**demo.environment, "TRADEDESK_PAPER_LATENCY_MS": "[300, 600]"}
    command = [sys.executable, "-m", "tradedesk.cli", *FLATTEN, "--json"]
    first, second = (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=slow) for _ in range(2)
    )
    try:
        if killed:
            with closing(sqlite3.connect(demo.home / "desk.db", timeout=10)) as books:
                while not _begun(books) and first.poll() is None:
                    sleep(0.005)
            first.kill()
        out, words = second.communicate(timeout=240)
        first.communicate(timeout=240)
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
    assert second.returncode == 0, words
    assert json.loads(out)["left"] == 0
    assert sent(demo) == EXACT
    assert demo.done("doctor")["ok"]


def _begun(books: sqlite3.Connection) -> bool:
    """Whether a flatten has written an order."""
    (count,) = books.execute("SELECT count(*) FROM orders WHERE flatten_number IS NOT NULL").fetchone()
    return bool(count)
