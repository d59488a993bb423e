"""Positions both ways round, live, and the sell that takes what is held."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from data.vocabulary import Product, Side, SizingKind
from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.bulk.screen import BulkScreen
from screens.clients.page import ClientScreen
from screens.frame.routes import WorkspaceName
from tests.desks import buy, by_phone, carry_out
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.brokers.paper import exchange_of
from widgets.choicefield import ChoiceField
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField

CODES = ("AM1042", "RG1008", "RV1012")


async def with_positions(bench: PaperBench) -> None:
    """RELIANCE for three clients, TCS for one of them."""
    ids = [bench.client(code) for code in CODES]
    await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, *ids))
    await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 4, ids[0]))
    await bench.keys("4")


def grid(bench: PaperBench, name: str) -> LiveGrid:
    return bench.screen.query_one(f"#{name}", LiveGrid)


async def test_symbols_with_their_clients_and_clients_with_their_symbols(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        assert grid(bench, "upper").shown_keys == ("NSE:RELIANCE", "NSE:TCS")
        assert [key[0] for key in grid(bench, "lower").shown_keys] == [  # type: ignore[index]
            bench.client(code) for code in CODES
        ]
        await bench.keys("tab")
        assert "Positions by client" in bench.text
        assert grid(bench, "upper").shown_keys == tuple(bench.client(code) for code in CODES)
        assert [key[1] for key in grid(bench, "lower").shown_keys] == [  # type: ignore[index]
            "NSE:RELIANCE",
            "NSE:TCS",
        ]
        await bench.keys("tab")
        assert "Positions by symbol" in bench.text


async def test_shares_that_the_broker_has_not_are_told_beside_ours(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        client, code = bench.client("AM1042"), "AM1042"
        await bench.until(lambda: bench.desk.reconcile.is_compared(client))
        by_phone(bench.desk, client, Side.SELL, 3, symbol="RELIANCE")
        await bench.pass_time(5)
        await bench.desk.reconcile.check(client)
        await bench.settle()
        assert bench.row(f"{code} Aarav")[4] == "10≠7"
        assert bench.row("RG1008 Rohan")[4] == "10"
        assert "holdings 3 · 1 ≠ THE BROKER'S" in bench.text


async def test_intraday_shares_say_when_the_broker_sells_them_out(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        assert "square-off" not in bench.text
        bought = buy("TCS", SizingKind.FIXED_QUANTITY, 2, bench.client("RG1008"), product=Product.MIS)
        await carry_out(bench.desk, bought)
        await bench.keys("down")
        assert "holdings 2 · MIS square-off at 15:00" in bench.text
        assert "MIS" not in bench.lines()[0]
        sold_out = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
        exchange_of(bench.desk).jump(sold_out - timedelta(minutes=30, seconds=5))
        await bench.pass_time(1)
        assert "MIS" not in bench.lines()[0]
        exchange_of(bench.desk).jump(sold_out - timedelta(minutes=29))
        await bench.pass_time(1)
        assert "MIS square-off 15:00" in bench.lines()[0]
        exchange_of(bench.desk).jump(sold_out)
        await bench.pass_time(1)
        assert "MIS" not in bench.lines()[0]


async def test_profit_follows_the_price_on_the_next_frame(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        await bench.pin("RELIANCE", 247050)
        row = bench.row("▸RELIANCE")
        assert row[1:5] == ["3", "30", "2,450.50", "2,470.50"]
        assert row[-3:] == ["+600", "+600", "74,115"]
        assert "day net +501 · gross +600 · charges 99" in bench.text


async def test_old_prices_and_the_profit_of_them_look_old(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        await bench.pin("RELIANCE", 247050)

        def styles(name: str, row: object) -> set[str | None]:
            shown = {"last", "change", "net", "day", "open", "gross"}
            return {c.style(row) for c in grid(bench, name).columns if c.key in shown and c.style}

        assert "stale" not in styles("upper", "NSE:RELIANCE")
        assert "STALE" not in bench.text
        bench.clock.shift(19)
        bench.app.frame()
        await bench.pilot.pause(0.002)
        assert styles("upper", "NSE:RELIANCE") == {"stale"}
        assert styles("lower", grid(bench, "lower").shown_keys[0]) == {"stale"}
        assert "stale" in next(line for line in bench.lines() if "▸RELIANCE" in line)
        assert "prices STALE" in bench.text
        bench.app.open_workspace(WorkspaceName.DESK)
        await bench.pilot.pause(0.002)
        assert styles("clients", bench.client("AM1042")) == {"stale"}


async def test_enter_goes_down_to_the_clients_page_and_esc_comes_back(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        await bench.keys("enter")
        assert bench.screen.focused is grid(bench, "lower")
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)
        await bench.keys("right_curly_bracket")
        assert "RG1008" in bench.text
        await bench.keys("escape", "escape")
        assert bench.screen.focused is grid(bench, "upper")


async def test_s_sells_what_the_marked_clients_hold(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_positions(bench)
        await bench.keys("enter", "space", "j", "space")
        await bench.keys("S")
        assert isinstance(bench.screen, BulkScreen)
        intent = bench.screen.query_one(BulkForm).intent()
        assert (intent.side, intent.key, intent.product) == (Side.SELL, "NSE:RELIANCE", None)
        assert (intent.sizing.kind, intent.sizing.value) == (SizingKind.PERCENT_OF_POSITION, 10_000)
        assert "2 MARKED of 50" in bench.text
        await bench.keys("enter")
        plan = bench.screen.query_one(PlanView).plan
        assert plan is not None
        assert (plan.answer, plan.shares) == ("sell 2", 20)
        await bench.type("sell 2")
        await bench.keys("enter")
        held = [h.quantity for h in bench.desk.holdings.all() if h.key == "NSE:RELIANCE" and h.quantity]
        assert held == [10]
        assert bench.desk.valuation.desk_total().realised_today_paise == 0


async def test_s_on_a_holding_sells_that_holding(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await with_positions(bench)
        client = bench.client("AM1042")
        bought = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 3, client, product=Product.MIS)
        await carry_out(bench.desk, bought)
        await bench.keys("4", "enter")
        for _ in range(2):
            cursor = grid(bench, "lower").cursor_key
            assert isinstance(cursor, tuple)
            await bench.keys("s")
            await bench.settle()
            assert bench.screen.query_one("#product", ChoiceField).value == cursor[2]
            quantity = bench.screen.query_one("#quantity", NumberField).value
            assert quantity == {"CNC": "10", "MIS": "3"}[cursor[2]]
            assert "charges" not in bench.row("free to sell"), "a word without its figure is no help"
            await bench.keys("escape", "down")
        await bench.keys("escape", "tab", "down", "s")
        assert bench.screen.query_one("#product", ChoiceField).value == "CNC"


async def test_no_figure_of_the_title_is_cut_where_it_is_narrow(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, bench.client("AM1042")))
        await bench.keys("4")
        title = bench.lines()[1].strip()
        assert "day net -" in title
        for part in title.split(" · ")[2:]:
            assert len(part.split()) > 1, f"{part} lacks its figure"
        assert not title.endswith("·")
