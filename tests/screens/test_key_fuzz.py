"""A few short hails of keys, one a scene; `python -m tests.screens.key_fuzz` runs long ones by hand."""

from pathlib import Path

import pytest

from tests.screens.key_fuzz import hail, hail_on
from tests.screens.papers import opened_on_paper
from tests.screens.places import PLACES, Visit


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(6, id="plain", marks=pytest.mark.proof),
        pytest.param(7, id="resting", marks=pytest.mark.proof),
        pytest.param(8, id="paused", marks=pytest.mark.proof),
        pytest.param(9, id="halted"),
        pytest.param(10, id="basket"),
        pytest.param(11, id="flattening", marks=pytest.mark.proof),
    ],
)
async def test_no_hail_of_keys_sends_ends_the_app_or_takes_f9_away(seed: int) -> None:
    await hail(seed, 10)


@pytest.mark.parametrize(
    "place",
    [pytest.param(one, marks=() if one == "conversions" else pytest.mark.proof) for one in PLACES],
)
async def test_no_hail_on_a_place_sends_ends_the_app_or_takes_f9_away(place: str) -> None:
    await hail_on(place, 1, 3)


@pytest.mark.proof
async def test_a_place_opens_anew_from_under_whatever_lies_over_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        visit = Visit(bench)
        await visit.furnish()
        for over in ("f1", "ctrl+p", "f3"):
            await visit.open("review of many")  # a card on a card, on the Desk
            await bench.keys(over)
            await visit.leave()
            assert bench.card is None, over
