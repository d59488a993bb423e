"""A process that froze while it held the database's write lock, found and ended so that cancels can go.

Only cancel-all does this, and only to a process that the desk's own rows name: same process id, same
start time. The lock is SQLite's own, on the shared-memory file beside the database.
"""

import fcntl
import os
import signal
import struct
from contextlib import suppress
from pathlib import Path

from data.clock import SystemClock
from data.engines.at_rest import FileBusy, FileDamaged, FileError, opened_to_look, opened_to_write
from data.writing.locks import process_start
from tradedesk.cli.printing.output import say

WAIT_S = 0.5
"""How long a living writer may take to give the lock up."""

_WAL_WRITE_LOCK = 120
"""The byte of the shared-memory file that a writer locks (SQLite, "WAL-Index Locking")."""

_FLOCK = "hhqqi4x" if struct.calcsize("l") == 8 else "hhiii"
"""`struct flock` of Linux: type, whence, start, length, process."""


def end_frozen_writer(database: Path, desk_database: Path) -> bool:
    """End the desk process that keeps the write lock for longer than `WAIT_S`; returns whether it ended one.

    Its row stands in `desk_database`, whichever `database` it holds. Where a file cannot be written, nothing
    waits for its lock.
    """
    if not os.access(database, os.W_OK) or _lock_is_free(database):
        return False
    holder = lock_holder(database)
    if holder is None or holder == os.getpid() or not _is_ours(desk_database, holder):
        return False
    say(f"process {holder} is frozen and holds {database.name}: ending it")
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGKILL)
    return True


def _lock_is_free(database: Path) -> bool:
    clock = SystemClock()
    deadline = clock.monotonic() + WAIT_S
    with opened_to_write(database, WAIT_S) as connection:
        while clock.monotonic() < deadline:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                return True
            except FileBusy:
                continue
            except FileDamaged:
                return True  # no database: nobody holds it, and opening it says what is wrong
    return False


def lock_holder(database: Path) -> int | None:
    """The process that holds the write lock, as the system tells; None where it cannot be told."""
    with suppress(OSError, struct.error), Path(f"{database}-shm").open("r+b") as file:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _WAL_WRITE_LOCK, 1, 0)
        kind, _, _, _, holder = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        if kind != fcntl.F_UNLCK and holder > 0:
            return holder
    return None


def _is_ours(database: Path, pid: int) -> bool:
    started = process_start(pid)
    with (
        suppress(FileError),
        opened_to_look(database) as connection,
    ):
        rows = connection.execute(
            "SELECT process_started FROM instance WHERE pid = ? AND ended_at IS NULL", (pid,)
        )
        return bool(started) and started in {row[0] for row in rows}
    return False
