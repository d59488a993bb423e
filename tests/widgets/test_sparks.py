"""A course of figures as blocks and as dots."""

from rich.cells import cell_len
from widget_app import WidgetApp

from widgets.sparks import BRAILLE, DotLine, blocks, dotted, levels, resampled


def test_values_are_chosen_evenly_and_the_last_is_among_them() -> None:
    assert resampled([1, 2, 3], 10) == [1, 2, 3]
    assert resampled(list(range(100)), 4) == [24, 49, 74, 99]


def test_the_least_is_low_the_greatest_high_and_what_does_not_move_lies_midway() -> None:
    assert levels([10, 20, 30], 8) == [0, 3, 7]
    assert levels([5, 5], 8) == [4, 4]
    assert levels([], 8) == []


def test_a_line_of_blocks_is_no_longer_than_its_cells() -> None:
    assert blocks([1, 8], 10) == "▁█"
    assert blocks(list(range(50)), 8) == "▁▂▃▄▅▆▇█"
    assert blocks([], 8) == ""


def test_dots_rise_with_the_figures_without_a_hole() -> None:
    lines = dotted([0, 1, 2, 3, 4, 5, 6, 7], cells=4, lines=2)
    assert [len(line) for line in lines] == [4, 4]
    assert lines[0].startswith(chr(BRAILLE) * 2)
    assert lines[1].endswith(chr(BRAILLE) * 2)
    jump = dotted([0, 7], cells=1, lines=2)
    assert "".join(jump) == "⢸⡸", "every height between the two points has its dot"


async def test_the_line_takes_its_colour_from_where_it_ends() -> None:
    line = DotLine("no price yet")
    async with WidgetApp(line).run_test(size=(20, 6)) as pilot:
        assert "no price yet" in line.render_line(0).text
        colours = []
        for base in (50, 10, 30):
            line.show([10, 20, 30], base)
            await pilot.pause()
            drawn = [line.render_line(y) for y in range(line.size.height)]
            assert {cell_len(strip.text) for strip in drawn} == {20}
            colours.append({part.style.color for strip in drawn for part in strip if part.style})
        assert len({frozenset(colour) for colour in colours}) == 3


async def test_what_it_says_without_a_line_takes_as_many_lines_as_it_needs() -> None:
    line = DotLine("the line begins with the day's second minute")
    async with WidgetApp(line).run_test(size=(20, 6)):
        assert line.is_bare
        said = [line.render_line(y).text.strip() for y in range(line.size.height)]
        assert " ".join(said).strip() == line.hint
