"""The command line beside other processes, over damaged books, and with text from outside."""

import ast
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cli_desk import Terminal

from brokers.contract import BrokerAccount, BrokerError, BrokerOrder, BrokerRows
from brokers.paper.broker import PaperBroker
from data.engines import sqlite
from data.vocabulary import OrderState
from data.writing import writer
from data.writing.locks import HeldLock
from engine.halt.certificate import LATER
from engine.rules import Waits
from tradedesk.cli.exits import Exit, explain
from tradedesk.cli.frozen import end_frozen_writer, lock_holder
from tradedesk.cli.printing import output
from tradedesk.cli.sending import run_exit
from tradedesk.compose import wiring

ROOT = Path(__file__).resolve().parents[2]

FREEZE = """
import os, sqlite3, sys
from data.writing.locks import process_start
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] != "stranger":
    sqlite3.connect(sys.argv[2], isolation_level=None).execute(
        "INSERT INTO instance (id, kind, pid, process_started, heartbeat_at, started_at) "
        "VALUES (900, 'app', ?, ?, '2026-11-18 03:45:00', '2026-11-18 03:45:00')",
        (os.getpid(), process_start(os.getpid())),
    )
connection.execute("BEGIN IMMEDIATE")
print("frozen", flush=True)
sys.stdin.read()
"""


def frozen_process(database: Path, signed_on: Path | None) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", FREEZE, str(database), str(signed_on or "stranger")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"frozen\n"
    return child


@pytest.mark.in_file
def test_a_command_that_meets_a_locked_database_reserves_nothing_and_says_why(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = demo.done("plan", "buy", "TCS", "--quantity", "1", "--clients", "AM1042")["plan"]
    funds = demo.done("funds")
    monkeypatch.setattr(writer, "LOCK_WAIT_S", 0.05)
    with sqlite3.connect(demo.home / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        for args in (
            ("order", "AM1042", "buy", "TCS", "1", "--yes"),
            ("bulk", "buy", "TCS", "--quantity", "1", "--yes"),
            ("bulk", "--confirm", plan["digest"], "--yes"),
        ):
            printed = demo.run(*args, "--json")
            assert (printed.code, printed.error["code"]) == (7, 7), args
            assert "another process has held the database" in printed.error["message"]
        other.execute("ROLLBACK")
    assert (demo.done("orders"), demo.done("funds")) == ([], funds)


@pytest.mark.in_file
def test_a_command_whose_opening_met_a_lock_sends_once_that_is_gone(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = demo.done("plan", "buy", "TCS", "--quantity", "1", "--clients", "AM1042")["plan"]
    monkeypatch.setattr(writer, "LOCK_WAIT_S", 0.05)
    said: list[str] = []
    with sqlite3.connect(demo.home / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        def say(words: str) -> None:
            said.append(words)
            other.execute("ROLLBACK")

        monkeypatch.setattr("tradedesk.cli.session.say", say)
        (order,) = demo.done("bulk", "--confirm", plan["digest"], "--yes")["run"]["orders"]
    assert "cancels still go out" in said[0]
    assert order["state"] == "FILLED", "what is reserved is sent"


@pytest.mark.in_file
@pytest.mark.parametrize("held", ["desk.db", "paper.db"])
def test_cancel_all_ends_a_frozen_desk_and_cancels_its_orders(demo: Terminal, held: str) -> None:
    order = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    with frozen_process(demo.home / held, demo.home / "desk.db") as child:
        assert lock_holder(demo.home / held) == child.pid
        try:
            made = demo.done("cancel-all", "--yes")
        finally:
            child.kill()
        assert child.wait() == -signal.SIGKILL

    assert [o["order_id"] for o in made["orders"]] == [order["order_id"]]
    assert (made["cancelled"], made["ended"]) == (1, True)


def test_a_stranger_that_holds_the_database_is_left_alone(demo: Terminal) -> None:
    with frozen_process(demo.home / "desk.db", None) as child:
        try:
            assert not end_frozen_writer(demo.home / "desk.db", demo.home / "desk.db")
            assert child.poll() is None
        finally:
            child.kill()


@pytest.mark.in_file
def test_cancel_all_beside_a_locked_database_prints_its_certificate_and_the_next_command_books_it(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    monkeypatch.setattr(writer, "LOCK_WAIT_S", 0.05)
    with frozen_process(demo.home / "desk.db", None) as child:
        try:
            made = demo.run("cancel-all", "--yes", "--json")
            told = demo.run("cancel-all", "--yes")
        finally:
            child.kill()
    assert (made.code, made.document["error"]["code"]) == (7, 7)
    assert "another process has held the database" in made.document["error"]["message"]
    assert [(o["order_id"], o["result"]) for o in made.document["orders"]] == [
        (order["order_id"], "cancelled")
    ]
    assert (made.document["cancelled"], made.document["ended"]) == (1, True)
    assert "the books did not take this as it was made" in told.out
    assert len(list((demo.home / "certificates").glob("unbooked-*.json"))) == 2

    (known,) = demo.done("orders")
    assert known["state"] == "CANCELLED", "what the cancels came to is read as the books take the halts"
    kept = demo.done("certificate", "1")
    assert (kept["cancelled"], kept["ended"], bool(kept["unbooked"])) == (1, True, True)
    assert sorted(path.name for path in (demo.home / "certificates").iterdir()) == [
        "halt-1.json",
        "halt-2.json",
    ]
    assert demo.run("resume", "1", "--yes").code == demo.run("resume", "2", "--yes").code == 0
    assert not (demo.home / "HALT").exists()


@pytest.mark.in_file
def test_a_cancel_all_that_neither_books_nor_a_file_take_says_so_on_both_its_streams(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    (demo.home / "certificates").write_text("no folder")
    monkeypatch.setattr(writer, "LOCK_WAIT_S", 0.05)
    with frozen_process(demo.home / "desk.db", None) as child:
        try:
            told = demo.run("cancel-all", "--yes")
        finally:
            child.kill()
    assert told.code == 7
    assert "could not be kept in a file either" in told.err
    assert "no file holds it either" in told.out
    assert "holds it until they do" not in told.out


@pytest.mark.in_file
def test_the_doctor_reads_books_whose_version_stamp_is_wrong_and_cancel_all_works(demo: Terminal) -> None:
    order = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    with closing(sqlite3.connect(demo.home / "desk.db")) as file:
        file.execute("UPDATE alembic_version SET version_num = '0009'")
        file.commit()
    refused = demo.run("orders", "--json")
    assert (refused.code, refused.error["code"]) == (7, 7)
    assert "its version stamp says 0009, but its tables are those of version" in refused.error["message"]
    looked = demo.run("doctor", "--json")
    checks = {check["name"]: check for check in looked.document["checks"]}
    assert (looked.code, looked.document["ok"]) == (8, False)
    assert "its version stamp says 0009" in checks["opening"]["detail"]
    assert [name for name, check in checks.items() if not check["ok"]] == ["opening"]
    made = demo.done("cancel-all", "--yes")
    assert [o["order_id"] for o in made["orders"]] == [order["order_id"]]
    assert (made["cancelled"], made["ended"]) == (1, True)


@pytest.mark.in_file
def test_what_a_certificate_of_an_earlier_version_does_not_know_is_said_as_not_known(demo: Terminal) -> None:
    demo.done("cancel-all", "--yes")
    with closing(sqlite3.connect(demo.home / "desk.db")) as file:
        (text,) = file.execute("SELECT body FROM halt_certificate").fetchone()
        body = {name: value for name, value in json.loads(text).items() if name not in LATER}
        del body["not_known"], body["unbooked"]
        file.execute(
            "INSERT INTO halt_certificate (halt_number, version, made_at, ended, body) "
            "SELECT halt_number, 2, made_at, ended, ? FROM halt_certificate",
            (json.dumps(body),),
        )
        file.commit()
    told = demo.run("certificate", "1").out
    assert "read back: who was read is not known" in told
    assert "0 of 0" not in told
    assert "NOT KNOWN, an earlier version made it: who was read, " in told
    assert "orders passed over, GTTs and alerts" in told
    shape = demo.done("certificate", "1")
    assert [shape[name] for name in ("read", "unread", "passed_over", "conditionals")] == [None] * 4
    assert (shape["cancelled"], shape["ended"]) == (0, True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("config.toml", "polcy = 'exact'\n", "did you mean policy?"),
        ("calendar.toml", "year = [[\n", "the file must be TOML"),
    ],
)
def test_cancel_all_goes_on_with_a_broken_configuration(
    demo: Terminal, name: str, text: str, told: str
) -> None:
    (demo.home / name).write_text(text)

    refused = demo.run("clients", "--json")
    made = demo.run("cancel-all", "--yes", "--json")

    assert refused.code == 2
    assert told in refused.error["message"]
    assert made.code == 0
    assert made.document["ended"] is True
    assert told in made.err


@pytest.mark.in_file
def test_a_client_at_a_connection_that_cancel_all_leaves_out_counts_as_unreachable(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = {code: demo.order(code, "buy", "INFY", "2", "--limit", "1400") for code in ("AM1042", "ZM1048")}
    with closing(sqlite3.connect(demo.home / "desk.db")) as file:
        file.execute("INSERT INTO connection VALUES ('later', 'sim', 'later', 'http://127.0.0.1:9', '')")
        file.execute("UPDATE client SET connection = 'later' WHERE code = 'ZM1048'")
        file.commit()
    assert demo.run("orders", "--json").code == Exit.STORE
    monkeypatch.setattr(wiring, "Waits", lambda: Waits(halt_deadline_s=1.0))
    printed = demo.run("cancel-all", "--yes", "--json")
    made = printed.document
    assert printed.code == Exit.PARTLY
    assert "what is live at a broker of an unknown word cannot be cancelled" in printed.err
    assert (made["ended"], made["unreachable"], made["cancelled"]) == (False, 1, 1)
    (one,) = made["unread"]
    assert (one["code"], one["why"]) == ("ZM1048", "nothing here reaches the client's broker")
    results = {order["order_id"]: order["result"] for order in made["orders"]}
    assert results == {orders["AM1042"]["order_id"]: "cancelled", orders["ZM1048"]["order_id"]: "tried"}
    assert "NOT READ ZM1048" in demo.run("cancel-all", "--yes").out


@pytest.mark.in_file
@pytest.mark.parametrize("command", ["cancel-all", "cancel"])
def test_a_full_disk_does_not_keep_the_command_line_from_cancelling(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    run = demo.done("bulk", "buy", "INFY", "--quantity", "1", "--limit", "1400", "--yes")["run"]
    fill(demo.home / "desk.db")
    connected = sqlite.writer_connected

    def full(connection: Any, record: object) -> None:
        connected(connection, record)
        connection.execute(f"PRAGMA max_page_count = {pages(connection)}")

    monkeypatch.setattr(sqlite, "writer_connected", full)
    which = () if command == "cancel-all" else ("--run", str(run["number"]))
    printed = demo.run(command, *which, "--yes", "--json")

    total = len(run["orders"])
    assert total > 30
    assert printed.code == 7
    assert f"free some space; the brokers took {total} cancels all the same" in printed.error["message"]
    assert (demo.home / "HALT").exists() == (command == "cancel-all")
    with sqlite3.connect(demo.home / "paper.db") as exchange:
        assert exchange.execute("SELECT status, count(*) FROM orders GROUP BY 1").fetchall() == [
            ("cancelled", total)
        ]
    exchange.close()


def pages(connection: Any) -> int:
    return connection.execute("PRAGMA page_count").fetchone()[0]


def fill(database: Path) -> None:
    """Use up what room the pages have for another sign-on."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(f"PRAGMA max_page_count = {pages(connection)}")
    row = "INSERT INTO instance VALUES (?, 'cli', 1, '', '2026-11-18', '2026-11-18', '2026-11-18')"
    with suppress(sqlite3.OperationalError):
        for number in range(1000, 9000):
            connection.execute(row, (number,))
    connection.close()


def test_a_halt_file_without_a_halt_is_ended_by_resume(demo: Terminal) -> None:
    (demo.home / "HALT").write_text("halted 2026-11-18T09:20:00+05:30 by night desk\n")
    assert demo.run("order", "AM1042", "buy", "INFY", "1", "--yes").code == 6

    assert demo.done("resume", "--yes") == {"resumed": 1, "standing": []}

    assert not (demo.home / "HALT").exists()
    (fired,) = demo.done("audit", "show", "--action", "halt_fired")
    assert fired["actor"] == "night desk"
    assert demo.run("resume", "--yes").code == 2
    demo.order("AM1042", "buy", "INFY", "1")


def test_a_second_app_is_told_apart_and_the_command_line_may_join(demo: Terminal) -> None:
    lock = HeldLock(demo.home / "locks" / "app.lock")
    assert lock.take()
    try:
        assert len(demo.done("clients")) == 50
        second = subprocess.run(
            [
                sys.executable,
                "-c",
                "import pty, sys, os; "
                "sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, '-m', 'tradedesk.cli'])))",
            ],
            env=demo.environment,
            cwd=ROOT,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    finally:
        lock.free()

    assert second.returncode == 7
    assert b"another tradedesk app (process " in second.stdout


def test_the_screen_needs_a_terminal(demo: Terminal) -> None:
    for args in ((), ("demo",)):
        printed = demo.run(*args)
        assert printed.code == 2
        assert "needs a terminal" in printed.err


@pytest.mark.in_file
def test_the_doctor_finds_a_balance_that_does_not_follow(demo: Terminal) -> None:
    assert demo.done("doctor")["ok"] is True
    with sqlite3.connect(demo.home / "desk.db") as connection:
        connection.execute("UPDATE funds SET available_paise = available_paise + 1 WHERE client_id = 42")
    connection.close()

    printed = demo.run("doctor", "--json")

    assert printed.code == 8
    assert printed.document["ok"] is False
    assert [check["name"] for check in printed.document["checks"] if not check["ok"]] == ["balances"]


@pytest.mark.in_file
def test_the_audit_names_the_row_that_was_changed_and_a_head_that_is_not_its_own(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "1")
    good = demo.done("audit", "verify")
    assert demo.done("audit", "verify", "--head", good["head"])["ok"] is True
    assert demo.run("audit", "verify", "--head", "a" * 64).code == 8
    (row,) = demo.done("audit", "show", "--action", "run_started")
    with sqlite3.connect(demo.home / "desk.db") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = ?", (row["seq"],))
    connection.close()

    printed = demo.run("audit", "verify", "--json")

    assert printed.code == 8
    assert (printed.document["ok"], printed.document["bad_seq"]) == (False, row["seq"])


def test_a_paused_client_is_skipped_with_its_reason(demo: Terminal) -> None:
    changed = demo.done("clients", "set", "AM1042", "--status", "inactive", "--reason", "on [red]vacation")
    assert (changed["status"], changed["reason"]) == ("inactive", "client_inactive")

    printed = demo.run("order", "AM1042", "buy", "TCS", "1", "--yes")

    assert printed.code == 3
    assert "client inactive" in printed.out
    assert "(on [red]vacation)" in printed.out


def test_the_watchlist_takes_and_gives_symbols_and_shows_their_age(demo: Terminal) -> None:
    added = demo.done("watch", "--add", "WIPRO")
    assert added[-1]["symbol"] == "WIPRO"
    assert all(row["ltp_paise"] > 0 and row["age_s"] is not None for row in added)
    assert {"change_paise", "change_bps", "high_paise", "low_paise", "volume"} <= added[0].keys()

    removed = demo.done("watch", "--remove", "WIPRO")
    assert [row["symbol"] for row in removed] == [row["symbol"] for row in added[:-1]]
    assert [row["symbol"] for row in demo.done("watch", "infy", "nse:tcs")] == ["INFY", "TCS"]


def test_outside_text_is_shown_as_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "\x1b[31mred\x1b[0m [bold]not\u202e markup[/bold] 1\u00852"
    output.table(("who", ">n"), [(nasty, "1")])
    output.line(nasty)
    output.say(nasty)
    output.document({"text": nasty})
    printed = capsys.readouterr()

    for character in "\x1b\u202e\u0085":
        assert character not in printed.out + printed.err
    assert printed.out.count("[bold]not markup[/bold] 12") == 3
    assert printed.err == "[31mred[0m [bold]not markup[/bold] 12\n"


@pytest.mark.parametrize(
    ("states", "settled", "code"),
    [
        ([(OrderState.FILLED, 10)], True, Exit.DONE),
        ([(OrderState.FILLED, 10), (OrderState.OPEN, 0)], True, Exit.DONE),
        ([(OrderState.FILLED, 10), (OrderState.OPEN, 0)], False, Exit.PARTLY),
        ([(OrderState.OPEN, 4)], True, Exit.PARTLY),
        ([(OrderState.FILLED, 10), (OrderState.REJECTED, 0)], True, Exit.PARTLY),
        ([(OrderState.DENIED, 0)], True, Exit.PARTLY),
        ([(OrderState.NOT_RECEIVED, 0)], True, Exit.PARTLY),
        ([(OrderState.REJECTED, 0), (OrderState.UNKNOWN, 0), (OrderState.FILLED, 10)], True, Exit.UNKNOWN),
    ],
)
def test_the_exit_code_of_a_run_is_that_of_its_worst_order(
    states: list[tuple[OrderState, int]], settled: bool, code: Exit
) -> None:
    orders: Any = [SimpleNamespace(state=state, filled_quantity=filled) for state, filled in states]

    assert run_exit(cast(Any, SimpleNamespace(settled=settled)), orders) is code


def test_what_stops_a_command_has_its_exit_code() -> None:
    from data.errors import StoreBusy
    from data.store import StoreUnwritable
    from engine.refusals import Halted, PlanDrifted, TradingStopped

    told = {
        PlanDrifted(3, "TCS", 81): (Exit.NOTHING_SENT, "plan_drifted"),
        Halted(4, "tester"): (Exit.HALTED, "halted"),
        TradingStopped("stopped"): (Exit.STORE, "trading_stopped"),
        StoreBusy("locked"): (Exit.STORE, "store_unusable"),
        StoreUnwritable("database or disk is full"): (Exit.STORE, "store_unusable"),
        OSError(28, "No space left on device"): (Exit.STORE, "store_unusable"),
        sqlite3.OperationalError("attempt to write a readonly database"): (Exit.STORE, "store_unusable"),
        KeyError("x"): (Exit.INTERNAL, "internal"),
    }
    for problem, (code, reason) in told.items():
        found = explain(problem)
        assert (found.exit, found.reason) == (code, reason)
        assert str(problem.args[-1]) in found.message


def test_help_is_there_before_anything_heavy_is_imported() -> None:
    code = "import sys, tradedesk.cli.main; print(sorted(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, timeout=60
    )

    modules = ast.literal_eval(shown.stdout.decode())
    loaded = {name.partition(".")[0] for name in modules}
    assert {"typer", "tradedesk"} <= loaded
    assert not loaded & {"sqlalchemy", "sqlmodel", "textual", "kiteconnect", "pydantic", "brokers"}
    engine = [name for name in modules if name.startswith("engine.")]
    worded = {  # data that has its words there
        "engine.book",
        "engine.book.access_views",
        "engine.book.break_views",
        "engine.alert_figures",
        "engine.between",
        "engine.between.line",
        "engine.accounts",
        "engine.accounts.held",
        "engine.accounts.sectors",
        "engine.book.gate_views",
        "engine.book.pause",
        "engine.book.watched",
        "engine.book.watched.alert_views",
        "engine.book.watched.guard_views",
        "engine.close",
        "engine.close.refused",
        "engine.colon",
        "engine.colon.alert_rules",
        "engine.guards",
        "engine.guards.news",
        "engine.leasing",
        "engine.leasing.views",
        "engine.market_news",
        "engine.planning.limits",
        "engine.planning.limits.slips",
        "engine.planning.limits.broker_why",
        "engine.planning.limits.why",
        "engine.quiet",
        "engine.book.not_trading",
        "engine.book.roster",
        "engine.book.views",
        "engine.execution",
        "engine.execution.changes",
        "engine.execution.changes.chase_news",
        "engine.execution.views",
        "engine.news",
        "engine.planning",
        "engine.planning.intent",
        "engine.planning.why",
        "engine.refusals",
        "engine.rules",
    }
    assert {name for name in engine if not name.startswith("engine.words")} <= worded


def test_the_manual_names_every_command_and_exit_code() -> None:
    from typer.main import get_command

    from tradedesk.cli.main import app

    manual = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    root: Any = get_command(app)
    for name, command in root.commands.items():
        for path in [name, *(f"{name} {inner}" for inner in getattr(command, "commands", {}))]:
            assert f"`{path}" in manual, path
    for code in Exit:
        assert f"| {int(code)} |" in manual, code


def test_cancel_all_names_who_could_not_be_read_and_ends_with_4(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = PaperBroker.orders

    async def orders(broker: PaperBroker, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        if account.user_id == "AM1042":
            raise BrokerError("HTTP 502 Bad Gateway")
        return await read(broker, account)

    monkeypatch.setattr(PaperBroker, "orders", orders)
    monkeypatch.setattr(wiring, "Waits", lambda: Waits(halt_deadline_s=1.0))
    printed = demo.run("cancel-all", "--yes", "--json")
    assert printed.code == Exit.PARTLY
    made = printed.document
    (one,) = made["unread"]
    assert (made["ended"], one["code"], one["why"]) == (False, "AM1042", "HTTP 502 Bad Gateway")
    assert any("WhatsApp" in path for path in one["emergency"])
    assert made["not_signed_in"]
    told = demo.run("certificate").out
    assert "NOT ended" in told
    assert "NOT READ AM1042 Aarav Mehta: HTTP 502 Bad Gateway" in told
    assert "to cancel there all the same: WhatsApp" in told
    assert "not signed in at the halt" in told
