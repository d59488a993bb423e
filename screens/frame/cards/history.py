"""What was typed at the command line, kept across starts in a file of the home, for its owner's eyes only.

Only lines that were understood are kept, and no command takes a secret.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from data.home import history_file

if TYPE_CHECKING:
    from pathlib import Path

MOST_KEPT = 300
"""Lines that are kept, the newest last."""

log = logging.getLogger(__name__)


def read_history(home: Path) -> list[str]:
    """The lines typed before, oldest first; none where the file cannot be read."""
    try:
        text = history_file(home).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-MOST_KEPT:]


def keep_line(home: Path, line: str) -> list[str]:
    """Keep a line as the newest, once; returns all that is kept. A full disk loses the line and no more."""
    kept = [*(one for one in read_history(home) if one != line), line][-MOST_KEPT:]
    path = history_file(home)
    beside = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write("".join(f"{one}\n" for one in kept).encode(errors="replace"))
        beside.chmod(0o600)
        beside.replace(path)
    except OSError as problem:
        log.warning("a typed line was not kept: %s", problem)
    return kept
