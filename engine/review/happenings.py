"""What a recording keeps of a day beside its prices, and the look at it in a replay."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from brokers.recording.happenings import Happened, NewsHappened, OrderHappened, stamp_us
from engine.book.book import Book
from engine.book.views import OrderView
from engine.book.watched.alert_views import AlertView
from engine.events import AlertsChanged, Event, OrderChanged, TapeLine
from engine.news import AlertNews, NewsTopic
from engine.words.alerts import alert_words
from engine.words.tape import news_words
from engine.words.trading.orders import flagged_why, happened_words

_WORDS = re.compile(r"[\w&-]+")


class HappeningsHeard:
    """Makes of what is heard what a recording keeps: orders that changed, lines of the tape, alerts.

    `keep` takes each; `now` is the market's time, `standing` the alerts that wait for the trader.
    """

    def __init__(
        self,
        book: Book,
        now: Callable[[], datetime],
        standing: Callable[[], Sequence[AlertView]],
        keep: Callable[[Happened], None],
    ) -> None:
        self._book = book
        self._now = now
        self._standing = standing
        self._keep = keep
        self._orders: dict[int, OrderHappened] = {}
        self._alerts: dict[int, str] = {}

    def hear(self, event: Event) -> None:
        """Keep what it tells; of most events that is nothing."""
        match event:
            case OrderChanged(order_ids=order_ids):
                for order_id in sorted(order_ids):
                    self._order(self._book.orders[order_id])
            case TapeLine(news=AlertNews()):
                pass  # it stands by the next look, whichever process raised it
            case TapeLine(news=news):
                self._tell(news.topic, news_words(news))
            case AlertsChanged():
                self._alerts_changed()
            case _:
                pass

    def _order(self, order: OrderView) -> None:
        happened = OrderHappened(
            0,
            order.id,
            self._book.clients[order.client_id].code,
            order.run_number or 0,
            str(order.side),
            order.quantity,
            order.tradingsymbol,
            str(order.product),
            order.limit_paise or 0,
            order.trigger_paise or 0,
            str(order.state),
            order.filled_quantity,
            order.filled_notional_paise,
            flagged_why(order),
        )
        if self._orders.get(order.id) == happened:
            return
        self._orders[order.id] = happened
        self._keep(replace(happened, at_us=stamp_us(self._now())))

    def _alerts_changed(self) -> None:
        before = self._alerts
        self._alerts = {one.number: alert_words(one) for one in self._standing()}
        for number in sorted(self._alerts.keys() - before.keys()):
            self._tell(NewsTopic.WARNING, f"alert {number}: {self._alerts[number]}")
        for number in sorted(before.keys() - self._alerts.keys()):
            self._tell(NewsTopic.WARNING, f"alert {number} is done with or put off: {before[number]}")

    def _tell(self, topic: NewsTopic, words: str) -> None:
        self._keep(NewsHappened(stamp_us(self._now()), topic.value, words))


class RecordedDay:
    """What happened on the day that a desk replays, as far as its market has come."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._happened: Sequence[Happened] = ()
        self.played = False
        """Whether this desk replays a day at all."""

    def play(self, happened: Sequence[Happened]) -> None:
        """Have this happen, in the order of its moments, as the market comes to it."""
        self._happened, self.played = happened, True

    def so_far(self, word: str = "") -> list[Happened]:
        """What has happened until now, the oldest first; with a word only what names it."""
        until = bisect_right(self._happened, stamp_us(self._now()), key=lambda one: one.at_us)
        return [one for one in self._happened[:until] if not word or names(one, word)]


def names(happened: Happened, word: str) -> bool:
    """Whether what happened names a client, a symbol, or whatever else this is a word of."""
    return word.casefold() in _WORDS.findall(recorded_words(happened).casefold())


def recorded_words(happened: Happened) -> str:
    """What happened, without the time."""
    return happened.words if isinstance(happened, NewsHappened) else happened_words(happened)
