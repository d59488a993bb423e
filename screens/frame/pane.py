"""A framed part of a screen: title and figures stand in the frame, which has the accent with the focus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from rich.cells import cell_len
from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message

from widgets.keyline import hinted_key, press
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyInput
from widgets.text import clip, plain

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from screens.frame.shell import Shell

BESIDE_TITLE = 6
"""Cells of the upper edge that the frame itself takes: corners, and what is between them and the words."""
HINT_END = 3
"""Cells of the lower edge behind its hint."""
HINT_GAP = "  "
"""What stands between two keys of a hint, and between two views that a title names."""
VIEW_SIGN = "▸"
"""What stands before the view that is shown, so that the others are quiet."""
LETTERS = "asdfghjkl"
"""What panes are labelled with while one is chosen by its letter: the keys under a resting hand."""


class Pane(Vertical):
    """What stands in a frame, and a filter line that opens on demand.

    The title is at the left of the upper edge, its figures at the right, a key hint in the lower edge. On a
    narrow screen only the upper edge is left. What a column of sentences cuts of the row under the cursor
    stands whole before the figures.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"pane--label", "pane--title", "pane--figures", "pane--hint"}

    @dataclass
    class TitleClicked(Message):
        """A click on the upper edge: a part of the title, or one of its figures."""

        pane: Pane
        words: str

    def __init__(self, id: str | None = None, hint: str = "", classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self._hint = hint
        self._label = ""
        self._title = ""
        self._figures: tuple[str, ...] = ()
        self._cut = ""
        """What the columns of its grid cut of the row under the cursor, while that has the focus."""
        self._edge_only = False

    @property
    def title(self) -> str:
        """The title without its figures."""
        return self._title

    @property
    def title_words(self) -> str:
        """The title with all its figures, whether they fit or not."""
        return " · ".join((self._title, *self._figures))

    def set_title(self, title: str, figures: Sequence[str] = ()) -> None:
        """Say something else in the upper edge; figures that do not fit leave from the right, whole."""
        told = plain(title), tuple(plain(figure) for figure in figures if figure)
        if told != (self._title, self._figures):
            self._title, self._figures = told
            self._cut = self._cut_now()
            self._draw_title()
        else:
            self._tell_cut()

    def has_room(self, title: str, figures: Sequence[str]) -> bool:
        """Whether all of these figures would stand beside such a title."""
        return len(fitting(title, figures, self.outer_size.width - BESIDE_TITLE)) == len(figures)

    def _cut_now(self) -> str:
        focused = self.screen.focused if self.is_attached else None
        is_mine = isinstance(focused, LiveGrid) and self in focused.ancestors
        return plain(focused.cut_words) if isinstance(focused, LiveGrid) and is_mine else ""

    def _tell_cut(self) -> None:
        """Say in the upper edge what is cut of the row under the cursor, before all figures."""
        if (cut := self._cut_now()) != self._cut:
            self._cut = cut
            self._draw_title()

    def on_live_grid_highlighted(self) -> None:
        """Another row is cut elsewhere."""
        self._tell_cut()

    def on_live_grid_relaid(self) -> None:
        """A column has more or less room for its sentences."""
        self._tell_cut()

    def on_descendant_focus(self) -> None:
        """The row under the cursor is the one that is read."""
        self._tell_cut()

    def on_descendant_blur(self) -> None:
        """The figures have the edge to themselves again."""
        self._tell_cut()

    def set_label(self, letter: str) -> None:
        """Show a letter in front of the title, or none."""
        if letter != self._label:
            self._label = letter
            self._draw_title()

    def on_mount(self) -> None:
        """Draw the edges for the first time."""
        self._draw_title()
        self._draw_hint()

    def on_resize(self) -> None:
        """More or fewer figures and keys fit."""
        self._draw_title()
        self._draw_hint()

    def on_click(self, event: events.Click) -> None:
        """The frame gives what stands in it the focus; its title is told, a key of its hint is pressed."""
        if self.screen.get_widget_at(*event.screen_offset)[0] is not self:
            return
        event.stop()
        if self._is_under_dock:
            return
        self.take_focus()
        if event.y == 0 and (words := self._title_at(event.x)):
            self.post_message(self.TitleClicked(self, words))
        elif self.styles.border_bottom[0] and event.y == self.outer_size.height - 1:
            hint = self._shown_hint
            start = self.outer_size.width - HINT_END - cell_len(hint)
            if event.x >= start and (key := hinted_key(hint, event.x - start)):
                press(self, key)

    @property
    def _takers(self) -> list[Widget]:
        return [widget for widget in self.screen.focus_chain if self in widget.ancestors]

    @property
    def _is_under_dock(self) -> bool:
        """Whether what has the focus keeps all keys to itself, and is no part of this."""
        focused = self.screen.focused
        above = focused.ancestors_with_self if focused is not None else []
        keeps = next((node for node in above if node.is_modal), self.screen)
        return keeps not in self.ancestors_with_self

    @property
    def takes_focus(self) -> bool:
        """Whether anything in it can have the focus now."""
        return bool(self._takers)

    def take_focus(self) -> None:
        """Give what stands in it the focus, where it has it not already."""
        inside = self._takers
        if inside and self.screen.focused not in inside:
            inside[0].focus()

    def _title_at(self, x: int) -> str:
        """The part of the title, or the figure, that is drawn at a cell of the upper edge."""
        x -= 3 if self.styles.border_left[0] else 2
        room = self.outer_size.width - BESIDE_TITLE
        title, figures = framed(self._title, self._shown_figures(room), room)
        if x >= (start := room - cell_len(figures)):
            return part_at(figures, " · ", x - start)
        return part_at(title, "  ", x)

    def notify_style_update(self) -> None:
        """The words take the colours of the focus and of the theme."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw_title()
            self._draw_hint()

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """As Textual does; another title is drawn without all that stands under it."""
        if self._edge_only and not regions:
            spaces = self.gutter
            regions = (Region(-spaces.left, -spaces.top, self.outer_size.width, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _draw_title(self) -> None:
        if not self.is_mounted or not self.outer_size.width:
            return
        around = " " if not self.styles.border_left[0] else ""
        room = self.outer_size.width - BESIDE_TITLE
        label = f" {self._label} " if self._label else ""
        title, figures = framed(self._title, self._shown_figures(room - len(label)), room - len(label))
        edge = "─" * (room - len(label) - cell_len(title) - cell_len(figures) - 2) if figures else ""
        quiet = self.get_visual_style("pane--figures", partial=True)
        loud, other = (self.get_visual_style(f"pane--{one}", partial=True) for one in ("title", "hint"))
        views = VIEW_SIGN in title
        parts = [
            (words, other if views and not words.startswith(VIEW_SIGN) else loud)
            for words in re.split(f"(?<={HINT_GAP})", title)
        ]
        content = Content.assemble(
            around,
            (label, self.get_visual_style("pane--label", partial=True)),
            *parts,
            (f" {edge} " if figures else ""),
            (figures, quiet),
            around,
        )
        self._edge_only = True
        try:
            self.border_title = content
        finally:
            self._edge_only = False

    def _shown_figures(self, room: int) -> tuple[str, ...]:
        """The figures, behind what is cut of the row under the cursor where there is room for all of it."""
        fits = bool(self._cut) and cell_len(self._title) + 3 + cell_len(self._cut) <= room
        return (self._cut, *self._figures) if fits else self._figures

    @property
    def _shown_hint(self) -> str:
        """The hint as far as there is room: its keys leave from the right, whole, as figures do."""
        keys, room = self._hint.split(HINT_GAP), self.outer_size.width - BESIDE_TITLE
        while keys and cell_len(HINT_GAP.join(keys)) > room:
            del keys[-1]
        return HINT_GAP.join(keys)

    def _draw_hint(self) -> None:
        style, hint = self.get_visual_style("pane--hint", partial=True), self._shown_hint
        self.border_subtitle = Content.assemble((hint, style)) if hint else None


def framed(title: str, figures: Sequence[str], room: int) -> tuple[str, str]:
    """What fits `room` cells of an edge: the title, and as many of its figures as leave two cells between."""
    return clip(title, room), " · ".join(fitting(title, figures, room))


def fitting(title: str, figures: Sequence[str], room: int) -> Sequence[str]:
    """The figures that have room beside a title; those at the right leave first."""
    shown = list(figures)
    while shown and cell_len(title) + 3 + cell_len(" · ".join(shown)) > room:
        del shown[-1]
    return shown


def part_at(words: str, between: str, x: int) -> str:
    """The part of `words`, which stand `between` apart, that has cell `x`; empty where there is none."""
    start = 0
    for part in words.split(between):
        if start <= x < start + cell_len(part):
            return part
        start += cell_len(part) + len(between)
    return ""


def label_panes(screen: Screen[Any]) -> dict[str, Pane]:
    """Label the panes of a screen that can have the focus, in their order; returns them by their letters."""
    panes = (pane for pane in screen.query(Pane) if pane.takes_focus)
    labelled = dict(zip(LETTERS, panes, strict=False))
    for letter, pane in labelled.items():
        pane.set_label(letter)
    return labelled


class FilterLine(SteadyInput):
    """The words rows must contain; hidden while there are none and nobody types."""

    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; border: none; }
    FilterLine.-open { display: block; }
    """

    def __init__(self, id: str, into: str = "filter") -> None:  # noqa: A002 - Textual's own word
        """`into` names what is looked into, where that is more than the rows say."""
        super().__init__(placeholder=f"{into}: Enter keeps, Esc clears", compact=True, id=id)

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.focus()

    def settle(self) -> None:
        """The words stay; an empty line goes away."""
        cast("Shell", self.app).note(f"filter {self.value.strip()}".strip())
        self.set_class(bool(self.value.strip()), "-open")
