"""Figures that a trader reads out: one place for each, as old as the settings allow, of what is shown."""

import csv
from pathlib import Path

from data.records import replace
from data.vocabulary import AlternativeKind, OrderType, Side, SizingKind
from engine.planning.intent import Sizing
from engine.words.formats import signed_percent
from engine.words.trading.plans import alternative, verdict
from engine.words.trading.why import detail_words
from screens.clients.page_views import VIEWS, PageView
from screens.orders.modify import ModifyCard, ask_modify
from tests.desks import buy, carry_out
from tests.engine.test_days import next_day
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.cli.views.market import quote_shape
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.testing import shown_strips
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField


def row_of(bench: PaperBench, words: str) -> list[str]:
    """The words of the first line of the screen with these words in it."""
    return bench.row(words)


async def test_a_change_is_the_same_on_every_screen_and_on_the_command_line(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.pin("RELIANCE", 245050)
        told = signed_percent(quote_shape(bench.desk, "NSE:RELIANCE").change_bps)
        assert told == "+2.31"  # 55.30 of 2,395.20 is 2.3088 %
        assert told in row_of(bench, "▸RELIANCE")
        client = bench.client("RG1008")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, client))
        await bench.keys("4")
        assert told in row_of(bench, "▸RELIANCE")
        bench.app.open_client(client, [client])
        await bench.settle()
        assert told in row_of(bench, "▸RELIANCE")


async def test_a_loss_after_charges_is_no_gain_on_any_screen(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("RG1008")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 22, client))
        await bench.pin("RELIANCE", 245060)
        await bench.keys("f", *"rohan", "enter")
        assert "net -62 gross +2" in bench.lines()[0]
        assert row_of(bench, "RG1008")[-1] == "-62"
        await bench.keys("4")
        assert "day net -62 · gross +2 · charges 64" in bench.text
        await bench.keys("tab")
        assert row_of(bench, "▸RG1008")[-4:-2] == ["-62", "+2"]
        bench.app.open_client(client, [client])
        await bench.settle()
        assert "day net -62 (-0.03 % of opening 2.00 L) · gross +2 · charges 64" in bench.text


async def test_totals_are_of_the_rows_shown(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(
            bench.desk,
            buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, *(bench.client(c) for c in ("PS1015", "RG1008"))),
        )
        await bench.keys("f", *"priya")
        total = row_of(bench, "totals")
        rows = [line for line in bench.lines() if "PS1015" in line]
        assert len(rows) == 1
        shown = [word for word in row_of(bench, "PS1015") if "%" not in word]
        assert total[total.index("totals") - 3 :][:5] == ["1", "of", "50", "totals", "1/1"]
        assert total[-3:] == shown[-3:]


async def test_a_price_ages_by_the_setting_wherever_it_stands(tmp_path: Path) -> None:
    settings = Settings(trader="tester", price_age_limit_s=20)
    async with opened_on_paper(tmp_path, settings=settings) as bench:
        await bench.desk.market.follow(set(), "nobody")
        await bench.pin("RELIANCE", 245050)
        silent = bench.desk.market.feed_age()
        assert silent is not None
        bench.clock.shift(10)
        assert bench.desk.market.feed_stale() is False
        assert bench.desk.market.stale("NSE:RELIANCE") is False
        bench.app.frame()
        assert "STALE" not in bench.lines()[0]
        bench.clock.shift(15)
        assert bench.desk.market.feed_stale() is True
        assert bench.desk.market.stale("NSE:RELIANCE") is True


async def test_who_wants_no_flash_has_none(tmp_path: Path) -> None:
    for flash in (True, False):
        settings = Settings(trader="tester", flash=flash)
        async with opened_on_paper(tmp_path / str(flash), settings=settings) as bench:
            bench.draws = True
            grid = bench.screen.query_one("#watch", LiveGrid)
            await bench.pin("RELIANCE", 245050)
            exchange_of(bench.desk).pin("RELIANCE", 245100, 239520)
            await bench.desk.market.fetch({"NSE:RELIANCE"})
            bench.app.frame()
            await bench.pilot.pause(0.002)
            lit = grid.parts.whole("flash").bgcolor
            painted = shown_strips(bench.app)
            found = any(
                segment.style and segment.style.bgcolor == lit for strip in painted for segment in strip
            )
            assert found is flash


async def test_the_days_range_has_two_decimals(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.pin("RELIANCE", 245050)
        quote = bench.desk.market.quote("NSE:RELIANCE")
        assert quote is not None
        bench.app.open_symbol("NSE:RELIANCE")
        await bench.settle()
        low, high = (f"{paise // 100:,}.{paise % 100:02d}" for paise in (quote.low_paise, quote.high_paise))
        assert f"day {low}-{high}" in bench.text


async def test_orders_and_tape_of_the_day_before_are_dated(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, bench.client("RG1008")))
        await bench.settle()
        assert any("09:15:00 run 1" in line for line in bench.lines())
        await next_day(bench.desk)
        await bench.keys("3")
        assert row_of(bench, "RG1008")[:2] == ["▸18", "Nov"]
        bench.app.open_client(bench.client("RG1008"), [])
        await bench.settle()
        assert "no order today" in bench.text


async def written(bench: PaperBench, name: str) -> list[dict[str, str]]:
    """Write the table under the cursor to a file, and read it back."""
    await bench.keys("t")
    (path,) = (bench.desk.home / "exports").glob(f"{name}-20261118-*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def test_files_carry_raw_figures_and_all_that_tells_a_row_apart(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AP1022")
        capital = bench.desk.clients.get(client).capital_paise
        row = next(row for row in await written(bench, "clients") if row["code"] == "AP1022")
        assert (row["client"], row["gate"]) == ("Amit Patel", "not compared yet")
        assert row["capital"] == f"{capital // 100}.{capital % 100:02d}"
        _, run = await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, client))
        await bench.keys("3")
        (order,) = await written(bench, "orders-all")
        told = {name: order[name] for name in ("order", "run", "code", "client", "side", "symbol")}
        assert told == {
            "order": str(run.order_ids[0]),
            "run": "1",
            "code": "AP1022",
            "client": "Amit Patel",
            "side": "BUY",
            "symbol": "RELIANCE",
        }
        assert (order["product"], order["state"], order["average"]) == ("CNC", "FILLED", "2450.50")
        assert order["placed"].startswith("2026-11-18 09:15:")
        await bench.keys("4")
        (stock,) = await written(bench, "positions")
        assert (stock["symbol"], stock["average"], stock["value"]) == ("RELIANCE", "2450.50", "4901.00")
        await bench.keys("7")
        gate = await written(bench, "gate")
        assert len(gate) == 50
        assert all(row["client"] and row["session"] for row in gate)


async def test_the_history_of_a_client_is_written_in_rupees_and_names_who_did_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AP1022")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, client))
        bench.app.open_client(client, [])
        await bench.settle()
        await bench.keys(*["tab"] * list(VIEWS).index(PageView.HISTORY))
        assert "FILL_APPLIED" in bench.text
        rows = {row["what"]: row for row in await written(bench, "AP1022-history")}
        assert (rows["FILL_APPLIED"]["details: price"], rows["FILL_APPLIED"]["by"]) == ("2450.50", "broker")
        assert "." in rows["ORDER_RESERVED"]["details: blocked"]
        assert not [name for row in rows.values() for name in row if "paise" in name]


async def test_find_tells_the_change_and_plus_puts_it_on_the_watchlist(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        key = "NSE:WIPRO"
        await bench.keys("slash", *"wipro")
        await bench.settle()
        change = signed_percent(quote_shape(bench.desk, key).change_bps)
        assert change != "—"
        assert change in row_of(bench, "WIPRO")
        await bench.keys("+")
        await bench.settle()
        assert key in bench.desk.watchlists.keys(bench.desk.watchlists.names()[0])


async def test_a_modify_begins_at_the_price_is_compared_with_the_cash_and_says_when_it_is_made(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("PS1015")
        resting = buy("TCS", SizingKind.FIXED_QUANTITY, 3, client, limit_paise=240000)
        plan = await bench.desk.plans.freeze(resting)
        (order_id,) = (await bench.desk.runs.start(plan, plan.digest)).order_ids
        await bench.settle()
        ask_modify(bench.screen, bench.desk.orders.get(order_id))
        await bench.settle()
        assert bench.screen.focused is bench.screen.query_one("#modify-limit")
        assert "LTP 2,500.00" in bench.text
        field = bench.screen.query_one("#modify-quantity", NumberField)
        field.focus()
        await bench.keys(*"2410")
        await bench.settle()
        assert "CANNOT SEND: short by ₹" in bench.text
        await bench.keys("enter")
        assert isinstance(bench.card, ModifyCard)
        field.value = "3"
        bench.screen.query_one("#modify-limit", NumberField).focus()
        await bench.keys(*"2410")
        await bench.settle()
        await bench.keys("enter")
        assert "limit 2,400.00 to 2,410.00" in bench.text
        await bench.keys("y")
        await bench.until(lambda: any("modified: PS1015 BUY TCS, limit 2,410.00" in t for t in bench.toasts))
        assert bench.desk.orders.get(order_id).limit_paise == 241000


async def test_a_sell_proposes_what_is_free(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("RG1008")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 7, client))
        bench.app.open_ticket(Side.SELL, "NSE:RELIANCE", client)
        await bench.settle()
        assert bench.screen.query_one("#quantity", NumberField).value == "7"
        await bench.keys("2")
        assert bench.screen.query_one("#quantity", NumberField).value == "2"


async def test_limit_client_and_trigger_stand_in_the_blotter_at_80_columns(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        stop = replace(
            buy("TCS", SizingKind.FIXED_QUANTITY, 1, bench.client("PS1015"), limit_paise=261000),
            order_type=OrderType.SL,
            trigger_paise=260000,
        )
        plan = await bench.desk.plans.freeze(stop)
        await bench.desk.runs.start(plan, plan.digest)
        await bench.settle()
        await bench.keys("3")
        row, detail = (line for line in bench.lines() if "PS1015" in line)
        assert row.split()[-6:] == ["1", "2,610.00", "2,500.00", "+4.00", "TRIGGER", "PENDING"]
        assert "PS1015 Priya Sharma at zerodha BUY TCS CNC open T2,600.00" in detail
        await bench.keys("ctrl+o")
        assert "Priya" not in bench.text


async def test_the_affordable_quantity_still_stands_two_ticks_on(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        for code in ("AP1022", "PS1015", "RG1008", "AM1042"):
            intent = buy("INFY", SizingKind.FIXED_QUANTITY, 900, bench.client(code))
            exchange_of(bench.desk).pin("INFY", 150000, 149100)
            await bench.desk.market.fetch({"NSE:INFY"})
            (line,) = (await bench.desk.plans.preview(intent)).lines
            way = alternative(line, AlternativeKind.AFFORDABLE)
            assert way is not None
            exchange_of(bench.desk).pin("INFY", 150020, 149100)
            await bench.desk.market.fetch({"NSE:INFY"})
            fewer = replace(intent, sizing=Sizing(SizingKind.FIXED_QUANTITY, way.quantity))
            (line,) = (await bench.desk.plans.preview(fewer)).lines
            assert line.ok, (code, detail_words(line))


async def test_no_mtf_is_said_of_those_alone_who_have_none(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        for code, has_limit in (("PS1015", True), ("AM1042", False)):
            client = bench.client(code)
            assert bool(bench.desk.funds.of(client).mtf_limit_paise) is has_limit
            intent = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 90_000, client)
            (line,) = (await bench.desk.plans.preview(intent)).lines
            without = replace(line, alternatives=())
            assert ("no MTF" in verdict(without, Side.BUY, brief=False)) is not has_limit
