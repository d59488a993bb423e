"""Styles of parts of a widget that draws its own lines, and what it says while there is nothing to draw."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.dom import DOMNode
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import wrapped


def hint_line(words: str, y: int, size: Size, style: Style, indent: int = 1) -> Strip:
    """Line `y` of what a widget says that has nothing to draw, in as many lines as that takes."""
    lines = wrapped(words, max(1, size.width - indent), max(1, size.height))
    text = " " * indent + lines[y] if y < len(lines) else ""
    return Strip([Segment(text, style)]).adjust_cell_length(size.width, style)


class _PartNode(DOMNode):
    """A part as the style sheets see it: a node under its widget, with the part's class."""

    def __init__(self, widget: Widget, css_class: str) -> None:
        super().__init__(classes=css_class)
        self._attach(widget)
        widget.app.stylesheet.apply(self)


class PartStyles:
    """What the style sheets say of a widget's parts, each asked when it is first drawn.

    Textual's component classes are all worked out anew each time their widget is styled, drawn or not:
    for a grid that is more work than for all the rest of its screen. The widget calls `forget` whenever
    it has been styled.
    """

    def __init__(self, widget: Widget, prefix: str, names: Iterable[str]) -> None:
        """The style sheets know the part `name` as the class `prefix--name`."""
        self._widget = widget
        self._prefix = prefix
        self._names = frozenset(names)
        self._nodes: dict[str, _PartNode] = {}
        self._whole: dict[str, Style] = {}
        self._drawn: dict[str, Style] = {}

    def forget(self) -> None:
        """The widget has been styled anew: draw it again, in the styles of now."""
        if self._nodes or self._drawn:
            self._nodes.clear()
            self._whole.clear()
            self._drawn.clear()
            self._widget.refresh()

    def whole(self, name: str) -> Style:
        """Colour, ground and text style of a part over those of the widget."""
        if name not in self._whole:
            self._whole[name] = self._node(name).rich_style
        return self._whole[name]

    def partial(self, name: str) -> Style:
        """What the style sheets say of this part alone."""
        return self._node(name).styles.partial_rich_style

    @property
    def ground(self) -> Style:
        """The widget's own style, in which the rest of its lines is drawn."""
        return self.drawn("")

    def drawn(self, name: str) -> Style:
        """Colour and text style of a part on the widget's own ground; that alone for an unknown one."""
        if name not in self._drawn:
            self._drawn[name] = self._widget.rich_style + self.without_ground(name)
        return self._drawn[name]

    def without_ground(self, name: str) -> Style:
        """Colour and text style of a part; nothing for an unknown one.

        The colour is the one worked out over the widget's ground, because a theme's muted colours are
        shares of it.
        """
        if name not in self._names:
            return Style()
        return self.partial(name).without_color + Style(color=self.whole(name).color)

    def _node(self, name: str) -> _PartNode:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._nodes:
            self._nodes[name] = _PartNode(self._widget, f"{self._prefix}--{name}")
        return self._nodes[name]
