"""The chart of a symbol in a pane that says its span, its source and its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from brokers.contract import BarSpan
from engine.words import formats
from engine.words.market import chart_awaits, chart_source, span_words
from screens.desk.rows import stale_words
from screens.frame.pane import Pane
from widgets.candles import Candle, CandleChart

if TYPE_CHECKING:
    from engine.market.charts import ChartView
    from screens.frame.shell import Shell

SPANS = tuple(BarSpan)
"""The spans in the order in which the key turns them."""

FIRST = BarSpan.FIVE
"""A whole day of candles of this span has room on a narrow screen."""

EVERY_S = 1.0
"""Seconds between two paintings of a chart at least."""


def candles_of(chart: ChartView) -> list[Candle | None]:
    """Bars as they are drawn, each under the time when it began, the first of a day under the day."""
    candles: list[Candle | None] = []
    days = not chart.span.minutes or len({bar.at.date() for bar in chart.bars if bar}) > 1
    before = None
    for bar in chart.bars:
        if bar is None:
            candles.append(None)
            continue
        first, before = days and bar.at.date() != before, bar.at.date()
        label = f"{bar.at:%d %b}" if first else f"{bar.at:%H:%M}"
        candles.append(Candle(label, *bar[1:], first=first and bool(chart.span.minutes)))
    return candles


class ChartPane(Pane):
    """Candles and volumes of one symbol; `turn` changes how much time each stands for."""

    def __init__(self, shell: Shell, key: str) -> None:
        super().__init__("chart-pane", hint=", span")
        self._shell = shell
        self._key = key
        self._span = FIRST
        self._painted_at = float("-inf")

    def compose(self) -> ComposeResult:
        """The candles alone."""
        yield CandleChart(formats.price, formats.volume, "")

    def turn(self) -> None:
        """Show the next span."""
        self._turn_to(SPANS[(SPANS.index(self._span) + 1) % len(SPANS)])

    def _turn_to(self, span: BarSpan) -> None:
        self._span = span
        self._look_back()
        self.paint()

    def on_pane_title_clicked(self, event: Pane.TitleClicked) -> None:
        """A span that the title names."""
        event.stop()
        for span in SPANS:
            if event.words == span_words(span):
                self._turn_to(span)

    def on_frame(self) -> None:
        """Paint what has changed, where the last painting is old enough."""
        if self._shell.monotonic() - self._painted_at >= EVERY_S:
            self._look_back()
            self.paint()

    def on_mount(self) -> None:
        """Ask for what was before."""
        self._look_back()

    def _look_back(self) -> None:
        """Have the desk ask for bars of before, where that is due, and paint them when they come."""
        charts, span = self._shell.desk.charts, self._span

        async def look_back() -> None:
            await charts.look_back(self._key, span)
            if self.is_mounted:
                self.paint()

        if charts.is_due(self._key, span):
            self.run_worker(look_back, group=f"history-{span}", exit_on_error=False)

    def paint(self) -> None:
        """Paint now."""
        self._painted_at = self._shell.monotonic()
        desk, key = self._shell.desk, self._key
        chart, quote = desk.charts.chart(key, self._span), desk.market.quote(key)
        candles = candles_of(chart)
        drawn, before = self.query_one(CandleChart), quote.prev_close_paise if quote else 0
        drawn.set_hint(chart_awaits(chart, before))
        drawn.show(candles, before)
        age = f"{formats.age(desk.market.age(key))}{stale_words(desk, (key,))}"
        spans = "  ".join(f"▸{span_words(one)}" if one is self._span else span_words(one) for one in SPANS)
        self.set_title(f"Chart  {spans}", [chart_source(chart), age])
