"""Changing orders, stop orders, books against the broker's, and orders in doubt on the command line."""

from typing import Any

import pytest
from cli_desk import Terminal

from brokers.contract import Ambiguous
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import SystemClock
from data.reference.phases import load_calendar


def test_a_modify_is_confirmed_by_the_book_and_blocks_what_it_needs(demo: Terminal) -> None:
    order = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    number = str(order["order_id"])

    unsaid = demo.run("modify", number, "--limit", "1410", "--json")
    assert (unsaid.code, unsaid.document["request"]) == (3, None)
    assert "blocks ₹20.0" in unsaid.err

    made = demo.done("modify", number, "--limit", "1410", "--quantity", "3", "--yes")
    assert made["request"]["state"] == "CONFIRMED"
    changed = made["order"]
    assert (changed["quantity"], changed["limit_paise"], changed["modifying"]) == (3, 141000, False)
    assert changed["blocked_paise"] > order["blocked_paise"]
    assert demo.done("doctor")["ok"]


@pytest.mark.parametrize(
    ("wish", "field", "words"),
    [
        (("--limit", "1410.03"), "limit", "ticks of 0.10"),
        (("--trigger", "1390"), "trigger", "has no trigger"),
        (("--limit", "-5"), "limit", "give a price in rupees above zero"),
        (("--quantity", "two"), "quantity", "whole number"),
        (("--quantity", "0"), "quantity", "a whole number of 1 or more"),
        ((), "change", "give a quantity or a price"),
    ],
)
def test_a_modify_that_makes_no_sense_names_field_and_value(
    demo: Terminal, wish: tuple[str, ...], field: str, words: str
) -> None:
    number = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")["order_id"]

    printed = demo.run("modify", str(number), *wish, "--yes", "--json")

    assert (printed.code, printed.error["field"]) == (2, field)
    assert words in printed.error["expected"]


def test_a_trigger_makes_a_stop_order_with_or_without_a_limit(demo: Terminal) -> None:
    plain = demo.order("AM1042", "buy", "TCS", "1", "--trigger", "2600")
    assert (plain["order_type"], plain["trigger_paise"], plain["limit_paise"]) == ("SL-M", 260000, None)
    priced = demo.order("AM1042", "buy", "INFY", "1", "--trigger", "1600", "--limit", "1610")
    assert (priced["order_type"], priced["trigger_paise"], priced["limit_paise"]) == ("SL", 160000, 161000)
    assert {plain["state"], priced["state"]} == {"OPEN"}

    reached = demo.run("order", "AM1042", "buy", "TCS", "1", "--trigger", "100", "--yes", "--json")
    assert (reached.code, reached.error["field"]) == (2, "trigger")


def next_day(at: Terminal) -> None:
    """Let the home's exchange close while nobody is there."""
    calendar = load_calendar()
    exchange = PaperExchange(at.home / "paper.db", SystemClock(), calendar)
    day = exchange.market_clock.trading_day
    exchange.jump(calendar.session_close(day))
    assert exchange.market_clock.trading_day > day
    exchange.close()


def test_reconcile_on_the_next_day_ends_the_orders_of_the_day_before(demo: Terminal) -> None:
    before = demo.done("funds", "--client", "AM1042")
    lowest = demo.done("detail", "INFY")["lower_circuit_paise"] // 100
    number = demo.order("AM1042", "buy", "INFY", "2", "--limit", str(lowest + 1))["order_id"]
    assert demo.done("funds", "--client", "AM1042") != before
    next_day(demo)

    assert demo.done("reconcile", "AM1042")["breaks"] == []

    (ended,) = demo.done("audit", "show", "--action", "ORDER_EXPIRED")
    assert (ended["order_id"], ended["details"]["filled_quantity"]) == (number, 0)
    assert demo.done("funds", "--client", "AM1042") == before
    assert demo.done("orders", "--live") == []
    assert demo.done("doctor")["ok"]


def test_reconcile_finds_what_differs_and_takes_it_over_with_a_reason(demo: Terminal) -> None:
    agreed = demo.done("reconcile")
    assert agreed["breaks"] == []
    assert sum(row["compared"] for row in agreed["clients"]) == 47

    _trade_by_phone(demo, "AM1042")
    printed = demo.run("reconcile", "AM1042", "PS1015", "--json")
    assert printed.code == 8
    found = {row["kind"]: row for row in printed.document["breaks"]}
    assert {row["code"] for row in found.values()} == {"AM1042"}
    assert (found["shares"]["ours_quantity"], found["shares"]["theirs_quantity"]) == (0, 2)
    assert found["cash"]["ours_paise"] > found["cash"]["theirs_paise"]
    assert demo.run("reconcile", "AM1042", "--adopt", "--json").error["field"] == "reason"
    assert demo.run("reconcile", "--adopt", "--reason", "x", "--json").error["field"] == "client"

    taken = demo.done("reconcile", "AM1042", "--adopt", "--reason", "the client traded by phone")
    assert {row["kind"] for row in taken["adopted"]} == {"cash", "shares"}
    assert demo.done("reconcile", "AM1042")["breaks"] == []
    assert demo.done("doctor")["ok"]


def test_of_several_clients_one_that_cannot_be_taken_over_leaves_the_others(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(self: PaperBroker, *given: Any) -> Ambiguous:
        return Ambiguous("connection reset")

    with monkeypatch.context() as broken:
        broken.setattr(PaperBroker, "place", lost)
        demo.run("order", "RG1008", "buy", "TCS", "1", "--limit", "2300", "--yes", "--wait", "1")
    for code in ("AM1042", "PS1015"):
        _trade_by_phone(demo, code)
    named = ("reconcile", "AM1042", "RG1008", "PS1015", "--adopt", "--reason", "sold out")
    printed = demo.run(*named, "--json")
    assert printed.code == 4
    assert [row["code"] for row in printed.document["clients"]] == ["AM1042", "PS1015"]
    (missed,) = printed.document["missed"]
    assert missed.startswith("RG1008: its books cannot be read, or its orders are still moving")
    assert demo.done("reconcile", "AM1042", "PS1015")["breaks"] == []


def test_an_order_in_doubt_is_told_with_its_evidence(demo: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(self: PaperBroker, *given: Any) -> Ambiguous:
        return Ambiguous("connection reset")

    monkeypatch.setattr(PaperBroker, "place", lost)
    sent = demo.run("order", "AM1042", "buy", "TCS", "1", "--limit", "2300", "--yes", "--wait", "1", "--json")
    assert sent.code == 5
    number = sent.document["run"]["orders"][0]["order_id"]

    told = demo.run("unknown", "--json")
    assert told.code == 5
    (row,) = told.document
    assert (row["order"]["order_id"], row["why"], row["raised"]) == (number, "connection reset", False)
    early = demo.run("unknown", "absent", str(number), "--reason", "x", "--json")
    assert (early.code, early.error["field"]) == (2, "order")
    assert "not been raised" in early.error["expected"]


def _trade_by_phone(demo: Terminal, code: str) -> None:
    """Buy 2 INFY at the home's paper exchange without the desk."""
    from brokers.contract import Accepted, OrderRequest
    from brokers.simulators.exchange.exchange import PaperExchange
    from data.clock import SystemClock
    from data.reference.phases import load_calendar
    from data.vocabulary import OrderType, Policy, Product, Side

    exchange = PaperExchange(demo.home / "paper.db", SystemClock(), load_calendar(), policy=Policy.WORST)
    request = OrderRequest("NSE", "INFY", Side.BUY, 2, Product.CNC, OrderType.MARKET, "", protection_bps=200)
    assert isinstance(exchange.place(code, request), Accepted)
    exchange.close()
