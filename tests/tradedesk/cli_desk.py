"""Driving the command line in a home of its own, and reading what it printed."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.books import SQLITE, database_url, engine_now
from tradedesk.cli.main import app


@dataclass(frozen=True, slots=True)
class Printed:
    """What one command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """stdout, which must be exactly one JSON document."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The document's `error`."""
        return self.document["error"]


@dataclass(frozen=True, slots=True)
class Terminal:
    """The command line on one home."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to find the home, and a paper exchange that answers at once."""
        return {
            **os.environ,
            "TRADEDESK_HOME": str(self.home),
            **({} if engine_now() == SQLITE else {"TRADEDESK_DATABASE_URL": database_url(self.home)}),
            "TRADEDESK_PAPER_LATENCY_MS": "[0, 0]",
            "TRADEDESK_TRADER": "tester",
        }

    def run(self, *args: str, stdin: str | None = None) -> Printed:
        """Run a command in this process, away from a terminal, with these lines on its stdin."""
        result = CliRunner().invoke(app, list(args), env=self.environment, input=stdin)
        return Printed(result.exit_code, result.stdout, result.stderr)

    def done(self, *args: str) -> Any:
        """Run a command with `--json`, which must end well; returns its document."""
        printed = self.run(*args, "--json")
        assert printed.code == 0, (printed.code, printed.err)
        return printed.document

    def order(self, *args: str) -> dict[str, Any]:
        """Send one order that must end well; returns it."""
        return self.done("order", *args, "--yes")["run"]["orders"][0]

    def at_keyboard(self, args: Sequence[str], until: str, answer: str) -> Printed:
        """Run a command at a pseudo-terminal, type `answer` once it has shown `until`."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "tradedesk.cli", *args],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**self.environment, "COLUMNS": "100"},
        )
        os.close(theirs)
        shown = ""
        try:
            while until not in shown:
                ready, _, _ = select.select([ours], [], [], 30)
                assert ready, f"nothing more was shown after {shown!r}"
                shown += os.read(ours, 4096).decode()
            os.write(ours, answer.encode())
            out, _ = child.communicate(timeout=60)
        finally:
            child.kill()
            child.wait()
            os.close(ours)
        return Printed(child.returncode, out.decode(), shown)
