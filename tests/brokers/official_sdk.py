"""The proof of a local broker by its real broker's official SDK, in an environment of the SDK's own.

The SDK is installed in a temporary folder or in the one of `--environment FOLDER`, where it is found again.
It is none of the project's dependencies. Where no index can be reached this says so and ends with status 77,
as a test that is skipped.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from brokers.simulators.serving.switchboard import DoubtfulFact

SKIPPED = 77


class Proof(NamedTuple):
    """What is proved: an SDK as pip names it, the file of its calls, and the command that serves.

    `options` follow the command of `tradedesk simulate`; every position of each doubt is gone through.
    """

    sdk: str
    calls: Path
    served: str
    options: Sequence[str]
    doubts: Sequence[DoubtfulFact]


def run(proof: Proof) -> int:
    """Install, serve, call; returns the status to end with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment", type=Path, help="a folder to keep the SDK's environment in")
    parser.add_argument("--first-only", action="store_true", help="leave the switches as they start")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="official-sdk-") as scratch:
        python = _installed(proof.sdk, given.environment or Path(scratch) / "environment")
        if python is None:
            print(f"skipped: {proof.sdk} cannot be installed here")
            return SKIPPED
        return _seen(proof, python, Path(scratch) / "books", first_only=given.first_only)


def _installed(sdk: str, environment: Path) -> Path | None:
    """The interpreter of an environment that has the SDK; None where it cannot be installed."""
    python = environment / "bin" / "python"
    if python.exists():
        return python
    venv.create(environment, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", sdk]
    done = subprocess.run(command, check=False)
    return python if done.returncode == 0 else None


def _seen(proof: Proof, python: Path, books: Path, *, first_only: bool) -> int:
    """Serve a local broker and have the SDK call it; the status of the calls."""
    switches = [
        [doubt.switch, doubt.positions[0], position]
        for doubt in proof.doubts
        for position in doubt.positions[1:]
    ]
    switches.append(["split_frames", False, True])
    command = [sys.executable, "-m", "tradedesk.cli", "simulate", proof.served, "--port", "0"]
    command += ["--folder", str(books), *proof.options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().partition("answers at ")[2].partition(";")[0]
            wanted = json.dumps([] if first_only else switches)
            return subprocess.run([str(python), str(proof.calls), url, wanted], check=False).returncode
        finally:
            server.terminate()
