"""Room kept for a full disk: a file in the home that only takes up space, until cancel-all gives it back."""

import os
from contextlib import suppress
from pathlib import Path

from data.home import spare_file

SPARE_BYTES = 4 * 1024 * 1024
"""Enough to halt and cancel a thousand orders on a full disk."""

LEAST_BYTES = 512 * 1024
"""Less is not worth keeping: it would not open the books."""

LEFT_BYTES = 1024 * 1024
"""What is left free beside the spare when a command or the app starts."""

LEFT_AFTER_USE_BYTES = 256 * 1024
"""What cancel-all leaves when it takes the spare again: enough to look at the orders."""


def keep_spare(home: Path, left_bytes: int = LEFT_BYTES) -> None:
    """Take up `SPARE_BYTES`, or what the disk has beyond `left_bytes`; a spare that stands only grows.

    Raises `OSError` where the disk takes no more after all; what stood before stands then.
    """
    file, kept = spare_file(home), spare_bytes(home)
    room = os.statvfs(home)
    wanted = min(SPARE_BYTES, kept + room.f_bavail * room.f_frsize - left_bytes)
    if wanted < LEAST_BYTES or wanted <= kept:
        return
    try:
        with file.open("ab") as spare:
            spare.write(os.urandom(wanted - kept))  # zeros take no room where the disk compresses
            spare.flush()
            os.fsync(spare.fileno())
    except OSError:
        with suppress(OSError):
            os.truncate(file, kept)
        raise


def give_spare_back(home: Path) -> None:
    """Free the room for what cannot wait."""
    with suppress(OSError):
        spare_file(home).unlink(missing_ok=True)


def spare_bytes(home: Path) -> int:
    """How much room is kept; 0 where none is."""
    try:
        return spare_file(home).stat().st_size
    except OSError:
        return 0
