"""QR codes: what stands on the lines is the code, with light around it."""

import pytest
import segno
from textual.geometry import Size

from widgets.qr import QUIET, QrCode, qr_lines

LINK = "https://kite.zerodha.com/connect/login?v=3&api_key=abcdefgh12345678&redirect_params=state%3Dabc"


def modules(lines: list[str]) -> list[list[bool]]:
    """Which modules are dark, read back of the lines."""
    upper = [[sign in "▀█" for sign in line] for line in lines]
    lower = [[sign in "▄█" for sign in line] for line in lines]
    return [row for pair in zip(upper, lower, strict=True) for row in pair]


@pytest.mark.parametrize("text", [LINK, f"{LINK}&redirect_uri=http%3A%2F%2F127.0.0.1%3A8123%2F" * 2])
def test_the_lines_are_the_modules_of_the_code_two_rows_each(text: str) -> None:
    code = segno.make(text, error="l", micro=False, boost_error=False)
    wanted = [[module > 0 for module in row] for row in code.matrix_iter(border=QUIET)]
    lines = qr_lines(text)
    assert {len(line) for line in lines} == {len(wanted[0])}
    read = modules(lines)
    assert read[: len(wanted)] == wanted
    assert not any(any(row) for row in read[len(wanted) :]), "an odd row below is light"
    assert not any(read[0][:]), "the edge is light"


def test_a_code_is_seen_with_room_for_all_of_it_and_else_says_what_it_lacks() -> None:
    code, lines = QrCode(), qr_lines(LINK)
    code.take(LINK)
    wide, high = len(lines[0]), len(lines)
    fits = [code.fit(Size(*room)) for room in ((wide, high), (wide - 7, high), (wide, high - 2))]
    assert fits == [Size(0, 0), Size(7, 0), Size(0, 2)]
    assert not code.display
    code.fit(Size(wide, high))
    assert code.display
    code.take("")
    assert code.fit(Size(0, 0)) == Size(0, 0)
    assert not code.display
