"""The grid draws what is visible and changed, and cursor and marks stay with their rows."""

from itertools import pairwise

from rich.segment import Segment
from textual.binding import Binding
from textual.strip import Strip
from widget_app import Client, Kept, Ticker, WidgetApp, client_columns, clients

from widgets.columns import LINE_CELLS, TEXT_CELLS, WIDEST_GAP, Column, place_columns, sorted_keys
from widgets.livegrid import LiveGrid

SIZE = (80, 24)
BODY = 23


class Drawn:
    """A grid of made-up clients that notes each row it draws."""

    def __init__(self, count: int, **options: object) -> None:
        self.codes: list[str] = []
        self.clock = Ticker()
        self.rows = clients(count)
        columns = client_columns(lambda client: self.codes.append(client.code))
        self.grid = LiveGrid(columns, monotonic=self.clock, hint="no client", **options)  # type: ignore[arg-type]
        self.app = WidgetApp(self.grid)

        self.lines = 0
        draw = self.grid.render_line

        def counting(y: int) -> Strip:
            self.lines += 1
            return draw(y)

        self.grid.render_line = counting  # type: ignore[method-assign]

    def show(self) -> None:
        self.grid.set_rows(self.rows)
        self.grid.focus()

    def taken(self) -> list[str]:
        taken, self.codes[:] = sorted(self.codes), []
        return taken

    def line(self, y: int) -> str:
        return self.grid.render_line(y).text

    def cells(self, y: int) -> dict[str, Segment]:
        return {segment.text.strip(): segment for segment in self.grid.render_line(y)}


async def test_a_flush_draws_exactly_the_visible_dirty_rows() -> None:
    drawn = Drawn(1_000)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.pause()
        assert drawn.taken() == [f"C{n:04d}" for n in range(BODY)]

        drawn.lines = 0
        drawn.grid.apply({"C0002", "C0020", "C0500", "C0999"})
        await pilot.pause()
        assert drawn.lines == 2
        assert drawn.taken() == ["C0002", "C0020"]

        drawn.grid.apply(set(drawn.rows))
        await pilot.pause()
        assert drawn.taken() == [f"C{n:04d}" for n in range(BODY)]

        drawn.grid.apply({"C0500", "C0999"})
        await pilot.pause()
        assert drawn.taken() == []

        drawn.grid.refresh()
        await pilot.pause()
        assert drawn.taken() == []


async def test_a_row_that_changed_out_of_sight_is_drawn_afresh_when_it_comes_into_view() -> None:
    drawn = Drawn(100)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.press("end", "home")
        drawn.rows["C0099"].name = "Changed Name"
        drawn.grid.apply({"C0099"})
        await pilot.press("end")
        await pilot.pause()
        assert "Changed Name" in drawn.line(BODY)


async def test_moving_the_cursor_draws_two_rows_and_tells_where_it_is() -> None:
    drawn = Drawn(50)
    kept = Kept(LiveGrid.Highlighted, LiveGrid.Opened)
    async with drawn.app.run_test(size=SIZE, message_hook=kept) as pilot:
        drawn.show()
        await pilot.pause()
        drawn.taken()
        await pilot.press("j")
        await pilot.pause()
        assert drawn.taken() == ["C0000", "C0001"]
        assert drawn.line(2).startswith(" ▸C0001")
        await pilot.press("k", "k", "enter")
        await pilot.pause()
        assert [(type(m).__name__, m.key) for m in kept.messages] == [
            ("Highlighted", "C0001"),
            ("Highlighted", "C0000"),
            ("Opened", "C0000"),
        ]


async def test_cursor_and_marks_survive_sorting_filtering_and_reordering() -> None:
    drawn = Drawn(200)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.press(*["j"] * 30, "space")
        assert drawn.grid.cursor_key == "C0030"
        line_before = next(y for y in range(1, BODY + 1) if "▸" in drawn.line(y))

        drawn.grid.set_order(reversed(drawn.rows))
        await pilot.pause()
        assert drawn.grid.cursor_key == "C0030"
        assert drawn.grid.marked_keys == {"C0030"}
        assert drawn.line(line_before).startswith("•▸C0030")

        drawn.grid.set_order(["C0001", "C0030", "C0002"])
        await pilot.pause()
        assert drawn.line(2).startswith("•▸C0030")

        drawn.grid.set_order(["C0001", "C0002"])
        assert drawn.grid.cursor_key == "C0002"
        assert drawn.grid.marked_keys == {"C0030"}

        drawn.grid.set_order([])
        await pilot.pause()
        assert drawn.grid.cursor_key is None
        assert drawn.line(1).strip() == "no client"
        assert "grid.open" not in {b.binding.id for b in drawn.app.screen.active_bindings.values()}


async def test_marks_are_told_with_what_is_hidden() -> None:
    drawn = Drawn(10)
    kept = Kept(LiveGrid.Marked)
    async with drawn.app.run_test(size=SIZE, message_hook=kept) as pilot:
        drawn.show()
        await pilot.press("space")
        drawn.grid.set_order(["C0003", "C0004"])
        await pilot.press("*", "i")
        await pilot.pause()
        assert [m.keys for m in kept.messages] == [{"C0000"}, {"C0000", "C0003", "C0004"}, {"C0000"}]


async def test_marking_all_that_is_shown_twice_takes_those_marks_away() -> None:
    drawn = Drawn(10)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.press("space")
        drawn.grid.set_order(["C0003", "C0004"])
        await pilot.press("*")
        assert drawn.grid.marked_keys == {"C0000", "C0003", "C0004"}
        await pilot.press("*")
        assert drawn.grid.marked_keys == {"C0000"}


async def test_sorting_waits_a_second_and_for_the_trader() -> None:
    drawn = Drawn(30)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.pause()
        drawn.grid.sort_by("pnl", descending=True)
        drawn.rows["C0029"].pnl = 10**12
        assert not drawn.grid.resort()
        drawn.clock.seconds += 1.1
        assert drawn.grid.resort()
        assert drawn.grid.shown_keys[0] == "C0029"

        await pilot.press("j")
        drawn.rows["C0028"].pnl = 10**13
        drawn.clock.seconds += 1.9
        assert not drawn.grid.resort()
        assert drawn.grid.shown_keys[0] == "C0029"
        drawn.clock.seconds += 0.2
        assert drawn.grid.resort()
        assert drawn.grid.shown_keys[0] == "C0028"


async def test_sort_keys_cycle_figures_from_high_to_low_and_flip() -> None:
    drawn = Drawn(30)
    kept = Kept(LiveGrid.Sorted)
    async with drawn.app.run_test(size=SIZE, message_hook=kept) as pilot:
        drawn.show()
        await pilot.press("o", "]", "]", "]", "o", "[", "[", "[")
        await pilot.pause()
        assert [(m.column_key, m.descending) for m in kept.messages] == [
            ("code", False),
            ("client", False),
            ("capital", True),
            ("capital", False),
            ("client", False),
            ("code", False),
            (None, False),
        ]
        assert list(drawn.grid.shown_keys) == list(drawn.rows)


def test_blanks_sort_last_in_both_directions() -> None:
    rows = {
        name: Client(name, name, pnl=pnl) for name, pnl in zip("abcde", (None, 5, -3, None, 9), strict=True)
    }
    column = next(column for column in client_columns() if column.key == "pnl")
    assert sorted_keys(rows, rows, column, descending=False) == ["c", "b", "e", "a", "d"]
    assert sorted_keys(rows, rows, column, descending=True) == ["e", "b", "c", "a", "d"]
    assert sorted_keys(["e", "gone", "b"], rows, column, descending=False) == ["b", "e", "gone"]


def test_narrow_widths_drop_columns_by_priority_and_wide_ones_stop_at_what_a_name_takes() -> None:
    columns = client_columns()

    def keys(width: int, skip: int | None = None) -> list[str]:
        return [placed.column.key for placed in place_columns(columns, width, gutter=1, skip=skip)]

    assert keys(120) == [column.key for column in columns]
    assert "mtf" not in keys(70)
    assert keys(60) == ["code", "client", "gate", "capital", "available", "pnl", "live"]
    assert keys(34) == ["code", "client", "gate", "pnl"]
    assert keys(20) == ["code", "client", "gate"]
    assert keys(4) == ["code"]
    for width in range(8, 130):
        last = place_columns(columns, width, gutter=1)[-1]
        assert last.x + last.width <= width
    assert keys(52) == ["code", "client", "gate", "available", "pnl", "live"]
    assert keys(52, skip=2) == ["code", "client", "gate", "blocked", "mtf", "pnl"]
    wide = place_columns(columns, 120, gutter=1)
    assert wide[1].width == TEXT_CELLS
    assert {after.x - before.x - before.width for before, after in pairwise(wide)} == {WIDEST_GAP}
    sentences = [*columns, Column("why", "why", 8, lambda client: client.name, flex=True, most=LINE_CELLS)]
    whole = place_columns(sentences, 300, gutter=1)
    assert whole[1].width == TEXT_CELLS
    assert whole[-1].x + whole[-1].width == 300


async def test_other_columns_are_shown_and_the_sort_stays_where_it_can() -> None:
    drawn = Drawn(5)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        drawn.grid.sort_by("pnl", descending=True)
        columns = client_columns()
        drawn.grid.set_columns([column for column in columns if column.key in ("code", "pnl")])
        await pilot.pause()
        assert drawn.line(0).split() == ["code", "▼day", "P&L"]
        drawn.grid.set_columns(columns[:2])
        await pilot.pause()
        assert drawn.grid.sort_key is None
        assert list(drawn.grid.shown_keys) == list(drawn.rows)


async def test_every_line_is_as_wide_as_the_grid_at_any_size() -> None:
    for width in (40, 60, 80, 200):
        drawn = Drawn(40)
        async with drawn.app.run_test(size=(width, 24)) as pilot:
            drawn.show()
            drawn.grid.set_totals({"client": "totals", "pnl": "+1,23,456"}, {"pnl": "up"})
            await pilot.pause()
            assert {drawn.grid.render_line(y).cell_length for y in range(24)} == {width}
            assert "tot" in drawn.line(23)
            assert "+1,23,456" in drawn.line(23)
            assert drawn.line(0).split()[0] == "code"


async def test_hidden_columns_are_reached_by_panning() -> None:
    drawn = Drawn(5)
    async with drawn.app.run_test(size=(52, 24)) as pilot:
        drawn.show()
        await pilot.pause()
        assert drawn.grid.hidden_columns == 3
        seen = set(drawn.line(0).split())
        for _ in range(8):
            await pilot.press("right")
            await pilot.pause()
            seen |= set(drawn.line(0).split())
        assert seen >= {"code", "client", "gate", "capital", "available", "blocked", "mtf", "P&L", "liv"}
        at_end = drawn.line(0)
        assert "liv" in at_end
        await pilot.press("left")
        await pilot.pause()
        assert drawn.line(0) != at_end


async def test_changed_cells_are_lit_for_the_frames_asked_and_only_they() -> None:
    drawn = Drawn(30, flash_frames=lambda: 2)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.pause()
        lit = drawn.grid.parts.whole("flash").bgcolor
        drawn.rows["C0005"].pnl = 7_00_000_00
        drawn.rows["C0025"].pnl = 7_00_000_00
        drawn.grid.apply({"C0005", "C0025"})
        await pilot.pause()
        cells = drawn.cells(6)
        assert cells["+7,00,000"].style.bgcolor == lit  # type: ignore[union-attr]
        assert [text for text, part in cells.items() if part.style.bgcolor == lit] == ["+7,00,000"]  # type: ignore[union-attr]
        drawn.taken()
        drawn.grid.apply(())
        await pilot.pause()
        assert drawn.taken() == []
        drawn.grid.apply(())
        await pilot.pause()
        assert drawn.taken() == ["C0005"]
        assert drawn.cells(6)["+7,00,000"].style.bgcolor != lit  # type: ignore[union-attr]


async def test_cells_are_never_markup_and_styles_follow_the_theme() -> None:
    drawn = Drawn(5)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        drawn.rows["C0001"].name = "[red]\x1b[1mX[/]"
        drawn.rows["C0001"].pnl = -5_00
        await pilot.pause()
        assert "[red][1mX[/]" in drawn.line(2)
        before = drawn.cells(2)["-5"].style
        drawn.app.theme = "textual-light"
        await pilot.pause()
        assert drawn.cells(2)["-5"].style != before


async def test_the_mouse_does_what_the_keys_do() -> None:
    drawn = Drawn(50)
    kept = Kept(LiveGrid.Highlighted, LiveGrid.Opened, LiveGrid.Sorted, LiveGrid.Marked)
    async with drawn.app.run_test(size=SIZE, message_hook=kept) as pilot:
        drawn.show()
        await pilot.click(offset=(10, 5))
        await pilot.click(offset=(0, 7))
        await pilot.click(offset=(2, 0))
        await pilot.click(offset=(10, 3), times=2)
        await pilot.pause()
        assert [type(m).__name__ for m in kept.messages] == [
            *("Highlighted", "Highlighted", "Marked", "Sorted", "Highlighted", "Opened")
        ]
        assert kept.messages[0].key == "C0004"
        assert kept.messages[2].keys == {"C0006"}
        assert (kept.messages[3].column_key, kept.messages[3].descending) == ("code", False)
        assert kept.messages[5].key == "C0002"


async def test_program_made_changes_tell_nobody() -> None:
    drawn = Drawn(50)
    kept = Kept(LiveGrid.Highlighted, LiveGrid.Sorted, LiveGrid.Marked)
    async with drawn.app.run_test(size=SIZE, message_hook=kept) as pilot:
        drawn.show()
        drawn.grid.move_cursor("C0040")
        drawn.grid.sort_by("code", descending=True)
        drawn.grid.set_marks({"C0001"})
        drawn.grid.set_order(["C0001"])
        await pilot.pause()
        assert kept.messages == []
        assert drawn.grid.cursor_key == "C0001"


def test_every_binding_can_be_renamed() -> None:
    bindings = [binding for binding in LiveGrid.BINDINGS if isinstance(binding, Binding)]
    assert len(bindings) == len(LiveGrid.BINDINGS)
    assert all(binding.id for binding in bindings)
    keys = {key for binding in bindings for key in binding.key.split(",")}
    assert "j" in keys
    assert "g" not in keys


def test_a_column_of_no_sort_cannot_be_sorted_by() -> None:
    column = Column("x", "x", 3, str)
    assert sorted_keys([3, 1, 2], {n: n for n in (1, 2, 3)}, column, descending=False) == [3, 1, 2]


async def test_other_rows_lay_the_screen_out_only_where_the_scroll_bar_comes_or_goes() -> None:
    drawn = Drawn(10)
    async with drawn.app.run_test(size=SIZE) as pilot:
        drawn.show()
        await pilot.pause()
        layouts: list[bool] = []
        laid_out = drawn.app.screen.screen_layout_refresh_signal
        laid_out.subscribe(drawn.grid, lambda _: layouts.append(True), immediate=True)

        drawn.grid.set_rows(clients(4))
        await pilot.pause()
        drawn.grid.set_rows(clients(BODY))
        await pilot.pause()
        assert not layouts
        assert drawn.line(BODY).split()[0] == f"C{BODY - 1:04d}"

        drawn.grid.set_rows(clients(1_000))
        await pilot.pause()
        assert layouts
        assert drawn.grid.vertical_scrollbar.window_virtual_size == 1 + 1_000
        await pilot.pause()
        layouts.clear()

        drawn.grid.set_rows(clients(500))
        await pilot.pause()
        assert not layouts
        assert drawn.grid.vertical_scrollbar.window_virtual_size == 1 + 500

        drawn.grid.set_rows(clients(4))
        await pilot.pause()
        assert layouts
        assert not drawn.grid.show_vertical_scrollbar


async def test_a_sentence_that_its_column_cuts_is_told_whole_for_the_row_under_the_cursor() -> None:
    said = {"a": "short", "b": "three percent of capital is less than one share"}
    columns = [
        Column("code", "code", 6, lambda row: row),
        Column("name", "name", 8, lambda row: f"a long name of {row}", flex=True),
        Column("why", "why", 10, lambda row: f" {said[row]}", flex=True, most=LINE_CELLS),
    ]
    grid = LiveGrid(columns, monotonic=Ticker())
    async with WidgetApp(grid).run_test(size=(40, 6)) as pilot:
        grid.set_rows({key: key for key in said})
        grid.focus()
        await pilot.pause()
        assert grid.cut_words == "", "what is whole needs no more, and a name is no sentence"
        await pilot.press("down")
        assert grid.cut_words == said["b"]
