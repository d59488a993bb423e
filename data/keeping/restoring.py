"""Putting a backup back into an empty home: tried beside the home, then put into its place at once."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from data.clock import Clock
from data.engines.at_rest import FileError
from data.errors import BadInput
from data.keeping.archive import BOOKS, Manifest, remove_folder, unpack
from data.keeping.looked import BooksSeen, look_at
from data.migrating import prepare

UNPACKED, READY = "unpacked", "ready"
"""Where a program may die while it restores, as `reached` is told it."""


class Restored(Struct, frozen=True):
    """What was put back, and what its books ended with."""

    home: Path
    manifest: Manifest
    seen: BooksSeen


def _passed(point: str) -> None:
    pass


def restore(
    file: Path,
    home: Path,
    clock: Clock,
    finish: Callable[[Path, Manifest, BooksSeen], None],
    reached: Callable[[str], None] = _passed,
) -> Restored:
    """Put a backup into an empty home, whole or not at all; `finish` is done to it before it stands there.

    Books of an earlier version are brought to this one's tables. Raises `BadInput` for a home that is not
    empty, a file that is no whole backup, or where there is no room.
    """
    check_empty(home)
    _check_file(file)
    making = home.parent / f".{home.name}.restoring"
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_folder(making)  # what a program left that died here
        making.mkdir(mode=0o700)
        manifest = unpack(file, making)
        reached(UNPACKED)
        prepare(making / BOOKS, clock)
        seen = look_at(making)
        finish(making, manifest, seen)
        reached(READY)
        os.replace(making, home)  # takes the place of an empty folder, and of nothing else
    except (OSError, FileError) as problem:
        said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        expected = f"the backup cannot be put there ({said}); name a folder that can be made, with room"
        raise BadInput("home", str(home), expected) from problem
    finally:
        remove_folder(making)
    return Restored(home, manifest, seen)


def try_backup(file: Path, within: Path, clock: Clock) -> BooksSeen:
    """Put a backup back for a trial into a folder that is gone afterwards, and look at its books.

    That folder is made `within` another. Raises `BadInput` for a file that is no whole backup, or no room.
    """
    _check_file(file)
    making = Path(tempfile.mkdtemp(prefix=".trying-", dir=within))
    try:
        unpack(file, making)
        prepare(making / BOOKS, clock)
        return look_at(making)
    except (OSError, FileError) as problem:
        said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise BadInput("file", str(file), f"it cannot be tried: {said}") from problem
    finally:
        remove_folder(making)


def _check_file(file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as problem:
        raise BadInput("file", str(file), f"it cannot be read: {problem.strerror}") from problem


def check_empty(home: Path) -> None:
    """Raise `BadInput` where anything of a desk, or of anybody's, stands in a home."""
    if home.is_symlink() or (home.exists() and not home.is_dir()):
        raise BadInput("home", str(home), "name a folder that is not there yet, or an empty one")
    if home.is_mount():
        raise BadInput(
            "home", str(home), f"a disk is mounted there: name a folder in it, such as {home / 'desk'}"
        )
    try:
        found = sorted(one.name for one in home.iterdir())
    except FileNotFoundError:
        return
    except OSError as problem:
        raise BadInput("home", str(home), f"it cannot be looked into: {problem.strerror}") from problem
    if found:
        raise BadInput(
            "home",
            str(home),
            f"it holds {found[0]}: a backup goes into an empty home only, such as "
            f"TRADEDESK_HOME={home.with_name(home.name + '-restored')}",
        )
