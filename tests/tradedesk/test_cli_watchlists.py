"""Watchlists on the command line."""

import asyncio
from pathlib import Path

from cli_desk import Terminal

from tests.desks import there
from tradedesk import open_desk


def test_lists_are_made_and_filled_by_command_and_by_file_all_or_nothing(
    demo: Terminal, tmp_path: Path
) -> None:
    made = demo.done("watchlist", "make", "Large caps", "TCS", "INFY")
    assert made == {"name": "Large caps", "place": 2, "keys": ["NSE:TCS", "NSE:INFY"]}
    assert demo.done("watchlist", "add", "large caps", "SBIN", "TCS")["keys"][-1] == "NSE:SBIN"
    assert demo.done("watchlist", "place", "Large caps", "SBIN", "1")["keys"][0] == "NSE:SBIN"
    assert demo.done("watchlist", "move", "Large caps", "1")["place"] == 1
    assert demo.done("watchlist", "rename", "large caps", "Big")["name"] == "Big"
    assert [row["symbol"] for row in demo.done("watch", "--list", "big")] == ["SBIN", "TCS", "INFY"]

    file = tmp_path / "out.csv"
    assert demo.done("watchlist", "export", "big", "--file", str(file))["file"] == str(file)
    file.write_text(file.read_text() + "NOSUCH,NSE,,\n")
    refused = demo.run("watchlist", "import", str(file), "--list", "Copy", "--json")
    assert refused.code == 2
    assert "row 5, symbol: 'NOSUCH' is not valid" in refused.err
    assert [one["name"] for one in demo.done("watchlist")] == ["Big", "Watchlist"]
    taken = demo.run("watchlist", "import", str(file), "--list", "Copy", "--valid", "--json")
    assert taken.document["keys"] == ["NSE:SBIN", "NSE:TCS", "NSE:INFY"]
    assert "NOSUCH" in taken.err
    (tmp_path / "Copy.csv").write_text("symbol\nITC\n")
    assert demo.done("watchlist", "import", str(tmp_path / "Copy.csv"), "--replace")["keys"] == ["NSE:ITC"]

    missing = demo.run("watchlist", "remove", "Copy", "TCS", "--json")
    assert (missing.code, missing.error["field"]) == (2, "symbol")
    assert "Copy deleted, with 1 symbol: NSE:ITC" in demo.run("watchlist", "delete", "copy").out
    unknown = demo.run("watchlist", "rename", "copy", "x", "--json")
    assert (unknown.code, unknown.error["field"]) == (2, "watchlist")
    assert "saved are Big, Watchlist" in unknown.err
    listed = demo.run("watchlist").out
    assert "Big" in listed
    assert "SBIN TCS INFY" in listed


def test_a_symbol_that_is_listed_no_more_is_taken_off_by_either_command(demo: Terminal) -> None:
    async def delist(*keys: str) -> None:
        async with open_desk(demo.home) as desk:
            gone = [there(desk.market.index.get(key)) for key in keys]
            await desk.market.store_instruments([], "the next day", gone)

    asyncio.run(delist("NSE:ITC", "NSE:SBIN"))
    left = {row["symbol"]: row["listed"] for row in demo.done("watch", "--remove", "ITC")}
    assert ("ITC" in left, left["SBIN"], left["TCS"]) == (False, False, True)
    assert "not listed" in demo.run("watch").out
    assert "NSE:SBIN" not in demo.done("watchlist", "remove", "watchlist", "SBIN")["keys"]
    assert demo.run("watch", "--remove", "ITC", "--json").code == 2
    assert demo.run("watch", "--remove", "TCS", "--list", "Nowhere", "--json").error["field"] == "watchlist"
    assert [one["name"] for one in demo.done("watchlist")] == ["Watchlist"]
