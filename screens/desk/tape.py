"""The tape of the Desk: what was told, a line a run or event, and what a newcomer is asked to try."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date
from typing import TYPE_CHECKING

from data.clock import IST
from engine.events import TapeLine
from engine.news import NewsTopic, PlanMade, RunNews, Subject
from engine.words.tape import news_words
from screens.frame.times import market_stamp
from widgets.tape import TapeGrid

if TYPE_CHECKING:
    from engine.desk import Desk

FIRST_STEPS = "no run yet: B, Enter, type the words it asks for (such as  buy 45), Enter"
LOOK_STEPS = "LOOK: 3 has the orders of your other terminals, 4 their positions; nothing is sent from here"
NEXT_STEPS = "Enter on a line opens its run; B or S begins another, . the same again"
TEST_F9 = "press F9 once: the top line turns red if this terminal delivers it; then Esc"

LOUD = frozenset({NewsTopic.HALT, NewsTopic.TROUBLE, NewsTopic.WARNING})
"""What the tape says in the colour of a warning."""


class DeskTape(TapeGrid):
    """Says what the desk tells, with the market's time of it."""

    def __init__(self, desk: Desk, monotonic: Callable[[], float], id: str) -> None:  # noqa: A002 - Textual's
        super().__init__(monotonic=monotonic, id=id)
        self._desk = desk
        self._told_lines: dict[Hashable, TapeLine] = {}
        self._day: date | None = None
        self._told = 0
        self._planned = ""
        self._plan_key: Hashable = None
        self._asks_for_f9 = False
        self._newcomer = False

    def begin(self) -> None:
        """Put what was told before; where no run was made yet, what there is to try."""
        self.keep_dated()
        for line in self._desk.tape():
            self.tell(line)
        if not self._desk.runs.all():
            if self._desk.looks_only:
                self.put("first", LOOK_STEPS, "strong")
                return
            self._asks_for_f9 = self._newcomer = True
            self.put("f9", TEST_F9, "dim")
            self.put("first", FIRST_STEPS, "strong")

    def tell(self, line: TapeLine) -> None:
        """One line a run or event: news of a run replaces its own line, a plan made anew the one before."""
        news = line.news
        run = isinstance(news, RunNews)
        if run and self._newcomer:
            self._newcomer = False
            self.reword("first", NEXT_STEPS, "dim")
        key: Hashable = news.subject if run else f"{news.topic}:{self._told}"
        if isinstance(news, PlanMade):
            key = self._plan_key = self._plan_key if news.title == self._planned else key
            self._planned = news.title
        elif run:
            self._planned = ""  # sent, or left for another: the next plan is one of its own
        self._told += 1
        self._told_lines[key] = line
        self.put(key, self._words(line), "warn" if news.topic in LOUD else None)

    def keep_dated(self) -> None:
        """Put the date before the lines of a day that has ended."""
        day = self._desk.market.now().astimezone(IST).date()
        if day != self._day:
            self._day = day
            for key, line in self._told_lines.items():
                self.reword(key, self._words(line))

    def f9_came(self) -> None:
        """Say so on the line that asks for a first F9."""
        if self._asks_for_f9:
            self._asks_for_f9 = False
            self.reword("f9", "this terminal delivers F9; Esc stands it down", "dim")

    def subject_of(self, key: Hashable) -> Subject | None:
        """What a line is about; None where that has no page."""
        line = self._told_lines.get(key)
        return None if line is None else line.news.subject

    def _words(self, line: TapeLine) -> str:
        return f"{market_stamp(self._desk, line.at)} {news_words(line.news)}"
