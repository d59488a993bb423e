"""Baskets on the command line: several legs in one plan, legs and orders from files, and what is refused."""

import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from cli_desk import Terminal
from open_app import Beside, open_app

BASKET = ("basket", "buy", "RELIANCE:15%", "TCS:20%", "INFY:25%")
SOUND = "AM1042,MI1001,VS1004"


DIES = """
import asyncio, os, signal
from tests.desks import Wire
from tradedesk.cli.arguments import selection_from
from engine.planning.entry.leg_words import intent_of, legs_from_words
from tradedesk.compose.wiring import compose_desk

async def main():
    async with compose_desk(kind="app") as desk:
        wire, placed = Wire(desk), 0

        async def place(account, request):
            nonlocal placed
            answer = await wire.broker.place(account, request)
            placed += 1
            if placed == 20:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        wire.on_place = place
        legs = legs_from_words(["buy", "RELIANCE:15%", "TCS:20%", "INFY:25%"], desk.market.index)
        plan = await desk.plans.freeze(intent_of(legs))
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 60)

asyncio.run(main())
"""


def lines_of(plan, leg: int) -> list[dict]:
    return plan["lines"] if leg == 1 else plan["legs"][leg - 1]["lines"]


def write(path: Path, *rows: str) -> str:
    path.write_text("\n".join(rows) + "\n")
    return str(path)


def test_three_legs_are_within_each_clients_cash_one_plan_one_answer_one_run(demo: Terminal) -> None:
    cash = {row["client_id"]: row["available_paise"] for row in demo.done("funds")}
    shown = demo.run(*BASKET, "--clients", "all")
    assert shown.code == 3
    assert "all legs of a client or none" in shown.out
    assert "PS1015" in shown.out
    assert "affordable 5 RELIANCE, 6 TCS, 14 INFY" in shown.out
    assert "135 orders for 45 of 50 clients" in shown.err

    done = demo.done(*BASKET, "--clients", "all", "--yes")
    plan, run = done["plan"], done["run"]
    assert (plan["answer"], plan["per_client"], len(plan["legs"])) == ("buy 135", "all", 3)
    needs = Counter[int]()
    for leg in (1, 2, 3):
        for line in lines_of(plan, leg):
            if line["verdict"] == "ok":
                needs[line["client_id"]] += line["reserve_paise"]
    assert len(needs) == 45
    assert all(needs[client] <= cash[client] for client in needs)
    assert [(leg["symbol"], leg["counts"]["filled"], leg["counts"]["total"]) for leg in run["legs"]] == [
        ("RELIANCE", 45, 45),
        ("TCS", 45, 45),
        ("INFY", 45, 45),
    ]
    assert run["counts"]["filled"] == 135
    told = demo.run("run", str(run["number"])).out
    assert "filled 135/135 in all · RELIANCE 45/45 · TCS 45/45 · INFY 45/45" in told
    assert demo.done("doctor")["ok"]


def test_who_is_short_gets_all_legs_smaller_in_the_same_measure_where_that_is_wanted(demo: Terminal) -> None:
    plan = demo.done(*BASKET, "--clients", "PS1015", "--affordable", "--plan")["plan"]
    sizes = [lines_of(plan, leg)[0]["quantity"] for leg in (1, 2, 3)]
    assert sizes == [5, 6, 14]
    assert plan["reserve_paise"] <= lines_of(plan, 1)[0]["available_before_paise"]
    bigger = [f"{symbol}:{size + 1}" for symbol, size in zip(("RELIANCE", "TCS", "INFY"), sizes, strict=True)]
    too_much = demo.run("basket", "buy", *bigger, "--clients", "PS1015", "--plan", "--json")
    assert too_much.code == 3
    assert too_much.document["plan"]["skipped_by_reason"] == {"insufficient_funds": 1, "other_leg": 2}


def test_in_order_the_first_legs_go_while_cash_lasts(demo: Terminal) -> None:
    two = ("basket", "buy", "TCS:10", "INFY:20", "--clients", "PS1015")
    assert demo.run(*two, "--plan").code == 3
    plan = demo.done(*two, "--per-client", "in_order", "--plan")["plan"]
    assert plan["orders"] == 1
    assert lines_of(plan, 2)[0]["reason"] == "insufficient_funds"
    assert "in their order while its cash lasts" in demo.run(*two, "--per-client", "in-order", "--plan").out


def test_a_stored_basket_is_sent_by_its_hash_once(demo: Terminal) -> None:
    plan = demo.done(*BASKET, "--clients", SOUND, "--plan")["plan"]
    sent = demo.done("basket", "--confirm", plan["digest"])
    assert sent["run"]["counts"]["filled"] == 9
    assert demo.run("basket", "--confirm", plan["digest"]).code == 3


def test_legs_of_both_sides_ask_for_send(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "2")
    plan = demo.done("basket", "sell", "TCS:100%", "buy", "INFY:3@1490", "--clients", "AM1042", "--plan")[
        "plan"
    ]
    assert (plan["answer"], [leg["side"] for leg in plan["legs"]]) == ("sell 1 buy 1", ["SELL", "BUY"])
    assert plan["legs"][1]["limit_paise"] == 1490_00


def test_a_file_of_legs_with_bad_rows_names_each_and_plans_nothing(demo: Terminal, tmp_path: Path) -> None:
    file = write(
        tmp_path / "legs.csv",
        "symbol,side,size,product,type,limit",
        "RELIANCE,buy,15%,CNC,MARKET,",
        "TCS,buy,2x,,,",
        "NOPE,sell,10,,,",
        "INFY,buy,10,XYZ,,",
        "ITC,buy,10,,LIMIT,",
        "RELIANCE,buy,3,,,",
        "SBIN,hold,3,,,",
    )
    refused = demo.run("basket", "--file", file, "--json")
    assert (refused.code, refused.error["reason"]) == (2, "bad_file")
    told = [(one["row"], one["field"], one["value"]) for one in refused.error["problems"]]
    assert told == [
        (3, "size", "2x"),
        (4, "symbol", "NOPE"),
        (5, "product", "XYZ"),
        (6, "type", "LIMIT"),
        (7, "symbol", "RELIANCE"),
        (8, "side", "hold"),
    ]
    assert all(one["expected"] for one in refused.error["problems"])
    assert demo.done("plan", "buy", "TCS", "--quantity", "1")["plan"]["number"] == 1


def test_a_file_of_legs_is_a_basket(demo: Terminal, tmp_path: Path) -> None:
    file = write(
        tmp_path / "legs.csv",
        "Symbol,Side,Size,Product,Type,Limit",
        "RELIANCE,BUY,1,CNC,MARKET,",
        'TCS,buy,"₹9,000",,,',
        "INFY,buy,2,MIS,LIMIT,1490.00",
    )
    plan = demo.done("basket", "--file", file, "--clients", SOUND, "--plan")["plan"]
    assert [(leg["key"], leg["product"], leg["order_type"]) for leg in plan["legs"]] == [
        ("NSE:RELIANCE", "CNC", "MARKET"),
        ("NSE:TCS", "CNC", "MARKET"),
        ("NSE:INFY", "MIS", "LIMIT"),
    ]
    assert {line["quantity"] for line in lines_of(plan, 2)} == {3}


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("basket",), "legs"),
        (("basket", "RELIANCE:15%"), "side"),
        (("basket", "buy"), "legs"),
        (("basket", "buy", "RELIANCE"), "leg"),
        (("basket", "buy", "RELIANCE:15%ofmoon"), "size"),
        (("basket", "buy", "RELIANCE:0"), "quantity"),
        (("basket", "buy", "RELIANCE:1", "RELIANCE:2"), "legs"),
        (("basket", "buy", "RELIANCE:1", "--per-client", "some"), "per-client"),
        (("basket", "buy", "RELIANCE:1", "--file", "x.csv"), "legs"),
        (("basket", "--file", "/nowhere/x.csv"), "file"),
        (("basket", "--confirm", "12345678", "buy", "TCS:1"), "legs"),
    ],
)
def test_what_is_no_basket_is_refused_by_name(demo: Terminal, words: tuple[str, ...], field: str) -> None:
    refused = demo.run(*words, "--json")
    assert (refused.code, refused.error["field"]) == (2, field)


def test_a_file_of_orders_is_one_plan_with_each_clients_own(demo: Terminal, tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv",
        "client,symbol,side,quantity,product,type,limit",
        "AM1042,TCS,buy,3,,,",
        "MI1001,TCS,buy,5,,MARKET,",
        "AM1042,INFY,buy,2,,LIMIT,1400",
        "MI1001,INFY,buy,4,,LIMIT,1401",
    )
    shown = demo.run("basket", "--orders", file)
    assert "orders.csv" in shown.out
    done = demo.done("basket", "--orders", file, "--yes", "--wait", "0")
    assert (done["plan"]["answer"], done["plan"]["per_client"]) == ("buy 4", "in_order")
    sent = {
        (one["code"], one["symbol"], one["quantity"], one["limit_paise"]) for one in done["run"]["orders"]
    }
    assert sent == {
        ("AM1042", "TCS", 3, None),
        ("MI1001", "TCS", 5, None),
        ("AM1042", "INFY", 2, 1400_00),
        ("MI1001", "INFY", 4, 1401_00),
    }
    again = demo.run("basket", "--orders", file, "--yes")
    assert again.code == 3, "the same file twice is sent once"


def test_a_file_of_orders_with_a_bad_row_sends_nothing(demo: Terminal, tmp_path: Path) -> None:
    file = write(
        tmp_path / "orders.csv",
        "client,symbol,side,quantity,product,type,price",
        "AM1042,TCS,buy,3,,,",
        "ZZ0000,TCS,buy,3,,,",
        "AM1042,TCS,buy,1,,LIMIT,2400",
        "MI1001,INFY,buy,0,,,",
        "MI1001,SBIN,buy,1,,LIMIT,0.03",
    )
    refused = demo.run("basket", "--orders", file, "--yes", "--json")
    told = [(one["row"], one["field"], one["value"]) for one in refused.error["problems"]]
    assert (refused.code, told) == (
        2,
        [
            (3, "client", "ZZ0000"),
            (4, "symbol", "TCS"),
            (5, "quantity", "0"),
            (6, "price", "0.03"),
        ],
    )
    assert demo.done("orders") == []


def test_a_basket_is_saved_shown_used_replaced_and_removed(demo: Terminal) -> None:
    assert demo.done("baskets") == []
    saved = demo.done("baskets", "save", "Large caps", "buy", "RELIANCE:15%", "TCS:2@2400")
    assert [leg["key"] for leg in saved["legs"]] == ["NSE:RELIANCE", "NSE:TCS"]
    assert demo.done("baskets", "show", "large CAPS") == saved
    assert [one["name"] for one in demo.done("baskets")] == ["Large caps"]
    plan = demo.done("basket", "--saved", "large caps", "--clients", SOUND, "--plan")["plan"]
    assert [(leg["key"], leg["limit_paise"]) for leg in plan["legs"]] == [
        ("NSE:RELIANCE", None),
        ("NSE:TCS", 2400_00),
    ]
    other = ("buy", "INFY:1", "TCS:1", "--per-client", "in-order")
    assert demo.done("baskets", "save", "large caps", *other)["per_client"] == "in_order"
    assert len(demo.done("baskets")) == 1
    assert demo.done("basket", "--saved", "Large caps", "--clients", SOUND, "--plan")["plan"][
        "per_client"
    ] == ("in_order")
    assert demo.run("baskets", "rename", "large caps", "", "--json").error["field"] == "basket"
    assert demo.done("baskets", "rename", "large caps", "Core")["name"] == "Core"
    demo.done("baskets", "remove", "core")
    gone = demo.run("basket", "--saved", "Large caps", "--json")
    assert (gone.code, gone.error["field"]) == (2, "basket")
    told = [row["action"] for row in demo.done("audit", "show", "--limit", "50")]
    assert [told.count(f"BASKET_{done}") for done in ("SAVED", "RENAMED", "REMOVED")] == [2, 1, 1]
    assert demo.done("doctor")["ok"]


@pytest.mark.proof
def test_a_basket_killed_in_mid_run_goes_on_and_no_tag_is_twice_at_the_venue(demo: Terminal) -> None:
    died = subprocess.run([sys.executable, "-c", DIES], env=demo.environment, check=False, timeout=120)
    assert died.returncode == -9
    (run,) = demo.done("runs")
    unsent = run["counts"]["unsent"]
    assert (run["status"], run["pause_reason"]) == ("paused", "engine_died")
    assert 0 < unsent < 135
    sent = demo.done("run", "1", "resume", "--send", str(unsent))["run"]
    assert (sent["counts"]["filled"], sent["counts"]["unknown"]) == (135, 0)
    with closing(sqlite3.connect(demo.home / "paper.db")) as venue:
        tags = Counter(tags for (tags,) in venue.execute("SELECT tags FROM orders"))
    assert len(tags) == 135
    assert set(tags.values()) == {1}
    assert demo.done("doctor")["ok"]


def test_the_open_app_answers_a_basket_and_finds_its_file(
    demo: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDESK_PAPER_LATENCY_MS", "[0, 0]")
    monkeypatch.setenv("TRADEDESK_TRADER", "tester")
    write(tmp_path / "legs.csv", "symbol,side,size", "TCS,buy,1", "INFY,buy,2")
    with open_app(demo.home):
        beside = Beside(demo.home)
        assert beside.done("baskets", "save", "Two", "buy", "TCS:1", "INFY:1")["name"] == "Two"
        monkeypatch.chdir(tmp_path)
        done = beside.done("basket", "--file", "legs.csv", "--clients", SOUND, "--yes")
        assert done["run"]["counts"]["filled"] == 6
        assert beside.own_way == []


def test_a_basket_is_reversed_from_the_command_line(demo: Terminal) -> None:
    demo.done("basket", "buy", "TCS:2", "INFY:3", "--clients", SOUND, "--yes")
    assert demo.run("run", "1", "repair").code == 3
    back = demo.done("run", "1", "reverse", "--yes")
    assert (back["plan"]["answer"], back["run"]["counts"]["filled"]) == ("sell 6", 6)
    assert demo.done("positions") == []
