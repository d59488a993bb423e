"""Text from outside as widgets draw it: made plain, cut and padded to terminal cells."""

import re

from rich.cells import cell_len, set_cell_size

DASH = "—"
"""What a field shows that holds nothing."""

ELLIPSIS = "…"
"""The last cell of a text that was cut."""

_SPACES = re.compile(r"[\t\n\r\v\f\u2028\u2029]+")
# C0 and C1 controls, bidirectional marks, embeddings, overrides and isolates, invisible separators, lone
# surrogates and tag characters. The two joiners U+200C and U+200D stay: Indian scripts need them.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def plain(text: str) -> str:
    """Outside text without control, bidirectional and invisible characters, line breaks as blanks."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub("", _SPACES.sub(" ", text))


def clip(text: str, width: int) -> str:
    """`text` cut to `width` terminal cells, the last of them `…` when something was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + ELLIPSIS


def fit(text: str, width: int, align: str = "left") -> str:
    """Outside text made plain and padded to exactly `width` cells, aligned `left` or `right`.

    A text too long is cut at the left alignment; at the right stand figures, and a figure cut short reads
    as another figure, so that only `…` is left of it.
    """
    if text.isascii() and text.isprintable() and len(text) <= width:
        return text.rjust(width) if align == "right" else text.ljust(width)
    text = plain(text)
    if cell_len(text) > width:
        text = clip(ELLIPSIS if align == "right" else text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if align == "right" else text + blanks


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Outside text in lines of `width` cells, broken at blanks; where `most` are too few the last is cut."""
    lines: list[str] = []
    for word in plain(text).split():
        if lines and (cell_len(lines[-1]) + 1 + cell_len(word) <= width or len(lines) == most):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [clip(line, width) for line in lines]
