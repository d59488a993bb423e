"""What the command line refuses: one clear line, the right exit code, and nothing done."""

import shutil
from pathlib import Path

import pytest
from cli_desk import Terminal

from tests.books import change_by_hand
from tests.further import further_rows

HEADER = "code,name,broker,broker_user_id,status,capital,available"


def client_file(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> str:
    path = folder / "clients.csv"
    path.write_bytes("\n".join((header, *rows, "")).encode(encoding))
    return str(path)


def test_a_client_file_is_taken_whole_and_again_only_with_update(empty: Terminal, tmp_path: Path) -> None:
    path = client_file(
        tmp_path, "A1,Asha Rao,zerodha,ZA0001,active,500000,450000.50", "B2,Bina Das,upstox,U2,inactive,1,0"
    )

    assert empty.done("clients", "import", path) == {"added": 2, "updated": 0, "unchanged": 0}
    first, second = empty.done("clients")
    assert (first["code"], first["available_paise"], first["reason"]) == ("A1", 45000050, None)
    assert (second["status"], second["reason"]) == ("inactive", "client_inactive")

    again = empty.run("clients", "import", path, "--json")
    assert (again.code, [p["row"] for p in again.error["problems"]]) == (2, [2, 3])
    client_file(tmp_path, "A1,Asha R Rao,zerodha,ZA0001,active,500000,1")
    updated = empty.done("clients", "import", path, "--update")
    assert updated == {"added": 0, "updated": 1, "unchanged": 0}
    assert empty.done("clients", "--search", "asha r")[0]["available_paise"] == 45000050, "money stays"


def test_amounts_are_read_as_people_write_them(empty: Terminal, tmp_path: Path) -> None:
    row = 'A1,Asha Rao,zerodha,ZA0001,active,5 L,"Rs. 4,50,000/-"'
    empty.done("clients", "import", client_file(tmp_path, row))
    (client,) = empty.done("clients")
    assert (client["capital_paise"], client["available_paise"]) == (5_00_000_00, 4_50_000_00)


GOOD = "A1,Asha Rao,zerodha,ZA0001,active,500000,450000"

BAD_FILES = {
    "duplicate code": (
        [GOOD, "a1,Other,upstox,U9,active,1,1"],
        [(2, "code", "row 3 has it too"), (3, "code", "row 2 has it too")],
    ),
    "duplicate account": (
        [GOOD, "B2,Other,zerodha,ZA0001,active,1,1"],
        [(2, "broker_user_id", "row 3"), (3, "broker_user_id", "row 2")],
    ),
    "negative capital": (["A1,Asha,zerodha,Z1,active,-5,1"], [(2, "capital", "zero or more")]),
    "unknown status": (["A1,Asha,zerodha,Z1,asleep,5,1"], [(2, "status", "active, inactive, pending")]),
    "unknown broker": (["A1,Asha,zerodah,Z1,active,5,1"], [(2, "broker", "zerodha")]),
    "money that is none": (
        ["A1,Asha,zerodha,Z,active,lots,nan"],
        [(2, "capital", ""), (2, "available", "")],
    ),
    "a tenth of a paisa": (["A1,Asha,zerodha,Z1,active,5.005,1"], [(2, "capital", "two decimals")]),
    "control character": (["A1,As\x1b[31mha,zerodha,Z1,active,5,1"], [(2, "name", "U+001B")]),
    "hidden direction": (["A1,As\u202eha,zerodha,Z1,active,5,1"], [(2, "name", "U+202E")]),
    "missing field": (["A1,Asha,zerodha,Z1,active,5"], [(2, "fields", "7 columns")]),
    "every row is told": (
        ["A1,Asha,zerodha,Z1,asleep,-5,1", GOOD.replace("A1", "C3"), "D4,Dev,upstox,U4,active,1,x"],
        [(2, "status", ""), (2, "capital", "zero or more"), (4, "available", "two decimals")],
    ),
    "a second row with another fault": (
        [GOOD, "a1,Other,zerodha,za0001,asleep,1,1"],
        [
            *((row, field, "has it too") for row in (2, 3) for field in ("code", "broker_user_id")),
            (3, "status", "active"),
        ],
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_client_file_is_refused_row_by_row(empty: Terminal, tmp_path: Path, name: str) -> None:
    rows, expected = BAD_FILES[name]

    printed = empty.run("clients", "import", client_file(tmp_path, *rows), "--json")

    assert printed.code == 2
    found = [(p["row"], p["field"], p["expected"]) for p in printed.error["problems"]]
    assert sorted(row[:2] for row in found) == sorted(row[:2] for row in expected)
    for row, field, words in expected:
        assert any(words in told for r, f, told in found if (r, f) == (row, field)), found
        assert f"row {row}, {field}" in printed.err
    assert "\x1b" not in printed.err + printed.out
    assert "\u202e" not in printed.err + printed.out
    assert empty.done("clients") == []


def test_another_encoding_names_the_byte(empty: Terminal, tmp_path: Path) -> None:
    path = client_file(tmp_path, "A1,Zoë,zerodha,Z1,active,5,1", encoding="latin-1")

    printed = empty.run("clients", "import", path)

    assert printed.code == 2
    assert "row 2, encoding: '0xeb'" in printed.err
    assert "save the file as UTF-8" in printed.err


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace(",capital", ""), "capital"),
        (HEADER.replace("capital", "captial"), "did you mean capital?"),
        (HEADER + ",capital", "each column may stand once"),
    ],
)
def test_a_wrong_header_is_named(empty: Terminal, tmp_path: Path, header: str, words: str) -> None:
    printed = empty.run("clients", "import", client_file(tmp_path, GOOD, header=header))

    assert printed.code == 2
    assert words in printed.err


@pytest.mark.parametrize(
    ("args", "field", "words"),
    further_rows(
        [
            (("bulk", "buy", "RELAINCE", "--percent", "5"), "symbol", "did you mean RELIANCE"),
            (("detail", "NOSUCH"), "symbol", ""),
            (("bulk", "buy", "TCS", "--percent", "0"), "percent", "more than 0"),
            (("bulk", "buy", "TCS", "--percent", "150"), "percent", "at most 100"),
            (("bulk", "buy", "TCS", "--percent", "-5"), "percent", "more than 0"),
            (("bulk", "buy", "TCS", "--percent", "nan"), "percent", "a percentage"),
            (("bulk", "buy", "TCS", "--percent", "1e9"), "percent", ""),
            (("bulk", "buy", "TCS", "--amount", "inf"), "amount", "rupees"),
            (("bulk", "buy", "TCS", "--quantity", "1.5"), "quantity", "whole number"),
            (("bulk", "buy", "TCS"), "sizing", "--percent"),
            (("bulk", "buy", "TCS", "--quantity", "1", "--validity", "GTC"), "validity", "DAY, IOC, AMO"),
            (("bulk", "buy", "TCS", "--quantity", "1", "--validity", "amo"), "validity", "give DAY"),
            (("bulk", "buy", "TCS", "--percent", "5", "--amount", "5"), "sizing", "exactly one"),
            (("bulk", "buy", "TCS", "--of-position", "5"), "sizing", "only for SELL"),
            (("bulk", "hold", "TCS", "--percent", "5"), "side", "buy or sell"),
            (("bulk", "buy", "TCS", "--percent", "5", "--limit", "2500.03"), "limit", "2500.00 or 2500.10"),
            (("bulk", "buy", "TCS", "--percent", "5", "--limit", "9999"), "limit", "band"),
            (("bulk", "buy", "TCS", "--percent", "5", "--product", "NRML"), "product", "CNC, MTF or MIS"),
            (("bulk", "buy", "TCS", "--percent", "5", "--clients", "AM1O42"), "client", "AM1042"),
            (("bulk", "buy", "TCS", "--percent", "5", "--group", "Nobody"), "group", "known groups"),
            (("bulk", "buy", "TCS", "--percent", "5", "--broker", "acme"), "broker", "known brokers"),
            (("bulk", "buy", "TCS", "--percent", "5", "--wait", "nan"), "wait", "seconds"),
            (("bulk", "--confirm", "1234567"), "confirm", "8 hex digits"),
            (("bulk", "--confirm", "0123456789"), "confirm", "no single stored plan"),
            (("bulk", "--confirm", "01234567", "--clients", "AM1042"), "clients", "leave it out"),
            (("bulk", "--confirm", "01234567", "--limit", "1"), "limit", "sent as it stands"),
            (("bulk", "--confirm", "01234567", "--drift", "none"), "drift", "sent as it stands"),
            (("bulk", "buy", "TCS", "--confirm", "01234567"), "side", "leave it out"),
            (("run", "1", "--send", "5"), "send", "nothing of what show does"),
            (("run", "1", "stop", "--send", "5"), "send", "nothing of what stop does"),
            (("run", "1", "resume", "--live"), "live", "nothing of what resume does"),
            (("order", "AM1042", "buy", "TCS", "0"), "quantity", "above zero"),
            (("order", "AM1042", "buy", "NIFTY 50", "1"), "symbol", "cannot be traded"),
            (("cancel", "12345"), "order", "has this number"),
            (("cancel",), "cancel", "give orders"),
            (("cancel", "--run", "99"), "run", "no run"),
            (("clients", "set", "AM1042", "--status", "asleep", "--reason", "x"), "status", "active"),
            (("clients", "set", "AM1042", "--status", "active", "--reason", " "), "reason", "say why"),
            (("clients", "import", "/no/such/file.csv"), "file", "No such file"),
            (("watch", "--remove", "NIFTY 50"), "remove", "not on the watchlist"),
            (("resume",), "halt", "no halt stands"),
            (("audit", "verify", "--head", "abc"), "head", "64 hex digits"),
            (("nonsense",), None, "No such command"),
            (("orders", "--nonsense"), None, "No such option"),
            (("order", "AM1042"), None, "Missing argument"),
        ],
        25,
    ),
)
def test_bad_input_is_one_line_one_document_and_exit_code_2(
    demo_home: Path, args: tuple[str, ...], field: str | None, words: str
) -> None:
    printed = Terminal(demo_home).run(*args, "--json")

    assert printed.code == 2, printed.err
    assert printed.error["field"] == field
    assert printed.error["code"] == 2
    assert words in printed.error["message"]
    assert printed.err == f"tradedesk: {printed.error['message']}\n"
    assert Terminal(demo_home).done("orders") == []


def test_a_database_from_a_newer_version_is_left_alone(demo: Terminal) -> None:
    change_by_hand(demo.home, "UPDATE alembic_version SET version_num = '9999'")

    printed = demo.run("clients", "--json")

    assert (printed.code, printed.error["reason"]) == (7, "store_unusable")
    assert "newer version" in printed.error["message"]
    assert printed.err.count("\n") == 1


@pytest.mark.in_file
def test_a_file_that_is_no_database_is_left_alone(empty: Terminal) -> None:
    empty.home.mkdir()
    (empty.home / "desk.db").write_text("my shopping list, which is long enough to be looked at\n" * 40)

    printed = empty.run("funds", "--json")

    assert (printed.code, printed.error["field"]) == (7, "database")
    assert (empty.home / "desk.db").read_text().startswith("my shopping list")


@pytest.mark.in_file
def test_a_home_that_cannot_be_written_is_exit_code_7(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.home.chmod(0o500)
    # Root may write everywhere, so that the system's answer is given here too.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != demo.home)

    printed = demo.run("watchlist", "add", "Watchlist", "INFY", "--json")
    demo.home.chmod(0o700)

    assert (printed.code, printed.error["reason"]) == (7, "store_unusable")
    assert "desk.db cannot be written (not writable)" in printed.error["message"]


def test_a_home_below_a_file_is_exit_code_7(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    printed = Terminal(tmp_path / "file" / "home").run("init", "--json")

    assert (printed.code, printed.error["field"]) == (7, "home")


def test_init_is_done_once_and_the_demonstration_only_in_an_empty_home(
    empty: Terminal, tmp_path: Path
) -> None:
    assert empty.done("init")["clients"] == 0
    assert empty.done("init", "--demo")["demo_laid"] is True
    assert empty.done("init", "--demo")["demo_laid"] is False
    assert len(empty.done("clients")) == 50

    other = Terminal(tmp_path / "other")
    other.done("clients", "import", client_file(tmp_path, GOOD))
    printed = other.run("init", "--demo", "--json")
    assert (printed.code, printed.error["field"]) == (2, "demo")
    assert "clients of its own" in printed.error["expected"]
    assert len(other.done("clients")) == 1


def test_instruments_are_counted_by_segment_and_progress_stays_off_stdout(
    empty: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / "instruments.csv"
    path.write_text(
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
        "instrument_type,segment,exchange\n"
        "738561,2885,RELIANCE,RELIANCE INDUSTRIES,2450.5,,0,0.1,1,EQ,NSE,NSE\n"
        "128083204,500325,RELIANCE,RELIANCE INDUSTRIES,2450.5,,0,0.05,1,EQ,BSE,BSE\n"
        "256265,1001,NIFTY 50,NIFTY 50,25000,,0,0,0,EQ,INDICES,NSE\n"
        "12345,48,RELIANCE26DECFUT,RELIANCE,0,2026-12-29,0,0.1,500,FUT,NFO-FUT,NFO\n"
    )

    found = empty.done("instruments", "import", str(path))

    assert (found["rows"], found["taken"]) == (4, 3)
    assert found["by_segment"] == {"NSE": 1, "BSE": 1, "INDICES": 1}
    assert sum(found["skipped"].values()) == 1
    assert empty.done("search", "relian", "--limit", "5")[0]["key"] == "NSE:RELIANCE"

    shutil.copy(path, tmp_path / "twice.csv")
    with (tmp_path / "twice.csv").open("a") as file:
        file.write("1,1,RELIANCE,AGAIN,1,,0,0.1,1,EQ,NSE,NSE\n")
    printed = empty.run("instruments", "import", str(tmp_path / "twice.csv"), "--json")
    assert (printed.code, printed.error["field"]) == (2, "row 6, tradingsymbol")
