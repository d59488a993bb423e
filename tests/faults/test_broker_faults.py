"""The order machine at each broker and at both, over real sockets to stand-ins of their own process.

Each run forks, and so is a process of its own with one thread; it compares the desk's books with the
stand-in's ledger whenever nothing is in doubt any more, and whatever differs is among its faults.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.instances import POINTS
from tests.faults.at_brokers import PLACES
from tests.faults.broker_life import PLACING
from tests.faults.broker_runs import KILLS

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("at", list(PLACES))]


ROOT = Path(__file__).parents[2]

NEVER_THERE = {"unavailable", "gateway_timeout"}
REFUSED = {"wrong_ip", "token_expired", "rms_reject"}


def told_by(at: str, run: str, folder: Path) -> dict[str, Any]:
    """What came of a run whose books were the broker's; what differed is in the failure."""
    told = folder / "told.json"
    command = [sys.executable, "-m", "tests.faults.broker_runs", "--at", at, run]
    command += ["--folder", str(folder)]
    done = subprocess.run(
        [*command, "--json", str(told)], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert told.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(told.read_text())[run]
    assert found["faults"] == []
    assert found["story"]["wrong"] == []
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["duplicates"] == found["freed_without_proof"] == 0
    assert found["unknown"] == found["unknown_resolved"] > 0
    return found


def test_every_fault_of_a_call_ends_in_the_brokers_own_books(at: str, tmp_path: Path) -> None:
    found = told_by(at, "placing", tmp_path)
    ends = found["story"]["ends"]
    assert ends.keys() == {*PLACING, "none"}
    for fault, state in ends.items():
        expected = "NOT_RECEIVED" if fault in NEVER_THERE else "REJECTED" if fault in REFUSED else "FILLED"
        assert (fault, state) == (fault, expected)
    assert found["unknown"] >= 5  # an order update may overtake a bad answer
    assert set(found["story"]["doubted"]) >= NEVER_THERE
    assert found["met"].keys() == set(PLACING)
    assert found["met"]["drop_connection"] == 3 * len(PLACES[at])  # a placement, a modify and a cancel


def test_a_bad_line_and_lost_sessions_leave_the_brokers_own_books(at: str, tmp_path: Path) -> None:
    found = told_by(at, "line", tmp_path)
    assert found["fills"] > 10
    assert found["met"].keys() == {
        "lost_update",
        "duplicate_update",
        "reordered_update",
        "rate_limited",
        "drop_connection",
        "unavailable_done",
        "token_expired",
    }
    places = len(PLACES[at])  # two are struck at each, of which the last may meet no call any more
    assert places <= found["met"]["token_expired"] <= 2 * places


def test_an_engine_that_was_killed_boots_to_the_brokers_own_books(at: str, tmp_path: Path) -> None:
    found = told_by(at, "kills", tmp_path)
    assert found["struck"] == [point for point, _, _ in KILLS]
    assert set(found["struck"]) <= set(POINTS)
    assert found["fills"] > 0
