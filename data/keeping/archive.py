"""One backup as a file: a ZIP with the two books of a home, what else belongs to it, and a list of all.

Anybody can open it with any ZIP program. Its list, `backup.json`, has the size and SHA-256 of each part, the
moment of the copy, and the number and hash of the audit's last row.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from msgspec import DecodeError, Struct, ValidationError, json

from data.errors import BadInput
from data.home import calendar_years, certificates_folder, themes_folder
from data.keeping.zipped import DamagedZip, opened_zip

LIST = "backup.json"
"""The part that lists all others."""

FORMAT = 1
"""Of the list; a later one is refused."""

BOOKS, EXCHANGE = "desk.db", "paper.db"
"""The desk's books and those of the paper exchange, which belong together."""

SECRETS = "secrets.enc"
"""The encrypted secrets, in a backup only where that was asked for."""

_SINGLE = (
    *("config.toml", "calendar.toml", "classes.toml", "trade-columns.json"),
    *("HALT", "history", "list_in_view"),
)
_PART = re.compile(r"(calendar|certificates|themes)/[^/\\\x00-\x1f]{1,120}")
_PIECE = 1024 * 1024
_LONGEST_LIST = 4 * 1024 * 1024


class BackupPart(Struct, frozen=True):
    """One file of a backup, with its name in the home."""

    name: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What a backup holds and what its books ended with, as its list says."""

    format: int
    made_at: datetime
    home: str
    schema: str
    audit_rows: int
    audit_head: str
    connections: tuple[str, ...]
    with_secrets: bool
    parts: tuple[BackupPart, ...]
    found: tuple[str, ...] = ()
    """What was wrong with the books when they were copied, as the copy showed."""

    def has(self, name: str) -> bool:
        """Whether a file of this name is in it."""
        return any(part.name == name for part in self.parts)


def beside_the_books(home: Path, with_secrets: bool) -> Iterator[tuple[str, Path]]:
    """What else of a home goes into its backup, by its name there.

    Neither exports, recordings, logs and earlier copies, nor who is signed in.
    """
    for name in (*_SINGLE, *((SECRETS,) if with_secrets else ())):
        if (home / name).is_file():
            yield name, home / name
    for folder in (calendar_years(home), certificates_folder(home), themes_folder(home)):
        for file in sorted(folder.glob("*")):
            if file.is_file() and _PART.fullmatch(f"{folder.name}/{file.name}"):
                yield f"{folder.name}/{file.name}", file


def may_be_part(name: str) -> bool:
    """Whether a file of this name may be in a backup; nothing else is ever written into a home."""
    return name in (BOOKS, EXCHANGE, SECRETS, *_SINGLE) or _PART.fullmatch(name) is not None


def pack(archive: Path, files: dict[str, Path]) -> tuple[BackupPart, ...]:
    """Write files into an archive that is not there yet, each by its name. Raises `OSError`."""
    parts = list[BackupPart]()
    handle = os.open(archive, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with os.fdopen(handle, "w+b") as file, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as packed:
        for name, path in files.items():
            digest, size = hashlib.sha256(), 0
            with path.open("rb") as source, packed.open(_entry(name), "w", force_zip64=True) as to:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    to.write(piece)
            parts.append(BackupPart(name, size, digest.hexdigest()))
    return tuple(parts)


def add_list(archive: Path, manifest: Manifest) -> str:
    """Add the list as an archive's last part and bring all of it to the disk; returns the file's SHA-256."""
    with ZipFile(archive, "a", ZIP_DEFLATED) as packed:
        packed.writestr(_entry(LIST), json.format(json.encode(manifest), indent=1))
    with archive.open("rb+") as file:
        os.fsync(file.fileno())
    return digest_of(archive)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def digest_of(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def unpack(archive: Path, folder: Path) -> Manifest:
    """Write all parts of an archive into an empty folder and hold each to the list.

    Raises `BadInput` where the file is no whole backup, `OSError` where there is no room.
    """
    manifest = read_list(archive)
    unpack_parts(archive, manifest.parts, folder)
    return manifest


def read_list(archive: Path) -> Manifest:
    """The list of an archive, which names all files in it. Raises `BadInput`, `OSError`."""
    with _opened(archive) as packed:
        manifest = _read_list(archive, packed)
        names = [one for one in packed.namelist() if one != LIST]
        if sorted(names) != sorted(part.name for part in manifest.parts):
            raise _damaged(archive, "its list does not name the files that are in it")
    return manifest


def unpack_parts(archive: Path, parts: Iterable[BackupPart], folder: Path) -> None:
    """Write parts of an archive into a folder, each held to its size and hash.

    Raises `BadInput` or `OSError`.
    """
    with _opened(archive) as packed:
        for part in parts:
            _unpack_part(archive, packed, part, folder / part.name)


@contextmanager
def _opened(archive: Path) -> Generator[ZipFile]:
    """An archive to be read; whatever is wrong in it is told in one way."""
    try:
        with opened_zip(archive) as packed:
            yield packed
    except DamagedZip as problem:
        raise _damaged(archive, str(problem)) from problem


def _read_list(archive: Path, packed: ZipFile) -> Manifest:
    if LIST not in packed.namelist():
        raise _damaged(archive, f"it has no {LIST}")
    entry = packed.getinfo(LIST)
    if entry.file_size > _LONGEST_LIST:
        raise _damaged(archive, f"its {LIST} is too long")
    try:
        manifest = json.decode(packed.read(entry), type=Manifest)
    except (DecodeError, ValidationError) as problem:
        raise _damaged(archive, f"its {LIST} cannot be read: {problem}") from problem
    if manifest.format != FORMAT:
        raise BadInput("file", str(archive), f"it is a backup of format {manifest.format}; {FORMAT} is known")
    strange = [part.name for part in manifest.parts if not may_be_part(part.name)]
    if strange or not manifest.has(BOOKS):
        raise _damaged(archive, f"it has {strange[0]!r}" if strange else f"it has no {BOOKS}")
    return manifest


def _unpack_part(archive: Path, packed: ZipFile, part: BackupPart, to: Path) -> None:
    if packed.getinfo(part.name).file_size != part.bytes:
        raise _damaged(archive, f"{part.name} has another size than its list says")
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    handle = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file, packed.open(part.name) as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != part.sha256:
        raise _damaged(archive, f"{part.name} is not what its list says")


def _damaged(archive: Path, why: str) -> BadInput:
    return BadInput("file", str(archive), f"it is no whole backup: {why}; nothing was written")


def remove_folder(folder: Path) -> None:
    """Remove a folder of this program's own with all that is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
