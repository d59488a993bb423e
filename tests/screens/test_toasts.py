"""Toasts stand in the bottom line: they cover no row of a workspace, of the dock or of a dialog."""

from pathlib import Path

import pytest
from textual.geometry import Region

from screens.frame.commands import EMERGENCY
from screens.frame.dock import Dock
from screens.matrix.basket_card import BasketCard
from screens.matrix.draft import BasketDraft
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import Visit
from tradedesk.app.palette import DeskCommands

SHORT = "copied: RELIANCE"
LONG = "not sent: " + "the exchange has a price band and this limit lies above it · " * 2


def regions(bench: PaperBench) -> tuple[Region, Region]:
    """Of the toast, and of all that it may not cover."""
    (toast,) = [one for one in bench.screen.query("Toast") if one.region]
    docks = [dock.region for dock in bench.screen.query(Dock)]
    return toast.region, Region.from_union([bench.screen.query_one("#body").region, *docks])


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_a_toast_covers_no_row(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened_on_paper(tmp_path, size, notifications=True) as bench:
        for card in ("none", "a ticket", "a basket"):
            if card == "a ticket":
                await bench.keys("b")
            elif card == "a basket":
                bench.screen.open_card(BasketCard(BasketDraft(), lambda card: None))
            await bench.settle()
            for words in (SHORT, LONG):
                before = bench.lines()
                bench.app.say(words, "warning")
                await bench.settle()
                toast, others = regions(bench)
                assert toast.bottom == size[1], card
                assert not toast.overlaps(others), card
                assert "".join(words.split()) in "".join(bench.text.split()), "all of it can be read"
                assert bench.lines()[-1].endswith("F9 F9 CANCEL ALL ")
                if words == SHORT:
                    assert bench.lines()[:-1] == before[:-1], card
                bench.app.clear_notifications()
                await bench.settle()
            if bench.card is not None:
                bench.card.close()
                await bench.settle()


TURNED = ("freeze", "hide")
"""Entries that turn something on, and the next time off."""


SMALL, LARGE = (80, 24), (120, 40)
TELLING = (1, 2)
PALETTE = [(SMALL, 1), (LARGE, 2), *((SMALL, part) for part in (0, 2, 3, 4))]
"""The palette's entries in fifths: each is gone through at the small size, and one of those that tell
something at the other; entries of the other fifths open forms."""


@pytest.mark.parametrize("walk", further(PALETTE))
async def test_no_entry_of_the_palette_leaves_a_toast_over_a_row(
    tmp_path: Path, walk: tuple[tuple[int, int], int]
) -> None:
    size, part = walk
    async with opened_on_paper(tmp_path, size, notifications=True) as bench:
        visit = Visit(bench)
        await visit.furnish()
        covered, told = list[str](), 0
        for entry in list(DeskCommands(bench.screen, None).entries())[part::5]:
            if entry.group == EMERGENCY or entry.words.startswith(("quit", "lock")):
                continue
            for _ in range(2 if entry.words.startswith(TURNED) else 1):
                bench.app.call_later(entry.act)
                await bench.settle()
            for toast in (one for one in bench.screen.query("Toast") if one.region):
                told += 1
                docks = [dock.region for dock in bench.screen.query(Dock)]
                others = [one.region for one in bench.screen.query("#body")]
                if any(toast.region.overlaps(one) for one in (*docks, *others)):
                    covered.append(entry.words)
            await visit.leave()
        assert covered == []
        assert told > 5 or part not in TELLING
