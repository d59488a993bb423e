"""A few short hails of keys, one a scene; `python -m tests.screens.key_fuzz` runs long ones by hand."""

import pytest

from tests.screens.key_fuzz import hail, hail_on
from tests.screens.places import PLACES


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(6, id="plain", marks=pytest.mark.proof),
        pytest.param(7, id="resting", marks=pytest.mark.proof),
        pytest.param(8, id="paused", marks=pytest.mark.proof),
        pytest.param(9, id="halted"),
        pytest.param(10, id="basket"),
        pytest.param(11, id="flattening"),
    ],
)
async def test_no_hail_of_keys_sends_ends_the_app_or_takes_f9_away(seed: int) -> None:
    await hail(seed, 10)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(one, marks=() if one in ("conversions", "review") else pytest.mark.proof)
        for one in PLACES
    ],
)
async def test_no_hail_on_a_place_sends_ends_the_app_or_takes_f9_away(place: str) -> None:
    await hail_on(place, 1, 12)
