"""What a symbol's chart shows: the desk's own bars, behind those that a broker tells of before."""

import logging
from collections import OrderedDict
from datetime import datetime, timedelta

from msgspec import Struct

from brokers.connection import Connection
from brokers.contract import Bar, BarSpan, BrokerError, TellsHistory
from brokers.outages import Outages
from data.clock import IST
from data.records import replace
from engine.market.bars import begin_of, in_span, joined, with_gaps
from engine.market.market import Market
from engine.timing import Timing

log = logging.getLogger(__name__)

ASK_AGAIN_S = 60.0
"""Seconds until a broker is asked anew for the bars of one symbol and span, whatever it answered."""

KEPT = 64
"""Symbols and spans whose told bars are kept; what was not looked at for the longest time goes first."""

DAYS_BACK = {BarSpan.MINUTE: 0, BarSpan.FIVE: 4, BarSpan.FIFTEEN: 10, BarSpan.DAY: 120}
"""Days before today of which bars are asked: a weekend more than there is room for."""


class ChartView(Struct, frozen=True):
    """The bars of one span, oldest first with None for a gap within a day.

    `told_by` is the broker that told the first of them, up to the bar that began at `told_to`; `own_since`
    is when the first of them began that this desk made of its ticks. `problem` is why none was told.
    """

    span: BarSpan
    bars: tuple[Bar | None, ...]
    told_by: str = ""
    told_to: datetime | None = None
    own_since: datetime | None = None
    problem: str = ""


class _Told(Struct, frozen=True):
    """What a broker answered when it was last asked."""

    asked_s: float
    bars: tuple[Bar, ...] = ()
    problem: str = ""


class Charts:
    """Makes charts of what is known, and asks the feed's broker for what was before where it tells that."""

    def __init__(self, market: Market, timing: Timing, feed: Connection) -> None:
        self._market = market
        self._timing = timing
        self._feed = feed
        self._told: OrderedDict[tuple[str, BarSpan], _Told] = OrderedDict()
        self._outages = Outages()

    @property
    def tells_history(self) -> bool:
        """Whether the feed's broker is asked for bars of before."""
        return self._feed.capabilities.history and isinstance(self._feed.broker, TellsHistory)

    def chart(self, key: str, span: BarSpan) -> ChartView:
        """A symbol's chart as it stands; nothing is asked for it."""
        own = self._today(key) if span is BarSpan.DAY else in_span(self._market.minute_bars(key), span)
        told = self._told.get((key, span), _Told(0.0))
        bars = joined(told.bars, own)
        return ChartView(
            span,
            tuple(with_gaps(bars, span)),
            told_by=self._feed.name if told.bars else "",
            told_to=told.bars[-1].at if told.bars else None,
            own_since=own[0].at if own else None,
            problem=told.problem,
        )

    def is_due(self, key: str, span: BarSpan) -> bool:
        """Whether the bars of before may be asked for, and were not lately."""
        known = self._told.get((key, span))
        return self.tells_history and (
            known is None or self._timing.wall.monotonic() - known.asked_s >= ASK_AGAIN_S
        )

    async def look_back(self, key: str, span: BarSpan) -> None:
        """Ask for the bars of before, where that is due.

        What a broker does not tell is no error here: the chart says so.
        """
        if not self.is_due(key, span):
            return
        now_s, known = self._timing.wall.monotonic(), self._told.get((key, span))
        self._keep(key, span, replace(known or _Told(now_s), asked_s=now_s))
        broker = self._feed.broker
        assert isinstance(broker, TellsHistory)
        until = self._market.now()
        since = begin_of(until, BarSpan.DAY) - timedelta(days=DAYS_BACK[span])
        try:
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                bars = await broker.bars(key, span, since, until)
        except (BrokerError, TimeoutError) as problem:
            self._outages.failed(log, "history", "bars of before", problem)
            words = str(problem) or "no answer in time"
            self._keep(key, span, replace(known or _Told(now_s), asked_s=now_s, problem=words))
            return
        self._outages.over("history", "bars of before")
        self._keep(key, span, _Told(now_s, tuple(_in_india(bar) for bar in bars)))

    def _keep(self, key: str, span: BarSpan, told: _Told) -> None:
        self._told[key, span] = told
        self._told.move_to_end((key, span))
        while len(self._told) > KEPT:
            self._told.popitem(last=False)

    def _today(self, key: str) -> list[Bar]:
        """The day's own bar, which the quote tells whole; none while nothing has traded."""
        quote = self._market.quote(key)
        if quote is None or quote.last_paise <= 0 or quote.open_paise <= 0:
            return []
        prices = (quote.open_paise, quote.high_paise, quote.low_paise, quote.last_paise)
        return [Bar(begin_of(quote.market_at, BarSpan.DAY), *prices, quote.volume)]


def _in_india(bar: Bar) -> Bar:
    return bar._replace(at=bar.at.astimezone(IST))
