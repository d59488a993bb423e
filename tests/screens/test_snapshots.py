"""Every screen is painted as it was written down, to the cell, at three sizes and without colour."""

from difflib import unified_diff

import pytest

from tests.screens.snapshots import CUT, GOLDENS, ROUNDS, kept, pictures


def difference(name: str, was: str, now: str) -> str:
    """The lines of a picture that are others now, side over side."""
    lines = unified_diff(
        was.splitlines(), now.splitlines(), f"{name} as kept", f"{name} now", n=1, lineterm=""
    )
    return "\n".join(lines)


@pytest.mark.parametrize(
    "name", [one if one == "80x24" else pytest.param(one, marks=pytest.mark.proof) for one in ROUNDS]
)
async def test_every_screen_is_painted_as_it_was_written_down(name: str) -> None:
    was, now = dict(kept(GOLDENS / name)), await pictures(name)
    others = [difference(one, was.get(one, ""), now.get(one, "")) for one in sorted(was.keys() | now.keys())]
    told = "\n\n".join(filter(None, others))
    assert not told, f"`python -m tests.screens.snapshots` writes them anew if this is meant:\n\n{told}"


def test_no_picture_has_words_that_are_cut() -> None:
    cut = [
        f"{name}, {screen}: {line}"
        for name in ROUNDS
        for screen, picture in kept(GOLDENS / name)
        for line in picture.splitlines()
        if line.startswith(CUT)
    ]
    assert not cut, "hints, texts and heads of columns are to be whole at each size:\n" + "\n".join(cut)
