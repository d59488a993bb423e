"""QR codes for a phone's camera, two rows of modules a line."""

from itertools import zip_longest

from textual.content import Content
from textual.geometry import Size

from widgets.steady import SteadyStatic

QUIET = 2
"""Light modules around a code: a camera needs an edge."""

STYLE = "black on white"
"""Dark on light whatever the theme: many cameras read no other."""

_SIGNS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
"""A line's sign by its upper and its lower module; 1 is dark."""


def qr_lines(text: str) -> list[str]:
    """The code of a text, at the lowest correction, since no screen is scratched; lines of one width."""
    import segno  # takes a while to import, for the few who look at a code

    code = segno.make(text, error="l", micro=False, boost_error=False)
    rows = [[int(module > 0) for module in row] for row in code.matrix_iter(border=QUIET)]
    light = [0] * len(rows[0])
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=light)
    return ["".join(_SIGNS[pair] for pair in zip(*two, strict=True)) for two in pairs]


class QrCode(SteadyStatic):
    """A text as a code, seen only where there is room for all of it."""

    _wants = Size(0, 0)
    """Cells and rows of the code."""

    def take(self, text: str) -> None:
        """Have it be the code of a text, of none where that is empty; `fit` shows it."""
        lines = qr_lines(text) if text else []
        self._wants = Size(len(lines[0]), len(lines)) if lines else Size(0, 0)
        self.update(Content.styled("\n".join(lines), STYLE))

    def fit(self, room: Size) -> Size:
        """Show it where so much room does; returns the cells and rows it lacks, none without a code."""
        lacks = self._wants - room
        self.display = bool(self._wants) and not any(lacks)
        return lacks
