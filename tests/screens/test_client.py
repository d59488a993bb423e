"""A client's page: figures at a glance, views by Tab, the next client by a brace."""

from pathlib import Path

import pytest

from data.records import replace
from data.vocabulary import OrderState, Product, SizingKind
from engine.accounts.client_edit import ClientEdit
from engine.words import formats
from screens.clients.page import ClientScreen
from screens.clients.waive import WaiveCard
from screens.frame.cards.confirm import YesCard
from screens.frame.pane import Pane
from screens.ticket.card import TicketCard
from tests.desks import buy, carry_out, in_time, sell
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid
from widgets.symbolinput import SymbolInput


async def on_page(bench: PaperBench, code: str = "PS1015") -> None:
    bench.app.open_client(bench.client(code), [bench.client(each) for each in ("PS1015", "AM1042")])
    await bench.settle()


async def test_money_holdings_and_the_live_price(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, bench.client("PS1015")))
        await on_page(bench)
        assert "PS1015 Priya Sharma" in bench.text
        assert "blocked 25,000 (held 25,000)" in bench.text
        assert "capital 5.00 L of 18 Nov" in bench.text
        assert "held 25,000 for payout: payout asked for by the client, since Wed 18 Nov" in bench.text
        row = bench.row("▸RELIANCE")
        assert row[1:4] == ["CNC", "10", "10"]
        assert row[-1] == "32.7"  # 24,505 of the portfolio of 74,972
        await bench.pin("RELIANCE", 247050)
        assert "portfolio 75,171 = cash 50,466 + shares 24,705 · free 25,466 · blocked 25,000" in bench.text
        assert "day net +171 (+0.23 % of opening 75,000) · gross +200 · charges 29" in bench.text
        assert "total net +171 (+0.03 % of capital 5.00 L of 18 Nov) · realised net 0" in bench.text
        assert bench.screen.query_one("#side-orders", Pane).title_words == "Orders today · 1 · live 0"
        assert any(
            line.split()[1:6] == ["BUY", "RELIANCE", "10", "2,450.50", "filled"] for line in bench.lines()
        )


async def test_tab_turns_to_orders_closed_trades_and_history(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("PS1015")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, client))
        await bench.pin("RELIANCE", 247050)
        await carry_out(bench.desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 10, client))
        await on_page(bench)
        assert "no share is held" in bench.text
        assert "realised +200" in bench.text
        await bench.keys("tab")
        assert "SELL RELIANCE" in bench.text
        await bench.keys("tab")
        line = next(line for line in bench.lines() if "2,470.50" in line)
        assert line.split()[4:7] == ["10", "2,450.50", "2,470.50"]
        assert "+200" in line
        await bench.keys(*["tab"] * 7)
        assert "ORDER_RESERVED" in bench.text
        await bench.keys("tab")
        assert "no share is held" in bench.text


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_the_statement_runs_to_the_cash_there_is_and_lots_say_since_when(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        client = bench.client("AP1022")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, client))
        mtf = replace(buy("INFY", SizingKind.FIXED_QUANTITY, 20, client), product=Product.MTF)
        await carry_out(bench.desk, mtf)
        await carry_out(bench.desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 4, client))
        await on_page(bench, "AP1022")
        funds = bench.desk.funds.of(client)
        lines = await bench.desk.statements.lines(client)
        assert lines[-1].balance_paise == funds.net_cash_paise + funds.mtf_loan_paise
        assert lines[-1].loan_paise == funds.mtf_loan_paise > 0
        await bench.keys("tab", "tab", "tab")
        told = " ".join(bench.text.split())
        assert "SELL 4 RELIANCE" in told
        assert f"BUY 20 INFY {formats.signed(lines[2].move.cash_paise)}" in told
        assert formats.rupees(lines[-1].balance_paise) in told
        await bench.keys("tab")
        lots = {one.tradingsymbol: one for one in await bench.desk.statements.lots(client)}
        assert (lots["RELIANCE"].quantity, lots["INFY"].loan_paise) == (6, funds.mtf_loan_paise)
        assert bench.row("▸INFY")[1:3] == ["MTF", "2026-11-18"]
        await bench.keys("tab")
        assert formats.rupees(funds.mtf_loan_paise) in bench.row("▸INFY")
        await bench.keys("n")
        await bench.type("asked for a call at noon")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        await bench.keys("tab", "tab")
        await bench.until(lambda: "asked for a call at noon" in bench.text)


async def test_a_line_about_margin_opens_the_page_at_what_is_lent(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("colon", *"mtf AP1022", "enter")
        assert "▸mtf" in bench.text


async def test_c_copies_the_account_as_a_text_that_keeps_what_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("PS1015")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, client))
        copied: list[str] = []
        monkeypatch.setattr(bench.app, "copy_to_clipboard", copied.append)
        await on_page(bench)
        await bench.keys("c")
        (text,) = copied
        assert text.startswith("*Priya Sharma* · account ••••15\n18 Nov 2026, 09:15\n\n*Portfolio ₹74,971*\n")
        assert "PS1015" not in text, "others may read the message"
        assert "Cash ₹50,466 (₹25,466 free, ₹25,000 blocked)\nShares ₹24,505\n" in text
        assert "of the day's opening portfolio ₹" in text
        assert "RELIANCE 10 CNC: bought at ₹2,450.50, now ₹2,450.50, 0" in text
        assert max(map(len, text.splitlines())) < 75, "a telephone breaks no line twice"
        (file,) = (bench.desk.home / "exports").glob("client-PS1015-*.txt")
        assert file.read_text(encoding="utf-8") == f"{text}\n"
        assert file.stat().st_mode & 0o777 == 0o600
        await bench.keys("ctrl+o", "c")
        hidden = copied[-1]
        assert "Priya" not in hidden
        assert "24,505" not in hidden


async def test_braces_step_and_the_ticket_is_for_the_client_shown(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await on_page(bench)
        await bench.keys("right_curly_bracket")
        assert "AM1042 Aarav Mehta" in bench.text
        await bench.keys("b")
        assert isinstance(bench.card, TicketCard)
        assert bench.screen.query_one("#client", SymbolInput).chosen_key == bench.client("AM1042")
        await bench.keys("escape")
        assert isinstance(bench.screen, ClientScreen)
        await bench.keys("escape")
        assert not isinstance(bench.screen, ClientScreen)


async def test_x_cancels_the_clients_live_order_after_y(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        client = bench.client("PS1015")
        plan = await bench.desk.plans.freeze(
            buy("TCS", SizingKind.FIXED_QUANTITY, 3, client, limit_paise=240000)
        )
        await bench.desk.runs.start(plan, plan.digest)
        await bench.settle()
        await on_page(bench)
        assert "live 1: 09:15 BUY TCS 3 2,400.00 open" in bench.text
        await bench.keys("x")
        assert isinstance(bench.card, YesCard)
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        assert [order.state for order in bench.desk.orders.all()] == [OrderState.CANCELLED]


async def test_privacy_masks_names_and_money(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await on_page(bench)
        await bench.keys("ctrl+o")
        assert "Priya" not in bench.text
        assert "50,000" not in bench.text
        assert "PS1015" in bench.text


async def test_the_day_gross_of_the_rows_is_the_header_s_after_a_part_was_sold(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AM1042")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, client))
        await bench.pin("RELIANCE", 2_460_00)
        await carry_out(bench.desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 4, client))
        await bench.pin("RELIANCE", 2_470_00)
        desk = bench.desk
        desk.valuation.revalue({"NSE:RELIANCE"})
        rows = [desk.valuation.holding(held).day_pnl_paise for held in desk.holdings.of(client)]
        assert None not in rows
        assert sum(row or 0 for row in rows) == desk.valuation.client(client).day_pnl_paise
        bench.app.open_client(client)
        await bench.settle()
        gross = formats.signed(desk.valuation.client(client).day_pnl_paise)
        assert f"gross {gross}" in bench.text


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_the_gate_tab_says_why_since_when_and_what_mends_it(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        await on_page(bench, "CB0002")
        await bench.keys(*["tab"] * 8)
        assert "▸gate" in bench.text
        assert bench.row("FAILS")[:2] == ["▸client", "FAILS"]
        assert "vacation" in bench.text
        assert "e gives it another" in bench.text
        for item in ("session", "route", "consent", "DDPI", "funds", "MTF"):
            assert item in bench.text
        await bench.keys("right_curly_bracket")
        assert "▸gate" in bench.text, "the tab stays as the clients turn"
        await in_time(bench.desk, bench.desk.halt.fire("trader"))
        await bench.until(lambda: "halt 1 of everything" in bench.text)


async def test_enter_on_an_amber_item_waives_it_by_a_word(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AP1022")
        mtf = replace(buy("INFY", SizingKind.FIXED_QUANTITY, 20, client), product=Product.MTF)
        await carry_out(bench.desk, mtf)
        await bench.desk.clients.edit(client, ClientEdit(mtf_limit_paise=1_00))
        await on_page(bench, "AP1022")
        await bench.keys(*["tab"] * 8)
        await bench.until(lambda: "waits" in bench.text)
        assert "the loan is over the limit" in bench.text
        assert "sell what is on margin" in bench.text
        grid = bench.screen.query_one("#client-grid", LiveGrid)
        grid.move_cursor(1)
        await bench.keys("enter")
        assert any("session is ok: there is nothing to waive" in told for told in bench.toasts)
        grid.move_cursor(6)
        await bench.keys("enter")
        assert isinstance(bench.card, WaiveCard)
        await bench.type("asked by phone")
        await bench.keys("enter")
        await bench.type("waive")
        await bench.keys("enter")
        await bench.until(lambda: "waived to 18 Nov" in bench.text)
        row = (await bench.desk.audit.rows(client_id=client))[-1]
        assert (row.action, row.details["item"]) == ("CLIENT_GATE_WAIVED", "mtf")


async def test_a_buy_for_who_is_on_the_phone_takes_another_symbol_typed_over_the_holding(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        client = bench.client("AM1042")
        await carry_out(bench.desk, buy("INFY", SizingKind.FIXED_QUANTITY, 3, client))
        bench.app.open_client(client)
        await bench.settle()
        await bench.keys("b", *"TCS", "enter", "2")
        assert (bench.card.fields.key, bench.card.fields.typed["quantity"]) == ("NSE:TCS", "2")
        await bench.keys("escape", "s")
        assert (bench.card.fields.key, bench.card.fields.typed["quantity"]) == ("NSE:INFY", "3")


async def test_at_80_columns_what_is_free_and_blocked_is_not_cut(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        client = bench.client("PS1015")
        bench.app.open_client(client)
        await bench.settle()
        assert " free 50,000 · blocked 25,000 · portfolio " in bench.text


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_a_changed_capital_says_from_when_it_counts(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        await bench.desk.clients.edit(bench.client("PS1015"), ClientEdit(capital_paise=6_00_000_00))
        await on_page(bench)
        assert "6.00 L from 19 Nov" in bench.text
        await bench.keys("e")
        assert "capital 6,00,000 from 19 Nov, 5,00,000 today" in bench.text
