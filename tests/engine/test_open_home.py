"""A home that others on the machine may use: told with the remedy, by the doctor and as the app starts."""

from pathlib import Path

import pytest

from data.home import open_to_others
from tests.desks import paper_desk
from tests.screens.papers import opened_on_paper


@pytest.mark.parametrize(
    ("mode", "does"),
    [(0o777, "change what lies in"), (0o720, "change"), (0o750, "look into"), (0o705, "look")],
)
async def test_the_doctor_names_a_home_that_others_may_use(tmp_path: Path, mode: int, does: str) -> None:
    home = tmp_path / "home"
    async with paper_desk(home) as desk:
        assert not [one for one in await desk.doctor.run() if one.name == "home folder"]
        home.chmod(mode)
        (told,) = [one for one in await desk.doctor.run() if one.name == "home folder"]
        assert told.detail.startswith(f"others on this machine may {does}")
        assert told.detail.endswith(f"(mode {mode:04o}): chmod 700 {home}")
        assert told.ok == ("look" in does), "who may write may put other books there"
        home.chmod(0o700)
        assert open_to_others(home) == ("", False)


async def test_the_app_says_so_as_it_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    async with opened_on_paper(home) as bench:
        assert (
            f"others on this machine may change what lies in {home} (mode 0777): chmod 700 {home}"
            in bench.toasts
        )
