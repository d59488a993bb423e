"""Candles drawn in cells, from small tables."""

from rich.cells import cell_len
from widget_app import WidgetApp

from widgets.candles import Candle, CandleChart, Chart, drawn, shown_candles, time_line


def rose(label: str) -> Candle:
    return Candle(label, 10, 19, 10, 17, 80)


ROSE = rose("09:15")
FELL = Candle("09:20", 16, 17, 10, 13, 40)


def lines_of(chart: Chart, cells: int, lines: int) -> list[str]:
    rows = drawn(chart, cells, lines, lambda price: f"{price}", lambda volume: f"{volume}v")
    return ["".join(cell.text for cell in row) for row in rows]


def test_what_rose_and_what_fell_differ_in_shape_and_a_gap_is_blank() -> None:
    text = lines_of(Chart((ROSE, None, FELL)), cells=13, lines=6)
    assert {len(line) for line in text} == {13}
    columns = ["".join(line[place] for line in text[:5]) for place in (0, 2, 4)]
    assert columns == ["│║║║║", "     ", " ╽┃╿│"]
    assert text[0].endswith(" 19")
    assert text[4].endswith(" 10")
    assert text[5].startswith("09:15")


def test_the_newest_candles_stay_where_not_all_have_room() -> None:
    many = [rose(f"{number}") for number in range(30)]
    assert shown_candles(many, 10)[0] == many[-10:]
    assert shown_candles(many[:5], 10) == (many[:5], 2)
    assert shown_candles([], 10)[0] == []


def test_volumes_stand_below_and_the_day_s_base_is_dotted() -> None:
    text = lines_of(Chart((ROSE, FELL), base=14), cells=12, lines=11)
    assert [line[0] for line in text[8:10]] == ["█", "█"]
    assert [line[2] for line in text[8:10]] == [" ", "█"], "half the volume, half the height"
    assert text[8].endswith("80v")
    assert any("┈┈┈" in line for line in text[:8])


def test_times_are_named_as_far_apart_as_they_can_be_read() -> None:
    candles = [rose(f"09:{minute:02}") for minute in range(15, 45)]
    line = time_line(candles, 1, 30)
    assert line == "09:15    09:24    09:33"
    assert time_line([None, ROSE], 2, 4) == ""


async def test_the_chart_fills_its_place_and_says_what_it_waits_for() -> None:
    chart = CandleChart(lambda price: f"{price}", lambda volume: f"{volume}", "none yet")
    async with WidgetApp(chart).run_test(size=(20, 8)) as pilot:
        assert "none yet" in chart.render_line(0).text
        chart.show([ROSE, FELL], 0)
        await pilot.pause()
        drawn_lines = [chart.render_line(y) for y in range(chart.size.height)]
        assert {cell_len(strip.text) for strip in drawn_lines} == {20}
        colours = {segment.style.color for strip in drawn_lines for segment in strip if segment.style}
        assert len(colours) >= 3, "rose, fell, and the figures beside"
