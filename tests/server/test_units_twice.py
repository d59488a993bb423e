"""Every unit may be run again, since a server rolls whole batches back: both times it comes to the same."""

from pathlib import Path

import pytest

from tests.desks import books_are_sound, paper_desk
from tests.server.test_refusing_server import round_of_work
from tests.units_twice import units_twice


@pytest.mark.both
async def test_units_run_twice_come_to_the_same(tmp_path: Path) -> None:
    with units_twice():
        async with paper_desk(tmp_path) as desk:
            for _ in range(2):
                await round_of_work(desk)
            await books_are_sound(desk)


async def test_a_unit_that_leaves_something_beside_its_books_is_found(tmp_path: Path) -> None:
    left: list[int] = []
    with units_twice():
        async with paper_desk(tmp_path) as desk:
            with pytest.raises(AssertionError, match="run again, a unit raised"):
                await desk.workings.kept.store.write(lambda unit: _fails_again(left))


def _fails_again(left: list[int]) -> None:
    left.append(1)
    assert len(left) == 1, "again"
