"""The strip, the key line, the book and the tape."""

from rich.cells import cell_len
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input
from widget_app import Kept, Ticker, WidgetApp

from engine.words import formats
from tradedesk.testing import paint
from widgets.depth import Depth, DepthLine
from widgets.keyline import CANCEL_ALL, KeyLine
from widgets.numberfield import NumberField
from widgets.statusstrip import Segment, StatusStrip, fitting
from widgets.tape import TapeGrid

SEGMENTS = [
    Segment("PAPER", 0, "mode"),
    Segment("09:17:42 continuous → 15:15 auction (F&O)", 1, brief="09:17:42 cont→15:15"),
    Segment("feed 0.2s", 0),
    Segment("unknown 0", 0, brief="unk 0"),
    Segment("live 12", 2),
    Segment("gate 47/50", 3),
    Segment("run 12 31/45", 3, brief="run12 31/45"),
    Segment("+1.23 L", 4, "up"),
    Segment("!2", 5, "warn"),
]


def said(width: int) -> str:
    parts, between, _ = fitting(SEGMENTS, width)
    words = (" " * between).join(text for text, _ in parts)
    assert len(words) <= width or all(not segment.priority for segment in SEGMENTS if segment.text in words)
    return " ".join(text for text, _ in parts)


def test_the_strip_shortens_then_closes_up_then_drops_from_the_right_and_keeps_what_must_stay() -> None:
    assert said(130).endswith("+1.23 L !2")
    assert "continuous" in said(130)
    assert fitting(SEGMENTS, 130).between == 2
    assert said(80) == "PAPER 09:17:42 cont→15:15 feed 0.2s unk 0 live 12 gate 47/50 run12 31/45 +1.23 L"
    assert fitting(SEGMENTS, 80).between == 1
    assert said(79) == "PAPER 09:17:42 cont→15:15 feed 0.2s unknown 0 live 12 gate 47/50 run 12 31/45"
    assert said(66) == "PAPER 09:17:42 cont→15:15 feed 0.2s unknown 0 live 12 gate 47/50"
    assert said(5) == "PAPER feed 0.2s unk 0"


async def test_the_strip_is_one_full_line_and_its_ground_tells_the_mode() -> None:
    strip = StatusStrip(SEGMENTS)
    async with WidgetApp(strip).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        grounds = []
        for mode in ("paper", "live", "armed"):
            strip.mode = mode
            await pilot.pause()
            line = strip.render_line(0)
            assert line.cell_length == 80
            grounds.append({part.style.bgcolor for part in line if part.style})
        assert all(len(ground) == 1 for ground in grounds)
        assert len(set.union(*grounds)) == 3


class KeyApp(WidgetApp):
    """Binds some of the program's keys."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("b", "note('buy')", "order", group=Binding.Group("order"), id="k.b"),
        Binding("s", "note('sell')", "order", group=Binding.Group("order"), id="k.s"),
        Binding("/", "note('find')", "find", id="k.find"),
        Binding("p", "pause", "pause", id="k.pause"),
        Binding("w", "note('what if')", "what-if", id="k.w", show=False),
        Binding("f9", "note('cancel')", "cancel all", priority=True, id="k.cancel"),
        Binding("question_mark", "app.help", "keys", id="k.help"),
    ]
    running = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.running if action == "pause" else True


async def said_by(line: KeyLine, pilot: Pilot[None]) -> str:
    """What a key line says a frame later, which is when it reads the keys."""
    await pilot.pause()
    paint(pilot.app)
    await pilot.pause()
    return line.render_line(0).text


async def test_the_key_line_says_what_is_possible_and_always_cancel_all() -> None:
    line, field, text_field = KeyLine(), NumberField(), Input()
    app = KeyApp(field, text_field, line)
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_focus(None)
        text = await said_by(line, pilot)
        assert text.split("  ")[0].strip() == "b s order"
        assert "pause" not in text
        assert "what-if" not in text
        assert "? keys" in text
        app.running = True
        app.refresh_bindings()
        assert "p pause" in await said_by(line, pilot)
        field.focus()
        text = await said_by(line, pilot)
        assert "Enter go on" in text
        assert "/ find" in text
        text_field.focus()
        assert "/ find" not in await said_by(line, pilot)
        field.focus()
        await pilot.resize_terminal(34, 24)
        text = await said_by(line, pilot)
        assert cell_len(text) == 34
        assert text.endswith(f"{CANCEL_ALL} ")
        assert "b s order" not in text


async def test_the_key_line_keeps_what_has_the_lowest_rank_where_not_all_fit() -> None:
    line = KeyLine(rank_of=lambda command: {"k.help": 1, "k.find": 2}.get(command or "", 3))
    async with KeyApp(line).run_test(size=(50, 24)) as pilot:
        assert (await said_by(line, pilot)).split("  ")[:3] == [" b s order", "/ find", "? keys"]
        await pilot.resize_terminal(40, 24)
        assert (await said_by(line, pilot)).split("  ")[:2] == [" / find", "? keys"]
        await pilot.resize_terminal(30, 24)
        assert (await said_by(line, pilot)).split("  ")[0] == " ? keys"


async def test_the_key_line_presses_the_key_under_the_mouse() -> None:
    line = KeyLine()
    app = KeyApp(line)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for x in (1, 3, 14, 78):
            await pilot.click(KeyLine, offset=(x, 0))
            await pilot.pause()
        assert app.noted == ["buy", "sell", "find", "cancel"]


async def test_the_book_shows_five_levels_and_dashes_for_none() -> None:
    depth = Depth(formats.price, formats.quantity)
    async with WidgetApp(depth).run_test(size=(44, 24)) as pilot:
        depth.set_header(["RELIANCE tick 0.10\x1b[2J", "held 23 clients"])
        best = DepthLine(210, 2_450_40, 2_450_60, 160)
        depth.update([best, DepthLine(1_10_000, 2_450_30, None, None)])
        await pilot.pause()
        lines = [depth.render_line(y).text for y in range(depth.size.height)]
        assert depth.size.height == 8
        assert {cell_len(line) for line in lines} == {44}
        assert lines[0].rstrip() == " RELIANCE tick 0.10[2J"
        assert lines[2].split() == ["210", "2,450.40", "│", "2,450.60", "160"]
        assert lines[3].split() == ["1,10,000", "2,450.30", "│", "—", "—"]
        assert lines[6].split() == ["—", "—", "│", "—", "—"]
        assert len({line.index("│") for line in lines[2:7]}) == 1
        assert lines[7].replace("━", "").split() == ["bids", "1,10,210", "160", "asks"]
        ground = {part.style.bgcolor for part in depth.render_line(3) if part.style and part.text.strip()}
        assert len(ground) == 2, "the largest level has a ground of its own"


async def test_a_wide_book_counts_its_orders_and_a_narrow_one_shortens_its_shares() -> None:
    level = DepthLine(11_000, 2_450_40, 2_450_60, 160, 12, 3)
    for width, told in (
        (60, ["12", "11,000", "2,450.40", "│", "2,450.60", "160", "3"]),
        (30, ["11.0k", "2,450.40│2,450.60", "160"]),
    ):
        depth = Depth(formats.price, formats.quantity, formats.volume)
        async with WidgetApp(depth).run_test(size=(width, 24)) as pilot:
            depth.update([level])
            await pilot.pause()
            assert depth.render_line(0).text.split() == told


async def test_no_count_of_orders_ever_touches_its_shares() -> None:
    for width in range(63, 69):
        depth = Depth(formats.price, formats.quantity, formats.volume)
        async with WidgetApp(depth).run_test(size=(width, 8)) as pilot:
            depth.update([DepthLine(1_00_00_00_000, 2_450_40, 2_450_60, 1_00_00_00_000, 1, 1)])
            await pilot.pause()
            bid = depth.render_line(0).text.partition("│")[0].split()
            assert bid in (["1", "1,00,00,00,000", "2,450.40"], ["1", "1.0B", "2,450.40"]), width


async def test_a_narrow_book_keeps_its_prices_whole() -> None:
    depth = Depth(formats.price, formats.quantity)
    async with WidgetApp(depth).run_test(size=(26, 24)) as pilot:
        depth.update([DepthLine(1_10_000, 1_02_450_40, 1_02_450_60, 1_60_000)])
        await pilot.pause()
        line = depth.render_line(0).text
        assert line.split() == ["1,02,450.40│1,02,450.60"]


async def test_the_tape_has_one_line_an_event_newest_first() -> None:
    tape = TapeGrid(monotonic=Ticker(), kept=3)
    kept = Kept(TapeGrid.Opened)
    async with WidgetApp(tape).run_test(size=(60, 6), message_hook=kept) as pilot:
        tape.focus()
        for number in range(1, 5):
            tape.put(number, f"09:15:0{number} run {number} [red]started")
        tape.put(3, "09:15:09 run 3 finished\n", "warn")
        await pilot.pause()
        assert [tape.render_line(y).text.strip() for y in range(4)] == [
            "▸09:15:09 run 3 finished",
            "09:15:04 run 4 [red]started",
            "09:15:02 run 2 [red]started",
            "",
        ]
        await pilot.press("j", "enter")
        tape.put(5, "09:15:10 run 5 started")
        tape.reword(4, "18 Nov 09:15:04 run 4 started")
        tape.reword(2, "a line that is gone")
        await pilot.press("enter", "home", "enter")
        tape.put(6, "09:15:11 run 6 started")
        await pilot.press("enter")
        await pilot.pause()
        assert [m.key for m in kept.messages] == [4, 4, 5, 6]


def test_what_is_spare_shows_only_where_all_else_stands_in_full() -> None:
    spare = [
        Segment("NIFTY 24,565.65 +0.22 %", brief="NIFTY 24,566", spare=True),
        Segment("BANK 55,364", spare=True),
    ]
    without = [fitting(SEGMENTS, width) for width in range(30, 170)]
    whole = next(
        width
        for width in range(30, 300)
        if len(fitting(SEGMENTS, width).parts) == len(SEGMENTS)
        and [text for text, _ in fitting(SEGMENTS, width).parts] == [one.text for one in SEGMENTS]
    )
    shown = {
        width: [text for text, _ in fitting([*SEGMENTS, *spare], width).parts[len(SEGMENTS) :]]
        for width in range(whole, whole + 60)
    }
    assert shown[whole] == []
    assert list(dict.fromkeys(map(tuple, shown.values()))) == [
        (),
        ("NIFTY 24,566",),
        ("NIFTY 24,565.65 +0.22 %",),
        ("NIFTY 24,566", "BANK 55,364"),
        ("NIFTY 24,565.65 +0.22 %", "BANK 55,364"),
    ]
    assert [fitting([*SEGMENTS, *spare], width) for width in range(30, whole)] == without[: whole - 30]
