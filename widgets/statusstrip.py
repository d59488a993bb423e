"""The line that is always on screen: what matters most first, what does not fit gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment as StyledText
from rich.style import Style
from textual import events
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles
from widgets.text import plain

Mode = Literal["paper", "sim", "live", "halted", "armed"]
"""What the whole strip says by its colour."""

_BETWEEN = 2
_CLOSE = 1
"""Blanks between segments, and where they must be close."""

NEVER_LEAVES = 100
"""Stands behind every priority."""


@dataclass(frozen=True)
class Segment:
    """A piece of the strip."""

    text: str
    priority: int = 0
    """Zero never leaves; of the others the highest leaves first, from the right."""
    style: str = ""
    """Suffix of a component class: `mode`, `up`, `down`, `stale`, `warn`, `dim`, `strong`."""
    brief: str | tuple[str, ...] = ""
    """Said instead of `text` where the whole line does not fit, the longest first."""
    action: str = ""
    """What a click on it does, as an action of the app; nothing where it is empty."""
    spare: bool = False
    """Shown only where everything that is not spare stands in full; of several the last goes first."""

    @property
    def wordings(self) -> list[str]:
        """What may be said, the longest first."""
        briefer = (self.brief,) if isinstance(self.brief, str) else self.brief
        return [plain(words) for words in (self.text, *briefer) if words]


class Fitting(NamedTuple):
    """What of a line fits: texts with their styles, the blanks between two of them, what a click does."""

    parts: list[tuple[str, str]]
    between: int
    actions: list[str]


class _Fit:
    """Segments with the wording of each, as they are made to fit."""

    def __init__(self, segments: Sequence[Segment], width: int) -> None:
        self.segments = [segment for segment in segments if segment.text]
        self.wordings = [segment.wordings for segment in self.segments]
        self.chosen = [0] * len(self.segments)
        self.between = _BETWEEN
        self._width = width

    @property
    def texts(self) -> list[str]:
        """The wordings as they stand."""
        return [words[at] for words, at in zip(self.wordings, self.chosen, strict=True)]

    @property
    def fits(self) -> bool:
        """Whether all of it has room."""
        blanks = self.between * max(0, len(self.segments) - 1)
        return sum(cell_len(text) for text in self.texts) + blanks <= self._width

    def shorten(self) -> None:
        """Take briefer wordings, one at a time, in rounds: what is low in number before the figures."""
        order = sorted(range(len(self.segments)), key=lambda at: self.segments[at].priority or NEVER_LEAVES)
        for briefer in range(1, max((len(words) for words in self.wordings), default=0)):
            for place in order:
                if self.fits:
                    return
                self.chosen[place] = min(max(briefer, self.chosen[place]), len(self.wordings[place]) - 1)

    def shorten_spare(self) -> None:
        """Take the briefest wordings of what is spare, where the whole line does not fit."""
        if not self.fits:
            for at, segment in enumerate(self.segments):
                self.chosen[at] = len(self.wordings[at]) - 1 if segment.spare else 0

    def fitted(self) -> Fitting:
        """The line as it stands."""
        styles = [segment.style for segment in self.segments]
        actions = [segment.action for segment in self.segments]
        return Fitting(list(zip(self.texts, styles, strict=True)), self.between, actions)

    def drop(self) -> bool:
        """Leave out the least important; returns whether there was anything that may leave."""
        leaving = [(segment.priority, at) for at, segment in enumerate(self.segments) if segment.priority > 0]
        if leaving:
            place = max(leaving)[1]
            del self.segments[place], self.wordings[place], self.chosen[place]
        return bool(leaving)

    def lengthen(self) -> None:
        """Say in full again what has room after all, as when something long had to leave."""
        for place in sorted(range(len(self.segments)), key=lambda at: self.segments[at].priority):
            while self.chosen[place]:
                self.chosen[place] -= 1
                if not self.fits:
                    self.chosen[place] += 1
                    break


def fitting(segments: Sequence[Segment], width: int) -> Fitting:
    """What fits `width` cells: without what is spare, then briefer, closer together, fewer, one at a time."""
    spare = [at for at, segment in enumerate(segments) if segment.spare]
    for left_out in range(len(spare)):
        gone = set(spare[len(spare) - left_out :])
        line = _Fit([one for at, one in enumerate(segments) if at not in gone], width)
        line.shorten_spare()
        if line.fits:
            return line.fitted()
    line = _Fit([segment for segment in segments if not segment.spare], width)
    line.shorten()
    if not line.fits:
        line.between = _CLOSE
    while not line.fits and line.drop():
        pass
    line.lengthen()
    return line.fitted()


class StatusStrip(Widget):
    """One line of prioritised segments on a ground that tells the mode."""

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("mode", "up", "down", "stale", "warn", "dim", "strong")
    DEFAULT_CSS = """
    StatusStrip {
        height: 1;
        width: 1fr;
        background: $panel;
        color: $foreground;
        .statusstrip--mode { text-style: bold; }
        .statusstrip--strong { text-style: bold; }
        .statusstrip--up { color: $pnl-up; }
        .statusstrip--down { color: $pnl-down; }
        .statusstrip--stale { color: $stale; text-style: italic; }
        .statusstrip--warn { color: $text-warning; text-style: bold; }
        .statusstrip--dim { color: $text-muted; }
        &.-live, &.-halted, &.-armed {
            background: $live-mode;
            color: $background;
            .statusstrip--up, .statusstrip--down, .statusstrip--stale, .statusstrip--dim, .statusstrip--warn {
                color: $background;
            }
            .statusstrip--up, .statusstrip--down, .statusstrip--warn { text-style: bold; }
        }
        &.-sim { background: $secondary-muted; }
        &.-halted, &.-armed { background: $armed; }
        &.-armed { text-style: bold; }
    }
    """

    mode: reactive[Mode] = reactive[Mode]("paper")
    """The ground: calm for paper and a simulation, a warning for live, halted and armed."""

    def __init__(
        self,
        segments: Sequence[Segment] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._parts = PartStyles(self, "statusstrip", self.PARTS)
        self._segments = tuple(segments)

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Say something else; nothing is drawn if it is the same."""
        segments = tuple(segments)
        if segments != self._segments:
            self._segments = segments
            self.refresh()

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    def watch_mode(self, old: Mode, new: Mode) -> None:
        """Change the ground."""
        self.remove_class(f"-{old}")
        self.add_class(f"-{new}")

    def render_line(self, y: int) -> Strip:
        """The segments that fit, after a blank."""
        width, base = self.size.width, self._parts.ground
        parts = [StyledText(" ", base)]
        found = fitting(self._segments, width - 1)
        for place, (text, style) in enumerate(found.parts):
            if place:
                parts.append(StyledText(" " * found.between, base))
            parts.append(StyledText(text, self._parts.drawn(style)))
        return Strip(parts).adjust_cell_length(width, base)

    async def on_click(self, event: events.Click) -> None:
        """Go to what the segment under the mouse tells of."""
        event.stop()
        found = fitting(self._segments, self.size.width - 1)
        x = 1
        for (text, _), action in zip(found.parts, found.actions, strict=True):
            if x <= event.x < x + cell_len(text) and action:
                await self.app.run_action(action, self.app)
                return
            x += cell_len(text) + found.between

    def _part_style(self, style: str) -> Style:
        return self._parts.without_ground(style) if style else Style()
