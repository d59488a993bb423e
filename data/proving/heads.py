"""Heads of the audit kept outside the database, in a file that the trader names, best on another machine.

A line a head: the time, the row's number and its hash. Who rewrites the whole database is found by it alone.
"""

import os
import re
from datetime import datetime
from pathlib import Path

from data.audit import Head
from data.proving.verifying import NOTHING_OUTSIDE, Outside

EVERY_S = 60.0
"""How often the newest head is written while the audit grows; besides at the opening's end and at closing."""

_LINE = re.compile(r"(\S+) (\d{1,18}) ([0-9a-f]{64})")


class HeadsFile:
    """The file; None for none. `trouble` says why it could not be written when that was last tried."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.trouble = ""
        self._last: Head | None = None
        self._due = 0.0

    def keep(self, head: Head, at: datetime, passed_s: float, now: bool = False) -> None:
        """Write a head down, but for `now` at most every `EVERY_S` of the steady clock `passed_s`."""
        if self.path is None or head.seq == 0 or head == self._last or (not now and passed_s < self._due):
            return
        self._due = passed_s + EVERY_S
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, f"{at.isoformat()} {head.seq} {head.hash}\n".encode())
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as problem:
            self.trouble = f"{self.path} cannot be written: {problem.strerror}"
            return
        self._last, self.trouble = head, ""


def heads_outside(path: Path | None, given: str | None = None) -> Outside:
    """The heads of the file, with one that the trader gave; a line that is none is trouble."""
    if path is None or not path.exists():
        return Outside({}, given) if given else NOTHING_OUTSIDE
    heads: dict[int, str] = {}
    trouble = ""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as problem:
        return Outside({}, given, f"{path} cannot be read: {problem.strerror}")
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            trouble = trouble or f"line {number} of {path} is no head"
            continue
        seq, digest = int(found[2]), found[3]
        if heads.setdefault(seq, digest) != digest:
            trouble = trouble or f"line {number} of {path} names another head of row {seq} than one before it"
    return Outside(heads, given, trouble)
