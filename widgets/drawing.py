"""Styles of parts of a widget that draws its own lines."""

from rich.style import Style
from textual.widget import Widget


def part_style(widget: Widget, component: str) -> Style:
    """Colour and text style of a component class without its ground; nothing for an unknown class.

    The colour is the one worked out over the widget's ground, because a theme's muted colours are
    shares of it.
    """
    full = widget.get_component_rich_style(component, default=Style())
    own = widget.get_component_rich_style(component, partial=True, default=Style())
    return own.without_color + Style(color=full.color)
