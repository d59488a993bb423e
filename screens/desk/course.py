"""The equity of the day of a client or of the desk, in a pane that says since when and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from engine.words import formats
from engine.words.day.equity import course_figures
from engine.words.formats import MASK
from screens.desk.rows import stale_words
from screens.frame.pane import Pane
from widgets.sparks import DotLine

if TYPE_CHECKING:
    from screens.frame.shell import Shell

EVERY_S = 1.0
"""Seconds between two paintings at least."""


class CoursePane(Pane):
    """A line through the equity at each minute of the day; minutes in which nobody looked are gaps."""

    def __init__(self, shell: Shell, client_id: int | None, id: str = "course-pane") -> None:  # noqa: A002 - Textual's own word
        """Of the whole desk without a client."""
        super().__init__(id)
        self._shell = shell
        self._client_id = client_id
        self._painted_at = float("-inf")

    def compose(self) -> ComposeResult:
        """The line alone."""
        yield DotLine("", self._words)

    def _words(self, paise: int) -> str:
        return MASK if self._shell.privacy else formats.rupees(paise)

    def show(self, client_id: int | None) -> None:
        """Turn to another client."""
        if client_id != self._client_id:
            self._client_id, self._painted_at = client_id, float("-inf")

    def on_frame(self) -> None:
        """Paint what has changed, where it is seen and the last painting is old enough."""
        if self.size and self._shell.monotonic() - self._painted_at >= EVERY_S:
            self.paint()

    def paint(self) -> None:
        """Paint now."""
        self._painted_at = self._shell.monotonic()
        desk, client_id = self._shell.desk, self._client_id
        if client_id is None:
            value, course = desk.valuation.desk_total(), desk.equity.desk_course()
            keys = desk.valuation.keys()
        else:
            value, course = desk.valuation.client(client_id), desk.equity.course(client_id)
            keys = desk.valuation.keys_of((client_id,))
        opened = value.opening_paise
        begins = f"opened {self._words(opened)} · the line begins with the day's second minute"
        self.query_one(DotLine).set_hint(begins)
        self.query_one(DotLine).show([None if net is None else opened + net for net in course], opened)
        figures = course_figures(value, desk.equity.began, self._shell.privacy)
        self.set_title(f"Equity{stale_words(desk, keys)}", figures)
