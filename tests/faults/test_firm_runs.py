"""Desks on one database: whatever dies, freezes or is cut off, the books end as the broker's."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.proof
def test_desks_on_one_database_end_with_the_brokers_books_whatever_dies(tmp_path: Path) -> None:
    events = ["desk killed", "server restarted", "desk frozen and ended", "commit cut off after"]
    command = [sys.executable, "-m", "tests.faults.firm_runs", "--rounds", "1", "--seed", "5"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "rounds"), "--events", *events],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 rounds" in done.stdout
    assert "twice 0, freed without proof 0" in done.stdout
