"""How well the colours of a theme can be read: the contrast of text on its grounds, as WCAG 2 counts it."""

from collections.abc import Iterator

from textual.color import Color, ColorParseError
from textual.theme import Theme

LEAST = 4.5
"""The least contrast of text of normal size (WCAG 2.2, 1.4.3, level AA)."""

TEXTS = (
    *("foreground", "accent", "text-warning", "text-error"),
    *("pnl-up", "pnl-down", "side-buy", "side-sell", "stale", "armed", "live-mode"),
)
"""The variables in whose colour words and figures stand."""

GROUNDS = ("background", "surface", "panel", "primary-muted", "accent-muted")
"""What they stand on: the last two are the row under the cursor, and a figure that just changed.

`armed` and `live-mode` are the strip's ground too, with words in the colour of the background, which is the
same contrast.
"""


def contrast(text: Color, ground: Color) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)


def contrasts(theme: Theme) -> Iterator[tuple[str, str, float]]:
    """Each text of a theme on each ground, with its contrast; what is no plain colour is left out."""
    variables = {**theme.to_color_system().generate(), **theme.variables}

    def colour(name: str) -> Color | None:
        try:
            return Color.parse(variables[name])
        except (KeyError, ColorParseError):
            return None

    for text in TEXTS:
        for ground in GROUNDS:
            if (text, ground) == ("armed", "accent-muted"):  # what is armed does not flash
                continue
            of, on = colour(text), colour(ground)
            if of is not None and on is not None:
                yield text, ground, contrast(of, on)
