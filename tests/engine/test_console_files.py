"""Zerodha Console's tradebook and ledger beside a client's books, row by row, and history for the tax."""

from datetime import date
from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.reference.files.console_files import LedgerKind, read_ledger, read_tradebook
from data.reference.tax import year_of
from data.vocabulary import GainTerm, Side
from engine.desk import Desk
from engine.history.console import RowState
from engine.words.day.console import (
    lacking_trade_words,
    ledger_day_words,
    ledger_words,
    trade_row_words,
    tradebook_words,
)
from tests.desks import books_are_sound, paper_desk
from tests.engine.test_close import DAY, closed, traded

HEAD = (
    "symbol,isin,trade_date,exchange,segment,series,trade_type,auction,quantity,price,trade_id,order_id,"
    "order_execution_time\n"
)
LEDGER = "particulars,posting_date,cost_center,voucher_type,debit,credit,net_balance\n"
TCS = "INE467B01029"


def row(side: str, quantity: int, rupees: float, trade_id: str, day: str = "2026-11-18", **of: str) -> str:
    told = {"symbol": "TCS", "isin": TCS, "exchange": "NSE", "segment": "EQ", **of}
    return (
        f"{told['symbol']},{told['isin']},{day},{told['exchange']},{told['segment']},EQ,{side},false,"
        f"{quantity}.000000,{rupees:.6f},{trade_id},O{trade_id},{day}T10:15:00\n"
    )


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_bad_row_of_a_tradebook_is_named(tmp_path: Path) -> None:
    text = HEAD + row("buy", 1, 10.0, "1") + row("lend", 1, 10.0, "2") + row("buy", 1, 10.0, "1")
    text += row("buy", 1, 10.005, "4") + row("buy", 1, 10.0, "5", "18-11-2026") + row("sell", 0, 10.0, "6")
    text += row("buy", 1, 10.0, "7", isin="INE4") + row("buy", 1, 10.0, "8", segment="FO")
    with pytest.raises(FileProblem) as bad:
        read_tradebook(written(tmp_path, text))
    assert [(one.row, one.field) for one in bad.value.problems] == [
        (3, "trade_type"),
        (4, "trade_id"),
        (5, "price"),
        (6, "trade_date"),
        (7, "quantity"),
        (8, "isin"),
    ]


def test_a_ledger_whose_balance_does_not_follow_names_the_row(tmp_path: Path) -> None:
    text = (
        f"{LEDGER}Opening Balance,,,,,,100.000000\n"
        "Funds added using UPI 1,2026-11-18,NSE-EQ - Z,Bank Receipts,0.000000,50.500000,150.500000\n"
        "Net settlement for Equity 2026219,2026-11-18,NSE-EQ - Z,Book Voucher,20.25,0,130.24\n"
        "DP Charges for Sale of ITC on 18/11/2026,2026-11-19,NSE-EQ - Z,Journal Entry,15.34,0,114.90\n"
        "Closing Balance,,,,,,114.900000\n"
    )
    with pytest.raises(FileProblem) as bad:
        read_ledger(written(tmp_path, text))
    assert [(one.row, one.field) for one in bad.value.problems] == [(4, "net_balance")]
    assert "130.25" in str(bad.value)
    found = read_ledger(written(tmp_path, text.replace("130.24", "130.25").replace("114.9", "114.91")))
    assert found.opening_paise == 100_00
    assert [(one.kind, one.amount_paise) for one in found.rows] == [
        (LedgerKind.PAID_IN, 50_50),
        (LedgerKind.SETTLEMENT, -20_25),
        (LedgerKind.DEPOSITORY, -15_34),
    ]


async def _booked(desk: Desk, client_id: int) -> list[tuple[str, int, float, str]]:
    account = (await desk.statements.of_day([client_id], DAY))[client_id]
    return [
        ("buy" if one.side is Side.BUY else "sell", one.quantity, one.price_paise / 100, one.trade_id)
        for one in account.trades
        if one.quantity
    ]


async def test_a_tradebook_is_held_against_booked_trades_row_by_row(tmp_path: Path) -> None:
    async with traded(tmp_path) as desk:
        trades = await _booked(desk, 4)
        assert len(trades) >= 2
        whole = HEAD + "".join(row(*one) for one in trades)
        check = await desk.console_files.tradebook(4, written(tmp_path, whole))
        assert check.agrees
        assert {one.state for one in check.rows} == {RowState.ALIKE}
        first, *others = trades
        odd = (first[0], first[1] + 1, first[2], first[3])
        text = HEAD + row(*odd) + row("buy", 9, 1.0, "99999") + row("buy", 9, 1.0, "7", "2026-11-17")
        check = await desk.console_files.tradebook(4, written(tmp_path, text))
        assert [one.state for one in check.rows] == [RowState.DIFFERS, RowState.LACKING, RowState.EARLIER]
        assert [one.trade_id for one in check.lacking] == [one[3] for one in others]
        assert not check.agrees
        assert trade_row_words(check.rows[0]).startswith(f"row 2: 18 Nov 2026 BUY {first[1] + 1} TCS at ")
        assert f"ours is {first[1]} at" in trade_row_words(check.rows[0])
        assert f"{len(others)} of ours not in the file" in tradebook_words(check)
        missed = lacking_trade_words(check.lacking[0])
        assert missed.startswith("not in the file: 18 Nov 2026 ")
        assert missed.endswith(f"(trade {others[0][3]})")


async def test_trades_of_before_become_history_once_and_only_when_told(tmp_path: Path) -> None:
    """Client 13 came with 20 TCS; its tradebook tells of 30 bought and ten sold again a year later."""
    async with paper_desk(tmp_path, shares=True) as desk:
        files, day = desk.console_files, desk.market_clock.trading_day
        came_with = (await desk.tax.lots(13, day))[TCS]
        assert sum(lot.quantity for lot in came_with) == 20
        text = (
            HEAD
            + row("buy", 30, 1000.0, "1", "2025-05-05")
            + row("sell", 10, 1200.0, "2", "2026-06-05")
            + row("buy", 5, 1.0, "3", "2026-06-05", symbol="NIFTY26NOVFUT", isin="", segment="FO")
        )
        path = written(tmp_path, text)
        check = await files.tradebook(13, path)
        assert ([one.state for one in check.rows], check.others) == ([RowState.EARLIER] * 2, 1)
        assert (await desk.tax.lots(13, day))[TCS] == came_with
        assert (await files.take(13, path)).taken == 2
        again = await files.take(13, path)
        assert (again.taken, [one.state for one in again.rows]) == (0, [RowState.TAKEN] * 2)
        (year,) = await desk.tax.year([13], year_of(date(2026, 6, 5)))
        (sale,) = [one.sale for one in year.sales]
        assert (sale.term, sale.quantity, sale.cost_paise) == (GainTerm.LONG_TERM, 10, 10 * 1000_00)
        assert sale.charges_paise > 0
        (lot,) = (await desk.tax.lots(13, day))[TCS]
        assert (lot.bought_on, lot.quantity, lot.cost_paise) == (date(2025, 5, 5), 20, 20 * 1000_00)
        await books_are_sound(desk)


async def test_history_that_leaves_other_shares_tells_of_sales_alone(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        day = desk.market_clock.trading_day
        came_with = (await desk.tax.lots(13, day))[TCS]
        text = HEAD + row("buy", 30, 1000.0, "1", "2025-05-05") + row("sell", 5, 1200.0, "2", "2026-06-05")
        await desk.console_files.take(13, written(tmp_path, text))
        assert (await desk.tax.lots(13, day))[TCS] == came_with
        (year,) = await desk.tax.year([13], year_of(date(2026, 6, 5)))
        assert [one.sale.quantity for one in year.sales] == [5]


async def test_a_ledger_is_held_against_what_the_books_posted(tmp_path: Path) -> None:
    async with traded(tmp_path) as desk:
        await closed(desk)
        (one,) = [each for each in (await desk.close.report(DAY)).clients if each.client_id == 4]
        trades = await _booked(desk, 4)
        gross = sum((1 if side == "sell" else -1) * n * rupees for side, n, rupees, _ in trades)
        net = round(gross * 100) - one.charges.total_paise + one.charges.dp_paise

        def ledger(paise: int) -> str:
            return (
                f"{LEDGER}Opening Balance,,,,,,1000000.00\n"
                f"Net settlement for Equity with settlement number: 1,{DAY},NSE-EQ - Z,Book Voucher,"
                f"{-paise / 100:.6f},0.000000,{(100000000 + paise) / 100:.6f}\n"
            )

        check = await desk.console_files.ledger(4, written(tmp_path, ledger(net)))
        assert check.agrees, [ledger_day_words(each) for each in check.days]
        assert ledger_words(check).startswith("1 of 1 sum by day and kind agree; it ends with")
        check = await desk.console_files.ledger(4, written(tmp_path, ledger(net - 5_00)))
        (odd,) = [each for each in check.days if each.state is RowState.DIFFERS]
        assert (odd.theirs_paise, odd.ours_paise, odd.rows[0].row) == (net - 5_00, net, 3)
        assert "(row 3)" in ledger_day_words(odd)
