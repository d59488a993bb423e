"""Panes with their frames, the third pane of a wide screen, and what keys, help and palette say."""

from pathlib import Path

import pytest
from textual.command import CommandPalette, Hit

from data.records import replace
from data.vocabulary import OrderType, Reason, SizingKind
from engine.words import formats
from engine.words.trading.plans import problem
from screens.bulk.beside import SymbolRuns
from screens.bulk.form import BulkForm
from screens.desk.clients import ClientsPane
from screens.desk.sectors import SectorPane
from screens.desk.side import SidePane
from screens.desk.watch import WatchPane
from screens.frame.help import HelpScreen, by_group, key_rows, narrowed
from screens.frame.pane import Pane, framed
from tests.desks import buy, carry_out
from tests.further import further, further_rows
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.app.palette import LOOK_BELOW, DeskCommands
from tradedesk.compose.brokers.paper import exchange_of
from widgets.livegrid import LiveGrid


def test_figures_of_a_title_leave_whole_and_from_the_right() -> None:
    figures = ["gate 47/50", "marked 3", "sort code"]
    assert framed("Clients", figures, 60) == ("Clients", "gate 47/50 · marked 3 · sort code")
    assert framed("Clients", figures, 33) == ("Clients", "gate 47/50 · marked 3")
    assert framed("Clients", figures, 12) == ("Clients", "")
    assert framed("Clients", figures, 5) == ("Clie…", "")


async def test_every_pane_has_a_frame_and_the_one_with_the_focus_the_accent(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        assert "╭─ Watchlist 1/1 ─" in bench.lines()[1]
        assert "╭─ Clients 50 ─" in bench.lines()[1]
        clients, watch = bench.screen.query_one(ClientsPane), bench.screen.query_one(WatchPane)
        assert clients.styles.border_top != watch.styles.border_top
        accent = clients.styles.border_top
        await bench.keys("shift+tab")
        assert bench.screen.focused is watch.grid
        assert watch.styles.border_top == accent
        assert clients.styles.border_top != accent


async def test_a_narrow_screen_keeps_the_upper_edges_alone(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        assert bench.lines()[1].startswith("─ Watchlist 1/1 ─")
        assert not set("╭╮╰╯") & set(bench.text)


async def test_another_title_is_painted_without_what_stands_under_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        grid = bench.screen.query_one("#clients", LiveGrid)
        drawn: list[int] = []
        line = grid.render_line
        grid.render_line = lambda y: drawn.append(y) or line(y)  # type: ignore[method-assign]
        bench.screen.query_one(ClientsPane).set_title("Clients", ["other figures"])
        await bench.pilot.pause()
        assert drawn == []
        assert "other figures" in bench.lines()[1]


async def held_and_live(bench: PaperBench) -> None:
    """Shares and a live order of one client, who is under the cursor."""
    client = bench.client("AM1042")
    await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 7, client))
    await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, client, limit_paise=230000))
    bench.screen.query_one("#clients", LiveGrid).move_cursor(client)
    await bench.settle()


async def test_a_wide_screen_shows_what_belongs_to_the_row_under_the_cursor(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (200, 50)) as bench:
        await held_and_live(bench)
        side = bench.screen.query_one(SidePane)
        assert side.is_seen
        titles = [pane.title_words for pane in side.query(Pane)]
        assert titles[0].startswith("RELIANCE · 2,450.50 +2.31 %")
        assert titles[1].startswith("AM1042 Aarav Mehta · day net ")
        assert titles[2] == "Live orders · 1"
        funds = bench.desk.funds.of(bench.client("AM1042"))
        assert f"cash {formats.rupees(funds.available_paise)}" in bench.text
        await bench.keys("down")
        assert side.query_one("#side-live", LiveGrid).shown_keys == ()
        assert "no order lives" in bench.text


async def test_a_bulk_form_a_client_and_the_gate_leave_no_wide_screen_empty(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (200, 50)) as bench:
        await held_and_live(bench)
        client = bench.client("AM1042")
        await bench.keys("enter")
        beside = bench.screen.query_one(SidePane)
        assert beside.query_one("#side-live", LiveGrid).shown_keys != ()
        assert beside.query_one("#side-symbol", Pane).title_words.startswith("RELIANCE")
        assert "Equity" in bench.screen.query_one("#course-pane", Pane).title_words
        assert "of portfolio" in bench.text
        await bench.keys("7")
        bench.screen.query_one("#gate", LiveGrid).move_cursor(client)
        await bench.settle()
        assert bench.screen.query_one("#side-client", Pane).title_words.startswith("AM1042")
        assert bench.screen.query_one("#side-live", LiveGrid).shown_keys != ()
        await bench.keys("1")
        await bench.keys("S")
        await bench.settle()  # the frame after what is read beside the form
        clients = bench.screen.query_one("#form-clients-grid", LiveGrid)
        assert bench.screen.query_one("#form-clients", Pane).title_words.startswith("For 1 client ·")
        assert clients.shown_keys == (client,)
        assert bench.screen.query_one("#form-symbol", Pane).title_words.startswith("RELIANCE")


async def test_what_few_rows_leave_of_a_screen_shows_the_day_the_sectors_and_who_is_skipped(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await held_and_live(bench)
        client = bench.client("AM1042")
        await bench.keys("enter")
        titles = {pane.title for pane in bench.screen.query(Pane) if pane.size}
        assert titles >= {"Orders today", "Equity", "Sectors of AM1042 1"}
        await bench.keys("4", "tab")
        sectors = bench.screen.query_one(SectorPane)
        assert sectors.title == "Sectors of AM1042 1"
        assert sectors.sectors.keys() == {"Oil, Gas & Consumable Fuels"}
        assert not any("▸Oil" in line for line in bench.lines()), "no cursor stands where no key can go"
        await bench.keys("1")
        await bench.keys("B")
        await bench.pass_time()
        grid = bench.screen.query_one("#form-clients-grid", LiveGrid)
        plan = await bench.desk.plans.preview(bench.screen.query_one(BulkForm).intent())
        assert list(grid.shown_keys) == [line.client_id for line in plan.lines]
        short = next(line for line in plan.skipped_lines if line.reason is Reason.INSUFFICIENT_FUNDS)
        assert problem(short) in bench.text
        runs = bench.screen.query_one("#form-runs-grid", LiveGrid)
        assert runs.shown_keys == (1,)
        bench.screen.query_one(SymbolRuns).on_frame(None)
        assert runs.shown_keys == (2, 1), "before a symbol is typed all of the day's runs stand there"
        await bench.keys("ctrl+o")
        await bench.pass_time(1.5)
        assert "short" not in bench.text, "what is lacking is an amount"
        assert client in grid.shown_keys


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (
            (120, 40),
            "2 Bulk · 3 Orders · 4 Positions · 5 Matrix · 6 Rebalance · 7 Clients · 8 Day · 9 Audit",
        ),
        ((80, 24), "2 Bul · 3 Ord · 4 Pos · 5 Mat · 6 Reb · 7 Cli · 8 Day · 9 Aud"),
    ],
    ids=str,
)
async def test_where_there_is_no_third_pane_the_desk_names_all_its_workspaces(
    tmp_path: Path, size: tuple[int, int], names: str
) -> None:
    async with opened_on_paper(tmp_path, size) as bench:
        assert not bench.screen.query_one(SidePane).is_seen
        if size[1] < 40:
            bench.screen.query_one("#tape").focus()
            await bench.settle()
        assert names in bench.text


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_the_blotter_shows_a_limit_with_the_last_price_beside_it(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size) as bench:
        await held_and_live(bench)
        await bench.keys("3")
        row = bench.row("TCS")
        assert "AM1042" in " ".join(row)
        at = row.index("2,300.00")
        assert row[at + 1 : at + 3] == ["2,500.00", "-8.00"]
        await bench.pin("TCS", 240000)
        assert bench.row("TCS")[at + 1 : at + 3] == ["2,400.00", "-4.17"]
        assert "2,450" not in bench.row("RELIANCE")[-2:], "what has filled has no price to wait for"


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_a_price_of_a_lakh_is_shown_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened_on_paper(tmp_path, size) as bench:
        await held_and_live(bench)
        exchange_of(bench.desk).pin("TCS", 125_000_00, 125_000_00)
        await bench.desk.market.fetch({"NSE:TCS"})
        await bench.settle()
        assert "1,25,000.00" in bench.row("TCS")
        await bench.keys("3")
        row = bench.row("TCS")
        assert row[row.index("2,300.00") + 1] == "1,25,000.00"


async def test_a_stop_shows_its_trigger_and_that_it_waits(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AM1042")
        limit = buy("TCS", SizingKind.FIXED_QUANTITY, 2, client, limit_paise=261000)
        await carry_out(bench.desk, replace(limit, order_type=OrderType.SL, trigger_paise=260000))
        await bench.keys("3")
        row = " ".join(bench.row("▸09:15"))
        assert "2,610.00 2,500.00 +4.00 2,600.00" in row
        assert "TRIGGER PENDING" in row


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["x"], "x cancels live orders: there is none under the cursor"),
        (["tab", "f"], "f filters the rows of a table: Tab goes to one"),
        (["3", "e"], "e changes a live order"),
    ],
)
async def test_a_key_with_nothing_to_do_says_why(tmp_path: Path, keys: list[str], told: str) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys(*keys)
        assert told in bench.toasts[-1]


async def test_a_key_that_has_something_to_do_says_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("f", "x", "e", "escape", "space")
        assert bench.toasts == []


async def test_help_begins_with_the_focus_and_ends_with_what_works_everywhere(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        lines = by_group(key_rows(bench.screen))
        heads = [(line.where, line.group) for line in lines if line.group and not line.keys]
        assert heads[:3] == [("Clients 50", "Orders"), ("Clients 50", "Tables"), ("this screen", "Orders")]
        assert heads[-5:-2] == [("everywhere", one) for one in ("Emergency", "Workspaces", "Orders")]
        assert len(heads) == len(set(heads))
        bench.screen.query_one("#watch").focus()
        await bench.settle()
        assert key_rows(bench.screen)[0].where == "Watchlist 1/1"
        await bench.keys("b")
        assert {row.where for row in key_rows(bench.screen)} == {"Order ticket"}


@pytest.mark.parametrize(
    ("typed", "found"),
    further_rows(
        [
            ("b", ["buy one symbol for one client"]),
            ("f9", ["press twice: halt the desk and cancel every live order of every client"]),
            ("many buy", ["buy one symbol for many clients"]),
            ("zebra", []),
        ]
    ),
)
async def test_what_is_typed_in_the_help_narrows_it(tmp_path: Path, typed: str, found: list[str]) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        everything = key_rows(bench.screen)
        assert [row.words for row in narrowed(everything, typed)] == found
        await bench.keys("question_mark")
        await bench.type(typed)
        screen = bench.screen
        assert isinstance(screen, HelpScreen)
        assert f"{len(found)} of {len(everything)}" in bench.text
        assert (found[0] if found else "no key does that here")[:40] in bench.text
        await bench.keys("escape")
        assert bench.screen is screen
        assert f" {len(everything)} ─" in bench.text
        await bench.keys("down", "pagedown", "escape")
        assert not isinstance(bench.screen, HelpScreen)


async def test_who_looks_for_a_key_in_the_help_finds_one_that_has_nothing_to_do_here(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("question_mark")
        assert "not here now" not in bench.text
        await bench.type("cancel")
        assert "not here now" in bench.text
        assert "cancel what the cursor is on: an order" in bench.text
        assert " x " in next(line for line in bench.lines() if "cancel what the cursor" in line)


async def test_what_halts_the_desk_is_never_what_enter_takes_first(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("ctrl+p")
        assert isinstance(bench.screen, CommandPalette)
        commands = DeskCommands(bench.screen)
        for words in ("halt the desk", "cancel", "press twice"):
            hits = [hit async for hit in commands.search(words) if isinstance(hit, Hit)]
            first = max(hits, key=lambda hit: hit.score)
            assert first.match_display == LOOK_BELOW or "halt the desk" not in str(first.match_display)
            assert any("halt the desk" in str(hit.match_display) for hit in hits)
