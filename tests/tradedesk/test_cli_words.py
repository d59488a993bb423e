"""What the command line says to people: counts and reasons, whose clock, what is missing, what is full."""

import errno
import json
import os
import re
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_desk import Terminal
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from data.home import spare_file
from data.store import StoreError
from data.vocabulary import Reason
from engine.words.trading.reasons import words
from tests.books import change_by_hand, rows_of
from tradedesk.cli.exits import Exit, explain
from tradedesk.cli.printing.output import laid_out
from tradedesk.compose import wiring
from tradedesk.compose.spare import LEAST_BYTES, LEFT_BYTES, SPARE_BYTES, spare_bytes


def test_every_reason_has_words_and_any_other_code_loses_its_bars() -> None:
    said = {reason: words(reason) for reason in Reason}

    assert len(set(said.values())) == len(Reason)
    assert not any("_" in text for text in said.values())
    assert words("insufficient_funds") == said[Reason.INSUFFICIENT_FUNDS]
    assert words("cancelled_unsent") == "cancelled unsent"


def test_a_plan_without_orders_says_that_nothing_can_be_sent_and_why(demo: Terminal) -> None:
    printed = demo.run("plan", "sell", "TCS", "--percent", "50")

    assert printed.code == Exit.NOTHING_SENT
    assert "--confirm" not in printed.err
    (line,) = printed.err.splitlines()
    assert line.startswith("nothing can be sent: SELL TCS 50 % of position: 47 not enough shares, ")
    assert "1 session expired" in line
    assert "insufficient_holding" not in printed.out + printed.err
    made = demo.run("plan", "sell", "TCS", "--percent", "50", "--json")
    assert made.code == Exit.NOTHING_SENT
    assert made.document["plan"]["skipped_by_reason"]["insufficient_holding"] == 47


def test_a_sale_speaks_of_shares_and_proceeds_and_not_of_money_to_buy_with(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "2")

    refused = demo.run("order", "AM1042", "sell", "TCS", "5", "--yes")
    assert "short 3 shares, 2 free to sell · can sell 2 shares, all that are free" in refused.out
    assert not any(words in refused.out for words in ("affordable", "LTP, no charges", "base", "reserve"))
    made = demo.run("plan", "sell", "TCS", "--percent", "50", "--clients", "AM1042")
    head, row = (line.split() for line in made.out.splitlines()[2:6:2])
    assert head[:7] == ["code", "client", "prod", "free", "qty", "at", "LTP"]
    assert row[:6] == ["AM1042", "Aarav", "Mehta", "CNC", "2", "1"]
    plan = demo.done("plan", "sell", "TCS", "--percent", "50", "--clients", "AM1042")["plan"]
    assert [line["base_paise"] for line in plan["lines"]] == [0]
    bought = demo.run("plan", "buy", "TCS", "--quantity", "5000", "--clients", "AM1042")
    assert re.search(r"affordable \d+ shares in cash \(\d+ at the last price without charges\)", bought.out)


def test_one_of_a_thing_is_not_said_in_the_plural(demo: Terminal) -> None:
    printed = demo.run("order", "AM1042", "buy", "TCS", "1", "--yes")

    assert printed.code == 0
    assert "BUY TCS 1 share each: 1 order\n" in printed.out
    assert not re.search(r"\b1 (shares|orders|clients)\b", printed.out + printed.err)


def test_a_halt_file_without_a_row_is_marked_on_plans_and_fails_a_check(demo: Terminal) -> None:
    assert demo.run("doctor").code == 0
    (demo.home / "HALT").write_text("halted 2026-11-18T09:20:00+05:30 by night desk\n")

    printed = demo.run("plan", "buy", "TCS", "--quantity", "1")
    assert printed.code == 0
    assert "the desk is HALTED" in printed.out
    assert "but first `tradedesk resume`" in printed.err
    assert demo.done("plan", "buy", "TCS", "--quantity", "2")["plan"]["desk_halted"] is True
    examined = demo.run("doctor", "--json")
    assert examined.code == Exit.NOT_VERIFIED
    (bad,) = [check for check in examined.document["checks"] if not check["ok"]]
    assert bad["name"] == "halts"
    assert "night desk" in bad["detail"]
    assert "`tradedesk resume" in bad["detail"]

    demo.done("resume", "--yes")
    assert demo.run("doctor").code == 0
    assert demo.done("plan", "buy", "TCS", "--quantity", "3")["plan"]["desk_halted"] is False


def test_stamps_say_whose_clock_they_are_and_json_stays_wall_time(demo: Terminal) -> None:
    order = demo.order("AM1042", "buy", "TCS", "1")
    wall = "market time Wed 18 Nov 09:15 (simulated) · stamps below are wall time IST\n"

    for args in (("orders",), ("runs",), ("orders", "show", "1"), ("audit", "show"), ("cancel-all", "--yes")):
        assert demo.run(*args).out.startswith(wall), args
    assert demo.run("certificate").out.startswith(wall)
    assert demo.run("transactions").out.startswith("market time Wed 18 Nov 09:15 (simulated) · closed is")
    assert "traded at (market)" in demo.run("orders", "show", "1").out
    assert not order["created_at"].startswith("2026-11-18T03:4"), "the wall's clock, not the market's"
    assert order["created_at"].endswith("+00:00")


def without(terminal: Terminal, name: str) -> None:
    for path in terminal.home.glob(f"{name}*"):
        path.unlink()


@pytest.mark.parametrize("missing", ["paper.db", pytest.param("desk.db", marks=pytest.mark.in_file)])
def test_a_home_with_half_of_its_books_is_not_opened(demo: Terminal, missing: str) -> None:
    without(demo, missing)
    left = {path.name for path in demo.home.iterdir()}

    for args in (("orders",), ("order", "AM1042", "buy", "TCS", "1", "--yes"), ("init",)):
        printed = demo.run(*args, "--json")
        assert (printed.code, printed.error["reason"]) == (Exit.STORE, "store_unusable")
        assert f"{missing}, the " in printed.error["message"]
        assert "is missing: put it back" in printed.error["message"]
    assert {path.name for path in demo.home.iterdir()} == left, "nothing was made in its place"


def test_another_desks_exchange_is_refused_and_the_own_one_is_known_again(
    demo: Terminal, empty: Terminal, tmp_path: Path
) -> None:
    other = Terminal(tmp_path / "other")
    other.done("init", "--demo", "--bare")
    kept = tmp_path / "kept.db"
    shutil.copy(demo.home / "paper.db", kept)
    without(demo, "paper.db")
    shutil.copy(other.home / "paper.db", demo.home / "paper.db")

    printed = demo.run("orders", "--json")
    assert printed.code == Exit.STORE
    assert "paper.db is another desk's" in printed.error["message"]

    without(demo, "paper.db")
    shutil.copy(kept, demo.home / "paper.db")
    assert demo.done("orders") == []


def test_cancel_all_halts_a_home_whose_exchange_is_no_database(demo: Terminal) -> None:
    without(demo, "paper.db")
    (demo.home / "paper.db").write_text("a shopping list, which is long enough to be looked at\n" * 40)
    assert demo.run("orders").code == Exit.STORE

    printed = demo.run("cancel-all", "--yes", "--json")

    assert printed.code == Exit.PARTLY, "whether a client's own phone has an order there cannot be read"
    assert "not a paper exchange's file" in printed.err
    assert "going on without it" in printed.err
    assert (demo.home / "HALT").exists()
    assert (demo.home / "paper.db").read_text().startswith("a shopping list")


def test_an_exchange_and_books_without_a_tie_are_tied_when_opened(demo: Terminal) -> None:
    change_by_hand(demo.home, "UPDATE connection SET identity = ''")

    assert demo.done("orders") == []

    ((tied,),) = rows_of(demo.home, "SELECT identity FROM connection")
    with sqlite3.connect(demo.home / "paper.db") as exchange:
        assert exchange.execute("SELECT id FROM identity").fetchone() == (tied,)
    exchange.close()


def test_cancel_all_gives_the_spare_room_back_before_it_opens_and_takes_it_again(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare, opened = spare_file(demo.home), wiring.compose_desk
    demo.done("orders")
    assert spare.stat().st_size == SPARE_BYTES
    seen: list[bool] = []

    def opening(*args: Any, **named: Any) -> Any:
        seen.append(spare.exists())
        return opened(*args, **named)

    monkeypatch.setattr(wiring, "compose_desk", opening)
    demo.done("cancel-all", "--yes")
    assert seen == [False]
    assert spare.stat().st_size == SPARE_BYTES


@pytest.mark.parametrize(
    ("free", "kept"),
    [
        (100 * SPARE_BYTES, SPARE_BYTES),
        (SPARE_BYTES, SPARE_BYTES - LEFT_BYTES),
        (LEFT_BYTES + LEAST_BYTES, LEAST_BYTES),
        (LEFT_BYTES + LEAST_BYTES - 1, 0),
        (0, 0),
    ],
)
def test_room_is_kept_where_less_is_free_too(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch, free: int, kept: int
) -> None:
    spare_file(demo.home).unlink(missing_ok=True)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=free, f_frsize=1))
    demo.done("orders")
    assert spare_bytes(demo.home) == kept
    monkeypatch.undo()
    demo.done("orders")
    assert spare_bytes(demo.home) == SPARE_BYTES, "it grows with the room"


def test_what_is_said_of_cancelling_on_a_full_disk_is_true(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **named: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    demo.done("orders")
    monkeypatch.setattr(wiring, "compose_desk", full)
    assert "`tradedesk cancel-all --yes` works even now: 4.0 MiB are kept for it" in demo.run("orders").err
    told = demo.run("cancel-all", "--yes").err
    assert "NOTHING WAS CANCELLED" in told
    assert "works even now" not in told
    assert "cancel at the brokers themselves" in told
    spare_file(demo.home).unlink()
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=0, f_frsize=1))
    told = demo.run("orders").err
    assert "works even now" not in told
    assert "no room is kept" in told


def test_a_full_disk_is_named_with_its_folder_and_what_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDESK_HOME", str(tmp_path))
    full = OSError(errno.ENOSPC, "No space left on device")

    for problem in (full, sqlite3.OperationalError("database or disk is full")):
        told = explain(problem)
        assert told.exit is Exit.STORE
        assert told.message.startswith(f"the disk is full: nothing can be written in {tmp_path} (")
        assert "no room is kept for `tradedesk cancel-all --yes`" in told.message
    assert "disk is full" not in explain(sqlite3.OperationalError("database is locked")).message


def test_no_class_name_and_no_sql_reaches_a_person() -> None:
    sql = OperationalError(
        "SELECT name FROM client", {"code": "AM1042"}, sqlite3.OperationalError("no such column")
    )

    for problem in (sql, StoreError(f"it could not be read back: {sql}"), TimeoutError(), KeyError("x")):
        message = explain(problem).message
        for unwanted in ("SELECT", "AM1042", "sqlite3.", "Error", "TimeoutError", "()"):
            assert unwanted not in message, message
    assert explain(sql).message == "the database cannot be used: no such column"
    assert "something unexpected happened" in explain(TimeoutError()).message


@pytest.mark.parametrize(("key", "value"), [("density", "wide"), ("keys", "vim")])
def test_a_setting_that_is_none_of_its_words_is_named(demo: Terminal, key: str, value: str) -> None:
    (demo.home / "config.toml").write_text(f"{key} = {json.dumps(value)}\n")

    printed = demo.run("orders", "--json")

    assert (printed.code, printed.error["field"]) == (Exit.BAD_INPUT, f"setting {key}")


LONG = "x" * 50_000
LONG_WORDS = {
    "a command": (LONG,),
    "an option": ("funds", f"--{LONG}"),
    "an option's value": ("audit", "show", "--limit", LONG),
    "words too many": ("funds", *["y" * 60] * 500),
    "a symbol": ("detail", LONG),
    "a client": ("order", LONG, "buy", "TCS", "1"),
    "a count": ("order", "AM1042", "buy", "TCS", LONG),
    "a number with commas": ("order", "AM1042", "buy", "TCS", "1," * 20_000),
    "a side": ("order", "AM1042", LONG, "TCS", "1"),
    "a file": ("clients", "import", "/" + LONG),
    "a hash": ("bulk", "--confirm", LONG),
}


@pytest.mark.parametrize("given", LONG_WORDS.values(), ids=LONG_WORDS)
def test_a_long_argument_is_not_echoed_whole(demo: Terminal, given: tuple[str, ...]) -> None:
    for printed in (demo.run(*given), demo.run(*given, "--json")):
        assert printed.code == Exit.BAD_INPUT
        assert 20 < len(printed.err) < 1_000
        assert len(printed.out) < 2_000


def test_a_long_cell_of_a_file_is_not_echoed_whole(empty: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    head = "code,name,broker,broker_user_id,status,capital,available"
    path.write_text(f"{head}\n{LONG},Asha,zerodha,Z1,active,{LONG},1\n")
    printed = empty.run("clients", "import", str(path), "--json")
    assert printed.code == Exit.BAD_INPUT
    assert len(printed.err) + len(printed.out) < 3_000
    assert "(50,000 characters)" in printed.err


def test_an_instrument_is_shown_with_its_depth(demo: Terminal) -> None:
    printed = demo.run("detail", "TCS")
    found = demo.done("detail", "TCS")
    assert printed.code == 0, printed.err
    assert "bid qty" in printed.out
    assert found["bids"][0].keys() == {"price_paise", "quantity", "orders"}


_HELD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_HELD, st.booleans())
def test_a_document_is_laid_out_as_the_json_module_does(value: Any, every_sign: bool) -> None:
    assert laid_out(value, every_sign) == json.dumps(value, indent=2, ensure_ascii=not every_sign)
