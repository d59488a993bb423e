"""The last door of privacy: whatever is painted passes it, in the terminal and in pictures alike."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter
from textual.widget import Widget

from engine.words.privacy import Privacy, hidden, wear
from screens.frame.workspace import Framed

SIGN = "•"


class Veil(LineFilter):
    """Masks names and amounts in a painted line, whichever widget they come from and however it is cut."""

    def __init__(self, privacy: Privacy) -> None:
        super().__init__()
        self._privacy = privacy

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line's segments with the same cells, masked where something is to be hidden."""
        spans = list(self._privacy.hides("".join(segment.text for segment in segments)))
        if not spans:
            return segments
        masked: list[Segment] = []
        at = 0
        for text, style, control in segments:
            end = at + len(text)
            cut = text
            for start, stop in spans:
                first, past = max(start, at), min(stop, end)
                if first < past:
                    hidden = "".join(SIGN * cell_len(sign) for sign in text[first - at : past - at])
                    cut = f"{cut[: len(cut) - (end - first)]}{hidden}{text[past - at :]}"
            masked.append(Segment(cut, style, control))
            at = end
        return masked


class VeiledApp(App[None], inherit_bindings=False):
    """An app that hides names and amounts where the trader wants it: in formats, paint and clipboard."""

    def __init__(self) -> None:
        super().__init__()
        self._hiding = Privacy()
        self._veil = Veil(self._hiding)
        wear(self._hiding)

    @property
    def privacy(self) -> bool:
        """Whether names and amounts are hidden."""
        return self._hiding.on

    def hide(self, names: Iterable[str]) -> None:
        """Hide these names, and all amounts; called again it takes up names that came since."""
        before = self._hiding.name_words
        self._hiding.know(names)
        if not self._hiding.on or self._hiding.name_words != before:
            self._veil = Veil(self._hiding)  # what Textual keeps of lines painted is by the filter
        self._hiding.on = True

    def reveal(self) -> None:
        """Show them again."""
        self._hiding.on = False

    def redraw_all(self) -> None:
        """Bring every screen that is open here up to date, and paint it whole."""
        for screen in self.screen_stack:
            if isinstance(screen, Framed):
                screen.redraw()
            for widget in screen.walk_children(Widget):
                widget.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and ours behind them."""
        filters = super().get_line_filters()
        return [*filters, self._veil] if self._hiding.on else filters

    def copy_to_clipboard(self, text: str) -> None:
        """As Textual does, with what is hidden masked."""
        super().copy_to_clipboard(hidden(text))
