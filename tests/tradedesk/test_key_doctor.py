"""The trial of a terminal's keys: what arrives, what does not, its twin; in a real pseudo-terminal too."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tradedesk.app.key_doctor import Trials, tried_keys, twin_of
from tradedesk.app.keymap import PROFILES, all_commands, key_table

SEQUENCES = {
    "f1": b"\x1bOP",
    "f2": b"\x1bOQ",
    "f3": b"\x1bOR",
    "f4": b"\x1bOS",
    "f5": b"\x1b[15~",
    "f6": b"\x1b[17~",
    "f7": b"\x1b[18~",
    "f8": b"\x1b[19~",
    "f9": b"\x1b[20~",
    "f12": b"\x1b[24~",
    "ctrl+g": b"\x07",
    "ctrl+r": b"\x12",
    "ctrl+s": b"\x13",
    "ctrl+q": b"\x11",
    "ctrl+o": b"\x0f",
    "ctrl+p": b"\x10",
    "shift+tab": b"\x1b[Z",
    "insert": b"\x1b[2~",
    "delete": b"\x1b[3~",
}
"""What a terminal sends for each key that is tried."""


@pytest.mark.parametrize("profile", PROFILES)
def test_f9_comes_first_esc_last_and_every_key_is_told_its_twin(profile: str) -> None:
    table = key_table(profile)
    tried = tried_keys(table)
    assert (tried[0], tried[-1]) == ("f9", "escape")
    assert {*SEQUENCES, "escape"} - {"f2"} <= set(tried)
    assert ("f2" in tried) is (profile == "odin")
    assert twin_of(table, "f9") == "ctrl+g"
    assert twin_of(table, "ctrl+g") == "F9"
    assert twin_of(table, "ctrl+q") == "q"
    assert twin_of(table, "f6") == "ctrl+p and its name"
    assert all(twin_of(table, key) for key in tried)
    assert all(table.meaning(key) in all_commands() for key in tried)


def test_what_does_not_arrive_or_comes_as_another_key_is_kept() -> None:
    trials = Trials(key_table("plain"), 10.0)
    trials.press("f9", 10.25)
    trials.press("space", 11.0)  # F1
    trials.press("f13", 12.0)  # for F3
    trials.press("space", 12.5)
    assert [(one.key, one.arrived, one.ms, one.came_as) for one in trials.found] == [
        ("f9", True, 250, ()),
        ("f1", False, None, ()),
        ("f3", False, None, ("F13",)),
    ]
    trials.press("backspace", 13.0)
    assert trials.wanted == "f3"
    trials.press("f3", 13.5)
    assert (trials.found[-1].arrived, trials.found[-1].ms) == (True, 500)


@pytest.mark.parametrize(
    ("keys", "arrived", "ms"),
    [
        ((("escape", 0.1), ("j", 0.3)), True, 200),
        ((("circumflex_accent", 0.1), ("j", 0.1)), False, None),
        ((("alt+j", 0.1),), False, None),
        ((("space", 0.1),), False, None),
    ],
)
def test_esc_arrives_alone_or_joined_with_the_letter_behind_it(
    keys: tuple[tuple[str, float], ...], arrived: bool, ms: int | None
) -> None:
    trials = Trials(key_table("plain"), 0.0)
    for key in trials.keys[:-1]:
        trials.press(key, 0.0)
    assert trials.wanted == "escape"
    for key, at in keys:
        trials.press(key, at)
    assert trials.wanted is None
    found = trials.found[-1]
    assert (found.key, found.arrived, found.ms) == ("escape", arrived, ms)
    assert bool(found.hint) is not arrived


class Pty:
    """A program in a pseudo-terminal of 80x24, whose stdout goes to a file."""

    def __init__(self, *words: str, home: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.out = home / "out.json"
        environment = {
            **os.environ,
            "TRADEDESK_HOME": str(home),
            "TERM": "xterm-256color",
            "SSH_TTY": "/dev/pts/1",
        }
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tradedesk.cli", *words],
                stdin=slave,
                stdout=out,
                stderr=slave,
                env=environment,
                start_new_session=True,
            )
        os.close(slave)
        self.seen = b""

    def until(self, words: str) -> None:
        """Read until the screen has shown these words."""
        while words.encode() not in self.seen:
            ready, _, _ = select.select([self.master], [], [], 60)
            assert ready, f"{words!r} did not come: {self.seen[-500:]!r}"
            self.seen += os.read(self.master, 65536)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)
        self.seen = b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.mark.proof  # twenty seconds: each key is waited for
def test_in_a_pseudo_terminal_each_key_is_asked_for_and_found_or_missed(tmp_path: Path) -> None:
    tried = tried_keys(key_table("plain"))
    swallowed = {"f3", "ctrl+s"}
    terminal = Pty("keys", "doctor", "--json", home=tmp_path)
    try:
        for number, key in enumerate(tried[:-1], 1):
            terminal.until(f"{number}/{len(tried)}")
            terminal.send(b" " if key in swallowed else SEQUENCES[key])
        terminal.until(f"{len(tried)}/{len(tried)}")
        terminal.send(b"\x1bj")  # in one piece, as a slow line or tmux delivers them
        terminal.until("Enter leaves")
        terminal.send(b"\r")
        assert terminal.process.wait(60) == 4
    finally:
        terminal.close()
    found = json.loads(terminal.out.read_text(encoding="utf-8"))
    assert set(found["swallowed"]) == {*swallowed, "escape"}
    assert found["terminal"] == {**found["terminal"], "term": "xterm-256color", "over_ssh": "yes"}
    by_key = {one["key"]: one for one in found["keys"]}
    assert [one["key"] for one in found["keys"]] == list(tried)
    assert by_key["f9"]["arrived"]
    assert by_key["f9"]["ms"] >= 0
    assert by_key["f3"]["twin"] == "3"
    assert "stty -ixon" in by_key["ctrl+s"]["hint"]
    assert "escape-time" in by_key["escape"]["hint"]
