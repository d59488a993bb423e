"""A few short hails of keys, one a scene; `python -m tests.screens.key_fuzz` runs long ones by hand."""

import pytest

from tests.screens.key_fuzz import hail


@pytest.mark.parametrize("seed", [4, 5, 6, 7], ids=["plain", "resting", "paused", "halted"])
async def test_no_hail_of_keys_sends_ends_the_app_or_takes_f9_away(seed: int) -> None:
    await hail(seed, 10)
