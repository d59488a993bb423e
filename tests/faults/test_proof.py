"""The proof at a short length: the documented command with few orders, and a kill at every named point.

The command runs in a process of its own, since it forks and so must have one thread.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.instances import POINTS
from tests.faults import asked_kills

pytestmark = pytest.mark.proof


ROOT = Path(__file__).parents[2]


def prove(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run the command; returns its figures. Whatever it found is in the failure."""
    told = folder / "proof.json"
    command = [sys.executable, "-m", "tests.faults", "--json", str(told), "--folder", str(folder)]
    command += [] if "--sleeps" in arguments else ["--sleeps", "0"]
    done = subprocess.run(
        [*command, "--no-cancel-all", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(told.read_text())


def test_hundreds_of_orders_through_a_storm_leave_the_brokers_own_books(tmp_path):
    figures = prove(tmp_path, "--orders", "400", "--kills", "0", "--speed", "100", "--seed", "5")
    assert figures["orders"] >= 400
    assert figures["fills"] > 100
    assert figures["unknown"] > 10
    assert figures["unknown_resolved"] == figures["unknown"]
    assert figures["faults_struck"] > 200
    assert (figures["tampered"], figures["tampering_missed"]) == (4, 0)
    assert (figures["intents_confirmed_again"], figures["sent_again"]) == (10, 0)


def test_an_engine_killed_at_every_point_of_its_way_boots_to_the_brokers_books(tmp_path):
    points = [word for point in POINTS for word in ("--point", point)]
    figures = prove(tmp_path, "--orders", "0", "--kills", str(len(POINTS)), "--seed", "5", *points)
    assert figures["kills_with_correct_books"] == figures["kills"] == len(POINTS)
    assert figures["kills_by_point"].keys() >= set(POINTS)
    # Whether a life sleeps before it dies is up to how soon it comes to its point.
    assert {"after"} <= figures["kills_with_sleeps"].keys() <= {"before", "after"}


def test_an_app_killed_as_it_answers_and_a_killed_migration_leave_right_books_and_nothing_twice(
    tmp_path_factory,
):
    points = [word for point in asked_kills.POINTS for word in ("--point", point)]
    count = 2 * len(asked_kills.POINTS)
    folder = tmp_path_factory.mktemp("p")  # a socket's path is short
    figures = prove(folder, "--orders", "0", "--kills", str(count), "--seed", "5", *points)
    assert figures["kills_with_correct_books"] == figures["kills"] == count
    assert figures["kills_by_point"].keys() >= {"taken", "gone"}


def test_what_has_not_left_before_a_sleep_leaves_after_it_only_as_it_was_confirmed(tmp_path):
    figures = prove(tmp_path, "--orders", "0", "--kills", "0", "--sleeps", "3", "--seed", "5")
    assert figures["sleeps"] == {"short": 1, "too_old": 1, "drifted": 1}
    assert figures["left_after_a_sleep"] == 0


def test_a_guard_takes_flat_once_whoever_is_killed_and_on_no_stale_price(tmp_path):
    told = tmp_path / "guards.json"
    command = [sys.executable, "-m", "tests.faults.guards", "--cases", "6", "--json", str(told)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(told.read_text())
    assert figures["kills"] >= 6
    assert [figures[name] for name in ("double_flattening", "missed_trips", "stale_trips")] == [0, 0, 0]
