"""Files as brokers, exchanges and spreadsheets write them, and a desk on paper that trades from them."""

from pathlib import Path

import pytest
from cli_desk import Terminal

from tests.further import further

DUMP = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
ROWS = (
    "738561,2885,RELIANCE,RELIANCE INDUSTRIES,0,,0,0.1,1,EQ,NSE,NSE",
    "1000001,3906,GOLDSTAR-SM,GOLDSTAR POWER,0,,0,0.05,1600,EQ,NSE,NSE",
    "2000001,7813,RAREONE,RARE ONE,0,,0,0.05,1,EQ,NSE,NSE",
    "256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE",
)
"""As Zerodha writes its dump: without a single price."""

CLIENTS = "code,name,broker,broker_user_id,status,capital,available"
ASHA = "A1,Asha Rao,zerodha,ZA0001,active,500000,450000"


def lines(path: Path, *rows: str, end: str = "\n", mark: bytes = b"") -> str:
    path.write_bytes(mark + end.join([*rows, ""]).encode())
    return str(path)


@pytest.fixture
def desk(empty: Terminal, tmp_path: Path) -> Terminal:
    empty.done("init")
    empty.done("clients", "import", lines(tmp_path / "clients.csv", CLIENTS, ASHA))
    return empty


def test_a_dump_without_prices_says_what_trades_and_trades_from_the_demonstrations_close(
    desk: Terminal, tmp_path: Path
) -> None:
    printed = desk.run("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *ROWS))
    assert printed.code == 0
    assert "2 from the demonstration's close, since the file has no price" in printed.err
    assert "2 have no price and cannot trade on paper" in printed.err
    assert "tradedesk instruments prices FILE" in printed.err

    order = desk.order("A1", "buy", "RELIANCE", "3")
    assert (order["state"], order["filled_quantity"]) == ("FILLED", 3)
    unpriced = desk.run("order", "A1", "buy", "RAREONE", "1", "--yes", "--json")
    (told,) = unpriced.document["plan"]["lines"]
    assert (unpriced.code, told["reason"], told["detail"]) == (3, "price_stale", "no price known")
    assert desk.done("doctor")["ok"]


BHAVCOPIES = {
    "by hand": ("Symbol,Close", "GOLDSTAR-SM,12.50", 'RAREONE,"1,234.55"', "UNKNOWN,1"),
    "sec_bhavdata_full": (
        "SYMBOL, SERIES, DATE1, PREV_CLOSE, LAST_PRICE, CLOSE_PRICE, DELIV_QTY",
        "GOLDSTAR, SM, 17-Nov-2026, 12.40, 12.55, 12.50, -",
        "RAREONE, EQ, 17-Nov-2026, 1230.00, 1234.60, 1234.55, 12",
        "RAREONE, BL, 17-Nov-2026, 1230.00, 1200.00, 1200.00, 12",
    ),
    "the common format": (
        "TradDt,Sgmt,Src,FinInstrmId,ISIN,TckrSymb,SctySrs,ClsPric,LastPric",
        "2026-11-17,CM,NSE,3906,INE405Y01021,GOLDSTAR,SM,12.50,12.55",
        "2026-11-17,CM,NSE,7813,INE000R01015,RAREONE,EQ,1234.55,1234.60",
        "2026-11-17,CM,NSE,7814,INE000R01023,RARETWO,EQ,-,-",
    ),
}


@pytest.mark.parametrize("name", further(BHAVCOPIES))
def test_closes_of_a_file_let_the_rest_trade(desk: Terminal, tmp_path: Path, name: str) -> None:
    desk.done("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *ROWS))
    path = lines(tmp_path / "Closes.CSV", *BHAVCOPIES[name], end="\r\n", mark=b"\xef\xbb\xbf")

    assert desk.done("instruments", "prices", path)["taken"] == 2

    assert desk.order("A1", "buy", "GOLDSTAR-SM", "1600")["filled_quantity"] == 1600
    assert desk.order("A1", "buy", "RAREONE", "1")["filled_quantity"] == 1
    assert 1200_00 < desk.done("detail", "RAREONE")["ltp_paise"] < 1270_00


def test_a_price_known_before_stays_where_a_later_dump_has_none(desk: Terminal, tmp_path: Path) -> None:
    desk.done(
        "instruments", "import", lines(tmp_path / "dump.csv", DUMP, ROWS[2].replace("ONE,0,", "ONE,55.5,"))
    )
    desk.done("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *ROWS))
    assert desk.order("A1", "buy", "RAREONE", "1")["filled_quantity"] == 1


def test_an_odd_row_of_a_dump_is_named_and_the_rest_is_taken(desk: Terminal, tmp_path: Path) -> None:
    many = [f"{n},{n},S{n},COMPANY {n},1.05,,0,0.05,1,EQ,NSE,NSE" for n in range(1, 200)]
    path = lines(tmp_path / "dump.csv", DUMP, *many, ROWS[0].replace(",0.1,", ",odd,"), ROWS[1])

    printed = desk.run("instruments", "import", path, "--json")

    assert (printed.code, printed.document["taken"]) == (4, 200)
    (told,) = printed.document["unread"]
    assert told.startswith("row 201, tick_size: 'odd'")
    assert told in printed.err


def test_a_client_file_of_a_spreadsheet_is_taken_and_its_rows_are_counted_as_shown(
    empty: Terminal, tmp_path: Path
) -> None:
    rows = ("Code,Name,Broker,Broker User ID,Status,Capital,Available,,", f"{ASHA},,", ",,,,,,,,")
    path = lines(tmp_path / "Clients.CSV", *rows, end="\r\n", mark=b"\xef\xbb\xbf")
    assert empty.done("clients", "import", path)["added"] == 1

    path = lines(tmp_path / "Clients.CSV", *rows[:1], "", "", f"{ASHA},,")
    again = empty.run("clients", "import", path, "--json")
    assert [(p["row"], p["field"]) for p in again.error["problems"]] == [(4, "code")]


@pytest.mark.parametrize("code", ["-A1", "--", "-"])
def test_a_code_that_a_shell_takes_for_an_option_is_refused(
    empty: Terminal, tmp_path: Path, code: str
) -> None:
    path = lines(tmp_path / "clients.csv", CLIENTS, ASHA.replace("A1,", f"{code},", 1))
    printed = empty.run("clients", "import", path, "--json")
    (told,) = printed.error["problems"]
    assert (printed.code, told["field"], told["value"]) == (2, "code", code)
    assert "first" in told["expected"]


@pytest.mark.parametrize("name", ["trader = 'asha'", "Trader = 'asha'", "TRADER = 'asha'"])
def test_settings_as_an_editor_of_windows_writes_them(empty: Terminal, name: str) -> None:
    empty.done("init")
    (empty.home / "config.toml").write_bytes(b"\xef\xbb\xbf" + f"{name}\r\nPolicy = 'exact'\r\n".encode())
    assert empty.run("funds", "--json").code == 0

    (empty.home / "config.toml").write_bytes("trader = 'asha'".encode("utf-16"))
    printed = empty.run("funds", "--json")
    assert (printed.code, printed.error["field"]) == (2, "config.toml")
    assert "UTF-8" in printed.error["expected"]


def test_a_symbol_of_another_name_keeps_its_shares_its_price_and_its_place(
    desk: Terminal, tmp_path: Path
) -> None:
    desk.done("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *ROWS))
    desk.order("A1", "buy", "RELIANCE", "3")
    desk.done("watch", "--add", "RELIANCE")
    renamed = [row.replace(",RELIANCE,", ",RELNEW,") for row in ROWS]

    printed = desk.run("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *renamed), "--json")

    assert (printed.code, printed.document["renamed"]) == (
        0,
        ["NSE:RELIANCE is now NSE:RELNEW, token 738561"],
    )
    assert printed.document["renamed"][0] in printed.err
    assert desk.done("instruments", "import", lines(tmp_path / "dump.csv", DUMP, *renamed))["renamed"] == []
    (held,) = desk.done("positions")
    assert (held["symbol"], held["quantity"]) == ("RELNEW", 3)
    assert desk.order("A1", "sell", "RELNEW", "2")["filled_quantity"] == 2
    assert "RELNEW" in desk.run("watch").out
    assert desk.done("doctor")["ok"]
    told = desk.done("audit", "show", "--action", "INSTRUMENT_RENAMED")
    assert len(told) == 1
    assert desk.run("instruments", "accept", "RELNEW", "--reason", "looked up", "--json").code == 2
