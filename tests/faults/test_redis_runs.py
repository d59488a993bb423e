"""Desks that hear each other through Redis: whatever becomes of it, the books end as the broker's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.redis_server import missing

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.proof
@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())
def test_no_order_and_no_money_hangs_on_redis(tmp_path: Path) -> None:
    events = ["redis killed", "redis frozen", "redis emptied"]
    command = [sys.executable, "-m", "tests.faults.redis_runs", "--rounds", "1", "--seed", "5"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "rounds"), "--events", *events],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rounds" in done.stdout
    assert "twice 0, freed without proof 0" in done.stdout
