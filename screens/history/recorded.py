"""What happened on the day that this desk replays, the newest first, as far as its market has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brokers.recording.happenings import NewsHappened, moment_of
from data.clock import IST
from engine.review.happenings import recorded_words
from engine.words.formats import MASK, time_of_day
from screens.history.figures import FiguresScreen, PageFigures
from widgets.livegrid import Column

if TYPE_CHECKING:
    from brokers.recording.happenings import Happened
    from screens.frame.records import Record

MOST = 500
"""The newest that are listed; a client's code, a symbol or a number narrows them."""


class RecordedScreen(FiguresScreen):
    """Orders, alerts and the tape's lines of then; of all, or of what a word names."""

    TITLE_WORDS = "Recorded day"
    FILE_NAME = "recorded"
    NOTHING = "nothing of it has happened yet"
    EVERY_S = 1.0

    def __init__(self, word: str = "") -> None:
        super().__init__()
        self._word = word

    def columns(self) -> list[Column]:
        """Rows are what happened."""
        return [
            Column("at", "time", 8, lambda one: time_of_day(moment_of(one))),
            Column("of", "of", 9, _of, style=_style),
            Column("what", "what", 40, self._words, flex=True, most=400, style=_style),
        ]

    def _words(self, one: Happened) -> str:
        return MASK if self.shell.privacy else recorded_words(one)

    async def read(self) -> PageFigures:
        """All until now."""
        found = self.desk.recorded.so_far(self._word)
        rows = dict(reversed([*enumerate(found, 1)][-MOST:]))
        whose = f" of {self._word}" if self._word else ""
        lines = ["The recorded day's own; what is traded in the replay is in 3 and on the tape."]
        if len(found) > MOST:
            lines.append(f"{MOST} of {len(found):,}: :recorded CODE or SYMBOL narrows them")
        told = f"Recorded day{whose} · until {self.desk.market.now().astimezone(IST):%H:%M:%S}"
        return PageFigures(told, "The newest first", lines, rows)

    def record(self, row: Any) -> Record:
        """As it is told."""
        at = moment_of(row).astimezone(IST).isoformat()
        return {"time": at, "of": _of(row), "what": recorded_words(row)}

    def client_of(self, row: Any) -> int | None:
        """The recorded day's clients are not this desk's."""
        return None


def _of(one: Happened) -> str:
    return one.topic if isinstance(one, NewsHappened) else "order"


def _style(one: Happened) -> str | None:
    return "strong" if isinstance(one, NewsHappened) else None
