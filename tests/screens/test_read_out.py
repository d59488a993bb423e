"""Figures that a trader reads out: one place for each, as old as the settings allow, of what is shown."""

from pathlib import Path

from data.vocabulary import SizingKind
from tests.desks import buy, carry_out
from tests.engine.test_days import next_day
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.commands.shapes import quote_shape
from tradedesk.settings import Settings
from widgets.formats import signed_percent
from widgets.livegrid import LiveGrid


def row_of(bench: PaperBench, words: str) -> list[str]:
    """The words of the first line of the screen with these words in it."""
    return next(line for line in bench.lines() if words in line).split()


async def test_a_change_is_the_same_on_every_screen_and_on_the_command_line(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.pin("RELIANCE", 245050)
        told = signed_percent(quote_shape(bench.desk, "NSE:RELIANCE")["change_bps"])
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
        assert row_of(bench, "RG1008")[-3:-1] == ["-62", "+2"]
        await bench.keys("4")
        assert "day net -62 · gross +2 · charges 64" in bench.text
        await bench.keys("tab")
        assert row_of(bench, "▸RG1008")[-5:-3] == ["-62", "+2"]
        bench.app.open_client(client, [client])
        await bench.settle()
        assert "day net -62 (-0.03 % of 2.00 L) · gross +2 · charges 64" in bench.text


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
        shown = rows[0].split()
        assert total[total.index("totals") - 1 :][:3] == ["1", "totals", "1/1"]
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
            grid = bench.screen.query_one("#watch", LiveGrid)
            await bench.pin("RELIANCE", 245050)
            bench.desk.exchange.pin("RELIANCE", 245100, 239520)
            await bench.desk.market.fetch({"NSE:RELIANCE"})
            bench.app.frame()
            await bench.pilot.pause(0.002)
            lit = grid.get_component_rich_style("livegrid--flash").bgcolor
            strips = list(bench.app.screen._compositor.render_strips())
            found = any(
                segment.style and segment.style.bgcolor == lit for strip in strips for segment in strip
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
        assert "orders today 0" in bench.text
