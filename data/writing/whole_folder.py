"""Putting a folder of files in its place, all of them or none."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from glob import escape
from hashlib import sha256
from pathlib import Path, PurePosixPath

from msgspec import Struct

SUMS = "SHA256SUMS"
"""The list of a folder's files with their hashes, as `sha256sum -c` reads it."""


class WrittenFile(Struct, frozen=True):
    """A file by its name within the folder, and the SHA-256 of its bytes."""

    name: str
    sha256: str


def put_folder_whole(folder: Path, files: Iterable[tuple[str, bytes]]) -> tuple[WrittenFile, ...]:
    """Write files under a folder, with a list of their hashes; their owner alone may read them.

    They are written beside it and renamed together once all are on the disk, in the place of a folder of
    before. What was broken off earlier is cleared away. Raises `OSError`, and then nothing has changed.
    """
    with _made_beside(folder, files) as (part, written):
        _swap(part, folder)
    return written


def put_new_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> tuple[WrittenFile, ...]:
    """The same for a folder that is not there yet, or is empty: one with files in it is an `OSError`."""
    with _made_beside(folder, files) as (part, written):
        part.replace(folder)
    return written


@contextmanager
def _made_beside(
    folder: Path, files: Iterable[tuple[str, bytes]]
) -> Generator[tuple[Path, tuple[WrittenFile, ...]]]:
    """The files in a folder beside that one, all on the disk; it is to be renamed."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(folder)
    part = Path(tempfile.mkdtemp(prefix=_beside(folder, "part-"), dir=folder.parent))
    try:
        written = tuple(_written(part, name, raw) for name, raw in files)
        sums = "".join(f"{one.sha256}  {one.name}\n" for one in sorted(written, key=lambda one: one.name))
        _written(part, SUMS, sums.encode())
        for inner in (*(one for one in part.rglob("*") if one.is_dir()), part):
            _sync(inner)
        yield part, written
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _beside(folder: Path, what: str) -> str:
    """A name of this module's own beside a folder, which is never that of another folder."""
    return f".{folder.name}.{what}"


def _written(part: Path, name: str, raw: bytes) -> WrittenFile:
    path = part / PurePosixPath(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return WrittenFile(name, sha256(raw).hexdigest())


def _swap(part: Path, folder: Path) -> None:
    """Put the folder in its place; one that stood there is away only once this one stands."""
    if not folder.exists():
        part.rename(folder)
        return
    old = folder.with_name(_beside(folder, "before"))
    folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _clear(folder: Path) -> None:
    """Remove what a writer that was killed has left, and put back what it had moved away."""
    before = folder.with_name(_beside(folder, "before"))
    if before.exists() and not folder.exists():
        before.rename(folder)
    for left in (before, *folder.parent.glob(f"{escape(_beside(folder, 'part-'))}*")):
        shutil.rmtree(left, ignore_errors=True)


def _sync(folder: Path) -> None:
    with suppress(OSError):  # a folder cannot be opened so everywhere
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
