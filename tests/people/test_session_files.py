"""The file of a session that `TRADEDESK_SESSION` names, where somebody else had a hand in it."""

import os
from pathlib import Path

import pytest

from tests.people.home_of_many import desk_of_many, sit
from tradedesk.compose.seats import SESSION, forget_token, keep_token, kept_token, take_seat


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a session of its own."""
    monkeypatch.setenv(SESSION, str(tmp_path / "mine"))
    return tmp_path / "mine"


async def test_a_link_to_a_session_is_no_session(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_of_many(tmp_path / "home") as desk:
        token = await sit(desk, "tara")
        monkeypatch.delenv(SESSION)
        keep_token(tmp_path / "home", token)
        assert kept_token(tmp_path / "home") == token
        os.symlink(tmp_path / "home" / "session", place)
        monkeypatch.setenv(SESSION, str(place))
        assert kept_token(tmp_path / "home") == ""
        take_seat(desk)
        assert desk.who.seat is None, "whoever laid the link does not choose who acts"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_session_that_others_may_read_or_write_is_none(tmp_path: Path, place: Path, mode: int) -> None:
    keep_token(tmp_path, "a token")
    assert kept_token(tmp_path) == "a token"
    place.chmod(mode)
    assert kept_token(tmp_path) == ""


def test_a_session_of_another_user_is_none(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_token(tmp_path, "a token")
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert kept_token(tmp_path) == ""


def test_what_is_no_file_is_no_session_and_is_not_waited_for(tmp_path: Path, place: Path) -> None:
    os.mkfifo(place, 0o600)
    assert kept_token(tmp_path) == ""
    place.unlink()
    place.mkdir(mode=0o700)
    assert kept_token(tmp_path) == ""


def test_signing_in_replaces_a_link_and_leaves_alone_what_it_leads_to(tmp_path: Path, place: Path) -> None:
    other = tmp_path / "another's"
    other.write_text("untouched")
    place.symlink_to(other)
    keep_token(tmp_path, "a token")
    assert (other.read_text(), place.is_symlink(), kept_token(tmp_path)) == ("untouched", False, "a token")
    place.unlink()
    place.symlink_to(other)
    forget_token(tmp_path)
    assert (other.exists(), place.is_symlink()) == (True, False)
