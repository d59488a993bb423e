"""Cancel-all beside a frozen app at a short length: the documented command, three instants, two under a lock.

The command runs in a process of its own, since it forks and so must have one thread.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof


ROOT = Path(__file__).parents[2]


def test_cancel_all_cancels_everything_beside_a_frozen_app(tmp_path):
    told = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.faults.frozen", "--times", "3", "--seed", "11"]
    instants = [
        word for instant in ("at random", "reserving", "on the wire") for word in ("--instant", instant)
    ]
    done = subprocess.run(
        [*command, *instants, "--folder", str(tmp_path), "--json", str(told)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    found = json.loads(told.read_text())
    assert (found["times"], found["without_fault"]) == (3, 3)
    assert found["holding_a_lock"] >= 1
    assert found["orders_live"] > 100
    assert set(found["exit_codes"]) <= {0, 5}
    assert found["each"][1]["held"]
    assert found["each"][1]["ended_app"]
    assert found["each"][2]["in_flight"] > 0
    for each in found["each"]:
        assert each["last_cancel_s"] > each["halt_file_s"]
