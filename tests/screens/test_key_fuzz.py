"""A few short hails of keys, one a scene; `python -m tests.screens.key_fuzz` runs long ones by hand."""

import pytest

from tests.screens.key_fuzz import hail


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
