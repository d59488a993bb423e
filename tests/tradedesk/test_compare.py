"""Trades of another terminal beside the brokers': what either lacks, what differs, and files as they are."""

from pathlib import Path

import pytest

from data.vocabulary import Side
from engine.review.comparing import TradePair, TradeSeen, compared
from tests.tradedesk.cli_desk import Terminal

TCS = "NSE:TCS"


def seen(
    quantity: int, price_paise: int, trade: str = "", side: Side = Side.BUY, key: str = TCS
) -> TradeSeen:
    return TradeSeen(key, side, quantity, price_paise, trade)


def test_equal_trades_pair_with_and_without_the_exchange_s_number() -> None:
    ours = [seen(2, 2500_00, "1"), seen(2, 2500_00, "2"), seen(1, 2501_00, "3")]
    theirs = [seen(1, 2501_00), seen(2, 2500_00), seen(2, 2500_00)]
    made = compared("AM1042", ours, theirs)
    assert made.equal
    assert made.alike == 3
    assert made.sums == ()


def test_what_either_lacks_and_what_differs_is_told_with_sums() -> None:
    ours = [seen(2, 2500_00, "1"), seen(5, 2500_00, "2"), seen(1, 1500_00, "3", Side.SELL, "NSE:INFY")]
    theirs = [seen(2, 2500_50, "1"), seen(4, 2500_00, "2"), seen(9, 280_00, "7", key="NSE:ITC")]
    made = compared("AM1042", ours, theirs)
    assert made.differ == (TradePair(ours[0], theirs[0]), TradePair(ours[1], theirs[1]))
    assert (made.ours_lack, made.theirs_lack) == ((theirs[2],), (ours[2],))
    sums = {(one.key, one.side): one for one in made.sums}
    tcs = sums[TCS, Side.BUY]
    assert (tcs.our_quantity, tcs.their_quantity) == (7, 6)
    assert (tcs.our_paise, tcs.their_paise) == (7 * 2500_00, 2 * 2500_50 + 4 * 2500_00)
    assert sums["NSE:ITC", Side.BUY].our_quantity == 0


def test_the_same_trade_is_never_paired_twice() -> None:
    made = compared("A", [seen(2, 2500_00)], [seen(2, 2500_00), seen(2, 2500_00)])
    assert (made.alike, len(made.ours_lack)) == (1, 1)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    at = Terminal(tmp_path / "home")
    assert at.run("init", "--demo", "--bare").code == 0
    assert at.run("order", "AM1042", "buy", "TCS", "2", "--yes", "--wait", "30").code == 0
    return at


def test_another_terminal_s_file_is_read_by_columns_that_are_told_once(
    terminal: Terminal, tmp_path: Path
) -> None:
    (trade,) = terminal.done("broker", "trades", "--client", "AM1042")["trades"]
    price = trade["price_paise"] / 100
    file = tmp_path / "today.csv"
    file.write_text(
        "Client Code,Scrip,B/S,Traded Qty,Rate,Exch Trade No,Remark\n"
        f"AM1042,TCS,B,2,{price:.4f},{trade['trade_id']},\n"
    )
    refused = terminal.run("compare", str(file), "--client", "AM1042")
    assert refused.code == 2
    proposed = "client=Client Code,symbol=Scrip,side=B/S,quantity=Traded Qty,price=Rate,trade=Exch Trade No"
    assert f"--kind NAME --columns '{proposed}'" in refused.err
    columns = "client=Client Code,symbol=Scrip,side=B/S,quantity=Traded Qty,price=Rate,trade=Exch Trade No"
    told = terminal.run("compare", str(file), "--kind", "odin", "--columns", columns, "--json")
    assert (told.code, told.document["equal"], told.document["trades"]) == (0, True, 1)
    again = terminal.run("compare", str(file), "--json")
    assert (again.code, again.document["kind"]) == (0, "odin")

    file.write_text(file.read_text() + "AM1042,INFY,S,1,1500,99,\nPS1015,ITC,1,5,280.55,100,\n")
    differs = terminal.run("compare", str(file), "--json")
    assert differs.code == 8
    clients = {one["code"]: one for one in differs.document["clients"]}
    assert clients["AM1042"]["ours_lack"] == [
        {"key": "NSE:INFY", "side": "SELL", "quantity": 1, "price_paise": 150000, "trade": "99"}
    ]
    assert clients["PS1015"]["sums"][0]["their_paise"] == 5 * 28055
    shown = terminal.run("compare", str(file))
    assert "the broker lacks   SELL 1 NSE:INFY at 1,500.00 trade 99" in shown.out


def test_every_bad_row_is_named_and_nothing_is_compared(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    file.write_text(
        "client,symbol,side,quantity,price\n"
        "NOBODY,TCS,B,1,2500\nAM1042,TCS,X,1,2500\nAM1042,TCS,B,1.5,2500\nAM1042,TCS,B,1,=1+1\n"
    )
    printed = terminal.run("compare", str(file), "--json")
    assert printed.code == 2
    for words in ("row 2, client", "row 3, side", "row 4, quantity", "row 5, price"):
        assert words in printed.err


def test_zerodha_s_tradebook_is_known_as_its_console_writes_it(terminal: Terminal, tmp_path: Path) -> None:
    (trade,) = terminal.done("broker", "trades", "--client", "AM1042")["trades"]
    file = tmp_path / "tradebook-ND1284-EQ.csv"
    head = (
        "symbol,isin,trade_date,exchange,segment,series,trade_type,auction,quantity,price,trade_id,order_id,"
    )
    row = (
        f"TCS,INE467B01029,{{day}},NSE,EQ,EQ,buy,false,2.000000,{trade['price_paise'] / 100:.6f},"
        f"{trade['trade_id']},1100000000000001,2026-11-18T09:15:04\n"
    )
    file.write_text(head + "order_execution_time\n" + row.format(day="2026-11-18"))
    printed = terminal.run("compare", str(file), "--client", "AM1042", "--json")
    assert (printed.code, printed.document["kind"], printed.document["trades"]) == (0, "zerodha", 1)
    file.write_text(file.read_text() + row.format(day="2026-11-17") + row.format(day="yesterday"))
    printed = terminal.run("compare", str(file), "--client", "AM1042", "--json")
    assert printed.code == 2
    assert "row 3, date" in printed.err
    assert "only trades of today, 2026-11-18" in printed.err
    assert "row 4, date" in printed.err


def test_a_kind_that_is_known_keeps_its_columns(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    file.write_text("client,symbol,side,quantity,price\nAM1042,TCS,B,2,2500\n")
    refused = terminal.run("compare", str(file), "--kind", "zerodha", "--columns", "client=A")
    assert refused.code == 2
    assert "known already" in refused.err
    refused = terminal.run("compare", str(file), "--kind", "odin", "--columns", "customer=A")
    assert refused.code == 2
    assert "ours are client" in refused.err
