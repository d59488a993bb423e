"""The Desk: what a trader sees at once, at both sizes, and what its keys do."""

import csv
from pathlib import Path
from typing import cast

from data.records import replace
from data.vocabulary import ClientStatus, OrderState, Side, SizingKind
from engine.accounts.client_file import NewClient
from engine.planning.intent import Intent, Sizing
from engine.words.market import symbol_lines
from screens.frame.cards.confirm import WordsCard, YesCard
from screens.frame.help import HelpScreen
from tests.desks import buy, carry_out
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam
from widgets.depth import Depth
from widgets.livegrid import LiveGrid
from widgets.tape import TapeGrid


def clients(bench: Bench) -> LiveGrid:
    return bench.screen.query_one("#clients", LiveGrid)


def watch(bench: Bench) -> LiveGrid:
    return bench.screen.query_one("#watch", LiveGrid)


def client_row(bench: Bench, code: str) -> str:
    return next(line for line in bench.lines() if code in line)


async def test_a_newcomer_s_first_screen_says_the_way() -> None:
    async with opened() as bench:
        lines = bench.lines()
        assert lines[0].startswith(" PAPER Wed 18 Nov  09:15:00 continuous → 15:15 auction")
        for words in ("feed 0.", "unknown 0", "live 0", "gate 47/50", "net 0 gross 0"):
            assert words in lines[0]
        assert "B, Enter, type the words it asks for" in bench.text
        assert "press F9 once" in bench.text
        assert lines[-1].rstrip().endswith("F9 F9 CANCEL ALL")
        assert all(len(line) == 120 for line in lines)


async def test_it_fits_a_small_terminal() -> None:
    async with opened((80, 24)) as bench:
        lines = bench.lines()
        assert len(lines) == 24
        assert lines[0].startswith(" PAPER 18 Nov  09:15:00 cont→15:15  feed 0.")
        for words in ("unk 0", "live 0", "gate 47/50"):
            assert words in lines[0]
        row = client_row(bench, "AM1042")
        assert "Aarav Me" in row
        assert "1,11,111" in row
        assert "RELIANCE" in bench.text
        assert lines[-1].rstrip().endswith("F9 F9 CANCEL ALL")


async def test_below_the_least_size_it_says_so() -> None:
    async with opened((58, 18)) as bench:
        assert "60 columns and 20 lines" in bench.text
        assert "AM1042" not in bench.text


async def price_moves(bench: Bench) -> None:
    """Let market time pass, without a frame, until RELIANCE trades at another price than is shown."""
    shown = client_row(bench, "RELIANCE")
    for _ in range(200):
        await bench.clock.advance(1)
        await bench.pilot.pause(0.002)
        if watch(bench).columns[1].cell("NSE:RELIANCE") not in shown:
            return
    raise AssertionError("the price stands still")


async def test_prices_move_with_the_market_and_only_on_a_frame() -> None:
    async with opened() as bench:
        shown = client_row(bench, "RELIANCE")
        await price_moves(bench)
        assert client_row(bench, "RELIANCE") == shown, "nothing is painted between frames"
        await bench.settle()
        assert client_row(bench, "RELIANCE") != shown


async def test_a_silent_feed_is_visible() -> None:
    async with opened() as bench:
        assert "stale" not in bench.text
        bench.clock.shift(19)
        bench.app.frame()
        await bench.pilot.pause(0.002)
        assert "STALE" in bench.lines()[0]
        assert "stale" in next(line for line in bench.lines() if "▸RELIANCE" in line)


async def test_tab_moves_between_panes_and_the_symbol_follows_the_cursor() -> None:
    async with opened() as bench:
        assert bench.screen.focused is clients(bench)
        await bench.keys("tab")
        assert isinstance(bench.screen.focused, TapeGrid)
        await bench.keys("tab")
        assert bench.screen.focused is watch(bench)
        await bench.keys("down", "down")
        assert bench.screen.here().key == "NSE:INFY"
        assert bench.screen.here().client_id is None
        assert "─ INFY ──" in bench.text


async def test_the_client_s_row_proposes_client_and_symbol() -> None:
    async with opened() as bench:
        await bench.keys("j", "space", "j", "space")
        here = bench.screen.here()
        codes = sorted(bench.desk.clients.get(one).code for one in here.client_ids)
        assert here.key == "NSE:RELIANCE"
        assert here.client_id == clients(bench).cursor_key
        assert codes == ["AM1042", "AP1022"]
        assert "marked 2" in bench.text


async def test_filter_narrows_and_esc_clears() -> None:
    async with opened() as bench:
        await bench.keys("f")
        await bench.keys(*"mehta")
        await bench.keys("enter")
        assert len(clients(bench).shown_keys) == 1
        assert bench.screen.focused is clients(bench)
        assert "shown 1" in bench.text
        assert "filter mehta" in bench.text
        await bench.keys("escape")
        assert len(clients(bench).shown_keys) == 50
        assert bench.screen.focused is clients(bench)
        assert "filter" not in next(line for line in bench.lines() if "Clients 50" in line)
        for words, found in (
            ("inact", ["CB0002"]),
            ("expired", ["DR0044"]),
            ("nact", []),
            ("pending", ["CC0003"]),
        ):
            await bench.keys("f", *words, "enter")
            assert [bench.desk.clients.get(each).code for each in clients(bench).shown_keys] == found  # type: ignore[arg-type]
            await bench.keys("escape")
        for words, count in (("active", 48), ("inactive", 1)):
            await bench.keys("f", *words, "enter")
            assert len(clients(bench).shown_keys) == count
            await bench.keys("escape")


async def test_a_plan_made_anew_keeps_its_one_line_on_the_tape() -> None:
    async with opened() as bench:
        desk, tape = bench.desk, bench.screen.query_one(TapeGrid)
        intent = Intent(Side.BUY, "NSE:TCS", Sizing(SizingKind.PERCENT_OF_CAPITAL, 2_500))
        lines = len(tape.shown_keys)
        for _ in range(3):
            await desk.plans.freeze(intent)
        await bench.settle()
        assert len(tape.shown_keys) == lines + 1
        assert "plan 3 made" in bench.text
        await desk.plans.freeze(replace(intent, sizing=Sizing(SizingKind.PERCENT_OF_CAPITAL, 1_000)))
        await bench.settle()
        assert len(tape.shown_keys) == lines + 2


async def test_help_opens_from_the_command_line_too() -> None:
    async with opened() as bench:
        await bench.keys("colon")
        await bench.type("help")
        await bench.keys("enter")
        assert isinstance(bench.screen, HelpScreen)


async def test_groups_are_stepped_through() -> None:
    async with opened() as bench:
        groups = bench.desk.clients.groups()
        assert groups
        await bench.keys("right_curly_bracket")
        assert f"group {groups[0]}" in bench.text
        shown = [bench.desk.clients.get(cast("int", key)) for key in clients(bench).shown_keys]
        assert shown
        assert all(groups[0] in client.groups for client in shown)
        await bench.keys("left_curly_bracket")
        assert len(clients(bench).shown_keys) == 50


async def test_totals_are_of_what_is_shown_at_once_when_that_changes(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:

        def counted() -> str:
            line = next(line for line in bench.lines() if "totals" in line)
            return line.partition("totals")[0].split("│")[-1].strip()

        await bench.keys("2", "1")
        assert counted() == "50"
        await bench.keys("right_curly_bracket")
        assert "shown 8" in bench.text
        assert counted().split() == ["8", "of", "50"]
        await bench.keys("f", "p", "r", "i", "y")
        assert "shown 1" in bench.text
        assert counted().split() == ["1", "of", "50"]


async def test_the_group_shown_stays_by_its_name_when_another_comes_before_it() -> None:
    async with opened() as bench:
        desk = bench.desk
        await bench.keys("right_curly_bracket")
        (group, *_), shown = desk.clients.groups(), clients(bench).shown_keys
        joined = NewClient(
            "NEW1",
            "New One",
            "zerodha",
            "ZNEW1",
            ClientStatus.ACTIVE,
            1_00_000_00,
            1_00_000_00,
            groups=("AAA",),
        )
        await desk.clients.add([joined])
        await bench.settle()
        assert desk.clients.groups()[0] == "AAA"
        assert f"group {group}" in bench.text
        assert clients(bench).shown_keys == shown


async def test_privacy_masks_names_and_amounts_everywhere() -> None:
    async with opened() as bench:
        await bench.keys("ctrl+o")
        assert "Aarav" not in bench.text
        assert "1,11,111" not in bench.text
        assert "AM1042" in bench.text
        assert "day " not in bench.lines()[0]
        await bench.keys("ctrl+o")
        assert "Aarav Mehta" in bench.text


async def test_freezing_is_loud_and_stops_painting() -> None:
    async with opened() as bench:
        await bench.keys("z")
        assert "FROZEN" in bench.lines()[0]
        shown = client_row(bench, "RELIANCE")
        await price_moves(bench)
        await bench.settle()
        assert client_row(bench, "RELIANCE") == shown
        await bench.keys("z")
        assert "FROZEN" not in bench.lines()[0]
        assert client_row(bench, "RELIANCE") != shown


async def test_x_asks_first_and_y_cancels_one_order() -> None:
    async with opened() as bench:
        (order,) = await bench.rest_orders("AM1042")
        clients(bench).move_cursor(bench.desk.clients.find("AM1042").id)
        await bench.keys("x")
        assert isinstance(bench.card, YesCard)
        assert "AM1042 Aarav Mehta: BUY 1 TCS CNC LIMIT 2,300.00" in bench.text
        await bench.keys("enter")
        assert bench.desk.orders.get(order).live
        await bench.keys("y")
        await bench.until(lambda: bench.desk.orders.get(order).state is OrderState.CANCELLED)


async def test_several_orders_take_typed_words() -> None:
    async with opened() as bench:
        orders = await bench.rest_orders("AM1042", "MI1001")
        clients(bench).set_marks(bench.desk.clients.find(code).id for code in ("AM1042", "MI1001"))
        await bench.keys("X")
        assert isinstance(bench.card, WordsCard)
        await bench.type("y")
        await bench.keys("enter")
        assert all(bench.desk.orders.get(order).live for order in orders)
        await bench.type("cancel 2")
        await bench.keys("enter")
        await bench.until(lambda: not any(bench.desk.orders.get(order).live for order in orders))


async def test_keys_without_use_are_absent() -> None:
    async with opened() as bench:
        assert "x" not in bench.screen.active_bindings
        await bench.rest_orders("AM1042")
        clients(bench).move_cursor(bench.desk.clients.find("AM1042").id)
        assert "x" in bench.screen.active_bindings


async def test_the_table_goes_to_a_file_that_no_spreadsheet_executes() -> None:
    async with opened() as bench:
        await bench.keys("t")
        (path,) = (bench.desk.home / "exports").glob("clients-*.csv")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) == 51
        assert rows[0][:3] == ["code", "client", "broker"]
        assert "gate" in rows[0]
        assert any(row[:2] == ["AM1042", "Aarav Mehta"] for row in rows)


async def test_a_row_taken_off_the_watchlist_leaves_the_cursor_in_its_place() -> None:
    async with opened() as bench:
        await bench.keys("shift+tab", "down", "down")
        before = watch(bench).shown_keys
        await bench.keys("delete")
        await bench.until(lambda: len(watch(bench).shown_keys) == len(before) - 1)
        assert watch(bench).cursor_key == before[3]


async def test_no_figure_under_the_watchlist_is_cut() -> None:
    async with opened() as bench:
        header = bench.screen.query_one(Depth).head
        key, market, said = "NSE:RELIANCE", bench.desk.market, "held 47 clients 5,10,000 sh"
        for width in range(10, 60):
            for line in symbol_lines(market.index.get(key), market.quote(key), said, width):
                held = line.partition("  ")[2]
                assert held in ("", "held 47: 5,10,000 sh", "held 47 clients 5,10,000 sh")
        assert all(len(line) < bench.screen.query_one(Depth).size.width for line in header)


async def test_only_the_visible_screen_gets_frames() -> None:
    async with opened() as bench:
        seen: list[str] = []
        desk = bench.screen
        desk.on_frame = lambda: seen.append("desk")  # type: ignore[method-assign]
        bench.app.frame()
        assert seen == ["desk"]
        await bench.keys("f1")
        seen.clear()
        bench.app.frame()
        assert seen == []


async def test_themes_change_by_the_command_line() -> None:
    async with opened() as bench:
        await bench.keys("colon")
        await bench.type("theme high-contrast")
        await bench.keys("enter")
        assert bench.app.theme == "high-contrast"


async def test_the_tape_of_an_open_app_is_dated_when_the_day_turns_and_news_come_on_top(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AM1042")
        assert " · held" in bench.lines()[1]
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, client))
        await bench.settle()
        tape = bench.screen.query_one(TapeGrid)
        assert "run 1 finished" in tape.render_line(0).text
        assert "plan 1 made" in tape.render_line(1).text
        assert "18 Nov" not in tape.render_line(1).text
        await bench.pass_time(1)
        desk = bench.desk
        exchange_of(desk).jump(seam(desk).calendar.session_close(desk.market_clock.trading_day))
        await bench.settle()
        for y in (0, 1):
            assert tape.render_line(y).text.strip(" ▸").startswith("18 Nov 09:15:")
