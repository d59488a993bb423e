"""NO_COLOR: what colour says stands beside it as a sign, a letter or a word, on the main screens."""

from pathlib import Path

import pytest

from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import Visit
from tradedesk.testing import shown_strips


def hues(bench: PaperBench) -> set[str]:
    """The colours on the screen that are no grey."""
    found: set[str] = set()
    for strip in shown_strips(bench.app):
        for part in strip:
            for colour in (part.style.color, part.style.bgcolor) if part.style else ():
                if colour is not None and colour.triplet is not None and len(set(colour.triplet)) > 1:
                    found.add(colour.triplet.hex)
    return found


async def test_without_colour_everything_is_said_by_sign_letter_or_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened_on_paper(tmp_path, size=(120, 40)) as bench:
        visit = Visit(bench)
        await visit.furnish()
        await bench.pin("RELIANCE", 245050)
        assert hues(bench) == set(), "Textual paints greys"
        assert "PAPER" in bench.lines()[0]
        row = bench.row("RELIANCE")
        assert any(word.startswith("+") for word in row), "up has its sign"
        assert any(word.startswith("-") for word in bench.row("ICICIBANK")), "and down its own"
        assert "▸" in bench.text, "the cursor is a sign"
        await bench.keys("space")
        assert "•" in bench.text, "a mark is a sign"
        await bench.keys("space")
        assert "CANCEL ALL" in bench.lines()[-1]
        await bench.f9()
        assert bench.lines()[0].lstrip().startswith("F9 AGAIN CANCELS ALL AND HALTS"), "armed is words"
        await bench.keys("escape")
        await visit.open("orders")
        assert "BUY" in bench.text, "the side is a word"
        assert "open" in bench.text.casefold()
        assert hues(bench) == set()
        await visit.leave()
        await visit.open("positions")
        assert hues(bench) == set()
        await visit.leave()
        await visit.open("bulk, a plan")
        assert "session" in bench.text, "why not is words"
        assert hues(bench) == set()
        await visit.leave()
        await visit.open("bulk, a run")
        assert "PAUSED" in bench.text.upper()
        await visit.leave()
        await visit.open("ticket, too large")
        await bench.until(lambda: "CANNOT SEND" in bench.text)
        assert bench.text.count("BUY TCS") >= 1, "the dock's colour is its title's word"
        await visit.leave()
        bench.clock.shift(40)
        bench.app.frame()
        await bench.settle()
        assert "STALE" in bench.lines()[0], "an age that is too old is a word"
