"""Runs on the command line: what a dead program left or what paused goes on or ends by the trader's word."""

import asyncio
import signal
import subprocess
import sys

import pytest
from cli_desk import Terminal

import tradedesk.compose.wiring
from data.records import replace
from data.reference.phases import load_calendar
from engine.desk import Desk
from tests.desks import on_its_books
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import load_settings

DIES = """
import asyncio, os, signal
from data.vocabulary import Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

async def main():
    async with compose_desk(kind="app") as desk:
        seam(desk).workers.dispatcher.submit = lambda ids: None  # dies before the first claim
        sizing = Sizing(SizingKind.FIXED_QUANTITY, 1)
        plan = await desk.plans.freeze(Intent(Side.BUY, "NSE:TCS", sizing, selection=Selection((42, 48))))
        await desk.runs.start(plan, plan.digest)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def left_unsent(demo: Terminal) -> None:
    """A program that has reserved two orders and died before it sent one."""
    died = subprocess.run([sys.executable, "-c", DIES], env=demo.environment, check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL


def test_a_run_whose_program_died_is_paused_and_goes_on_by_its_number_alone(demo: Terminal) -> None:
    left_unsent(demo)
    (run,) = demo.done("runs")
    assert (run["status"], run["pause_reason"], run["counts"]["unsent"]) == ("paused", "engine_died", 2)
    assert run["unsent_blocked_paise"] > 0
    assert "its program ended" in demo.run("runs").out
    assert len(demo.done("orders", "--needs-me")) == 2

    shown = demo.run("run", "1", "resume")
    assert (shown.code, "2 orders are unsent" in shown.err, "--send 2" in shown.err) == (3, True, True)
    assert demo.run("run", "1", "resume", "--yes").code == 2
    other = demo.run("run", "1", "resume", "--send", "3", "--json")
    assert (other.code, other.error["reason"]) == (3, "cannot_go_on")
    assert "2 orders of run 1 are unsent now, not 3" in other.error["message"]
    assert demo.done("runs")[0]["counts"]["unsent"] == 2, "nothing has left"

    sent = demo.done("run", "1", "resume", "--send", "2")["run"]
    assert (sent["status"], sent["counts"]["filled"]) == ("finished", 2)
    assert demo.done("doctor")["ok"]


@pytest.mark.proof
def test_what_a_dead_program_left_is_freed_by_stop(demo: Terminal) -> None:
    left_unsent(demo)
    blocked = sum(row["blocked_paise"] for row in demo.done("funds"))
    assert "2 unsent are freed" in demo.run("run", "1", "stop").err
    assert sum(row["blocked_paise"] for row in demo.done("funds")) == blocked
    stopped = demo.done("run", "1", "stop", "--yes")
    assert (stopped["counts"]["cancelled"], stopped["counts"]["unsent"]) == (2, 0)
    assert sum(row["blocked_paise"] for row in demo.done("funds")) < blocked
    assert demo.run("run", "9").code == 2


def test_one_wrong_run_is_cancelled_without_a_halt_and_tells_of_each_order(demo: Terminal) -> None:
    available = {row["code"]: row["available_paise"] for row in demo.done("funds")}
    bulk = ("bulk", "buy", "INFY", "--quantity", "2", "--limit", "1400", "--clients", "AM1042,RG1008")
    demo.done(*bulk, "--yes")
    other = demo.order("AP1022", "buy", "INFY", "1", "--limit", "1400")
    kept = demo.run("run", "1", "cancel")
    assert (kept.code, "0 unsent are freed, 2 live are cancelled, of 2 clients" in kept.err) == (3, True)
    assert "--live" not in kept.err
    assert demo.run("run", "1", "cancel", "--live", "--yes").code == 2

    told = demo.done("run", "1", "cancel", "--yes")
    assert (told["cancelled"], told["failed"], told["status"]) == (2, 0, "stopped")
    assert [(row["result"], row["why"], row["released_paise"] > 2_800_00) for row in told["orders"]] == [
        ("cancelled", "", True)
    ] * 2
    assert told["released_paise"] == sum(row["released_paise"] for row in told["orders"])
    assert {row["code"]: row["available_paise"] for row in told["clients"]} == {
        code: available[code] for code in ("AM1042", "RG1008")
    }
    assert [row["order_id"] for row in demo.done("orders", "--live")] == [other["order_id"]]
    assert demo.order("RG1008", "buy", "TCS", "1")["state"] == "FILLED", "nothing is halted"
    again = demo.run("run", "1", "cancel", "--yes", "--json")
    assert (again.code, again.document["orders"]) == (3, [])
    assert demo.done("doctor")["ok"]


@pytest.mark.proof
def test_what_a_dead_program_left_unsent_is_cancelled_with_its_run(demo: Terminal) -> None:
    left_unsent(demo)
    told = demo.done("run", "1", "cancel", "--yes")
    assert (told["cancelled"], {row["state"] for row in told["orders"]}) == (2, {"CANCELLED"})
    assert all(row["released_paise"] > 0 for row in told["clients"])


def test_a_command_whose_run_pauses_ends_and_says_what_stays_blocked(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules_of = tradedesk.compose.wiring.rules_of
    monkeypatch.setattr(
        tradedesk.compose.wiring,
        "rules_of",
        lambda settings: replace(rules_of(settings), send_at_least_s=0.0, send_at_most_s=0.0),
    )
    printed = demo.run("bulk", "buy", "TCS", "--quantity", "1", "--clients", "42,48", "--yes")
    assert printed.code == 4
    assert "run 1 is PAUSED" in printed.err
    assert "2 orders unsent, which keep ₹" in printed.err
    assert "`tradedesk run 1 resume --send 2`" in printed.err
    assert [order["state"] for order in demo.done("orders")] == ["RESERVED"] * 2


def next_day(demo: Terminal) -> None:
    """The market's next trading day has begun."""

    async def moved() -> None:
        settings = on_its_books(load_settings(demo.home), demo.home)
        async with tradedesk.compose.wiring.compose_desk(demo.home, settings=settings) as desk:
            assert isinstance(desk, Desk)
            exchange_of(desk).jump(load_calendar().session_close(desk.market_clock.trading_day))

    asyncio.run(moved())


def test_runs_are_those_of_the_trading_day_and_of_other_days_by_their_date(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "1")
    demo.order("AM1042", "buy", "INFY", "1", "--limit", "1400")
    assert [(run["number"], run["trading_date"]) for run in demo.done("runs")] == [
        (2, "2026-11-18"),
        (1, "2026-11-18"),
    ]
    next_day(demo)
    demo.order("AM1042", "buy", "SBIN", "1")

    assert [(run["number"], run["trading_date"]) for run in demo.done("runs")] == [(3, "2026-11-19")]
    before = demo.done("runs", "--day", "2026-11-18")
    assert [(run["number"], run["counts"]["filled"]) for run in before] == [(2, 0), (1, 1)]
    dated = demo.run("runs", "--day", "2026-11-18").out.splitlines()[1:]
    assert all(line.startswith("of 18 Nov  ") for line in dated), dated
    assert demo.done("runs", "--day", "2026-11-16") == []
    assert "no run of 16 Nov 2026" in demo.run("runs", "--day", "2026-11-16").err
    wrong = demo.run("runs", "--day", "18.11.2026", "--json")
    assert (wrong.code, wrong.error["field"], wrong.error["value"]) == (2, "day", "18.11.2026")


def test_what_the_broker_has_told_is_not_told_as_done_by_the_trader(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "1")
    who = {row["action"]: row["actor"] for row in demo.done("audit", "show")}
    assert {who[action] for action in ("RUN_STARTED", "ORDER_RESERVED", "ORDER_SENDING")} == {"tester"}
    assert {who[action] for action in ("ORDER_ACCEPTED", "FILL_APPLIED", "ORDER_FILLED")} == {"broker"}
