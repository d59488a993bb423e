"""Bringing a file to this version's tables: whose turn it is, what is kept of before, and what never does.

A migration runs in one transaction, while no engine lives on the home, and after a copy of the file was laid
beside it. An emergency migrates nothing: it reads a copy, or the file of a newer version as it stands.
"""

import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from filecmp import cmp
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.clock import Clock, SystemClock
from data.engines.at_rest import (
    FileAtRest,
    FileBusy,
    FileDamaged,
    FileError,
    copy_file,
    copy_unwritable_file,
    opened,
)
from data.engines.catalog import has_table
from data.engines.sqlite import (
    SqliteFile,
    bear_broken_references,
    broken_references,
    wait_for_locks,
    writer_engine,
)
from data.errors import BadInput, StoreBusy
from data.home import app_lock, schema_lock
from data.schema import (
    HEAD,
    STAMP,
    Columns,
    add_triggers,
    alembic_config,
    columns_missing,
    columns_of,
    known_versions,
    layouts_at,
    ours_of,
)
from data.server.books_place import BooksFile, writable_folder
from data.writing.locks import HeldLock, is_held, process_start
from data.writing.writer import take_turn

POINT = "migrating"
"""Where a program may die in the middle of a migration, as `reached` is told it."""


def _passed(point: str) -> None:
    pass


def prepare(path: Path, clock: Clock | None = None, reached: Callable[[str], None] = _passed) -> Path | None:
    """Create or upgrade the database at `path`; a folder made for it is 0700, the file 0600.

    Returns the copy that was laid beside a file before its upgrade. Raises `BadInput` for a read-only folder,
    a file that is no database, one from a newer version, one whose tables are not those that its version
    stamp says, and one that is to be upgraded while an engine lives on it; then nothing was changed.
    """
    _make_usable(path)
    revision, standing = _revision(path), _tables(path)
    if standing and not columns_missing(standing) and revision == HEAD:
        return None
    if revision == HEAD:
        raise _wrong_stamp(path, revision, standing)
    lock = HeldLock(schema_lock(path.parent))
    lock.take(wait=True)  # two programs may start on an empty home at once
    try:
        if (revision := _revision(path)) == HEAD:
            return None
        _check_stamp(path, revision)
        return _bring_to_head(path, revision, (clock or SystemClock()).now(), reached)
    finally:
        lock.free()


@contextmanager
def books_as_they_are(path: Path) -> Generator[BooksFile]:
    """What an emergency reads at `path`, which it never brings to another version.

    A stamp that is wrong on this version's tables keeps nobody from writing. Of an earlier version a copy is
    read, brought to this one and thrown away afterwards; a newer one is read as it stands where it has all
    that this one has. Where the folder or the file cannot be written, all this holds of a copy elsewhere.
    Raises `BadInput` where nothing can be read.
    """
    try:
        _make_usable(path)
    except BadInput as problem:
        if not path.exists():
            raise
        unwritable = f"{path.name} cannot be written ({_system_words(problem.__cause__)})"
    else:
        unwritable = ""
    if unwritable:
        with _copied_elsewhere(path) as copy, books_as_they_are(copy) as books:
            yield BooksFile(books.path, unwritable)
        return
    revision, standing = _revision(path), _tables(path)
    newer = revision is not None and revision not in known_versions()
    if not standing:
        prepare(path)
        yield BooksFile(path)
    elif not columns_missing(standing):
        yield BooksFile(path, _other_version(path, revision) if newer else "")
    elif revision == HEAD:
        raise _wrong_stamp(path, revision, standing)
    elif newer:
        raise _from_newer(path, revision)
    else:
        _check_stamp(path, revision)
        with TemporaryDirectory(prefix="tradedesk-") as folder:
            copy = Path(folder) / path.name
            copy_file(path, copy)
            upgrade_file(copy, revision)
            yield BooksFile(copy, _other_version(path, revision))


def is_unwritable(path: Path) -> bool:
    """Whether a file is there that nothing can be written to, as on a read-only file system."""
    try:
        _make_usable(path)
    except BadInput:
        return path.exists()
    return False


@contextmanager
def _copied_elsewhere(path: Path) -> Generator[Path]:
    """A copy of a file whose own folder cannot be written, for this user alone, until it was read.

    Raises `BadInput` where there is no room for one.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="tradedesk-", dir=writable_folder()))
            copy = Path(folder) / path.name
            copy_unwritable_file(path, copy)
        except (OSError, FileError) as problem:
            expected = (
                f"it cannot be written, and no copy of it could be laid elsewhere to be read ({problem})"
            )
            raise BadInput("database", str(path), expected) from problem
        yield copy


def _other_version(path: Path, revision: str | None) -> str:
    return (
        f"{path.name} is of version {revision}, this program of {HEAD}, and an emergency changes no version"
    )


def _make_usable(path: Path) -> None:
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with suppress(PermissionError):  # another's file that this user may write to
            path.chmod(0o600)
        with path.open("r+b"):
            pass
        if not os.access(folder, os.W_OK):
            raise PermissionError("not writable")
    except OSError as problem:
        raise BadInput(
            "home", str(folder), f"give a folder that this user can write to ({_system_words(problem)})"
        ) from problem


def _system_words(problem: BaseException | None) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


# --- what a file is ------------------------------------------------------------------------------------


def _tables(path: Path) -> Columns:
    """The columns of each table in a file, but for SQLite's own and the stamp's."""
    with opened(path) as file:
        try:
            return columns_of(file)
        except FileDamaged as problem:
            raise BadInput("database", str(path), f"it cannot be read: {problem}") from problem


def _revision(path: Path) -> str | None:
    with opened(path) as file:
        try:
            known = has_table(file.execute, STAMP)
            row = file.execute(f"SELECT version_num FROM {STAMP}").fetchone() if known else None
        except FileBusy as problem:
            raise BadInput("database", str(path), f"it cannot be opened: {problem}") from problem
        except FileDamaged as problem:
            raise BadInput(
                "database", str(path), f"this is not a tradedesk database ({problem})"
            ) from problem
    return str(row[0]) if row else None


def _check_stamp(path: Path, revision: str | None) -> None:
    """Raise `BadInput` where the tables are not those of the version that the file's stamp names."""
    standing, known = _tables(path), known_versions()
    if (revision is None and not standing) or (revision is not None and revision not in known):
        return  # a fresh file; one of a newer version is refused by its own words
    if revision is None or layouts_at([revision])[revision] != ours_of(standing):
        raise _wrong_stamp(path, revision, standing)


def _wrong_stamp(path: Path, revision: str | None, standing: Columns) -> BadInput:
    """What is wrong with a file whose stamp and tables do not go together, and what to do."""
    layouts = layouts_at(known_versions())
    same = next((one for one in reversed(layouts) if layouts[one] == ours_of(standing)), None)
    stamp = f"its version stamp says {revision}" if revision else "it has no version stamp"
    if same is None:
        lacks = columns_missing(standing)
        told = f", and lacks {lacks[0]}" if lacks and revision == HEAD else ""
        expected = (
            f"{stamp}, but its tables are of no version of tradedesk{told}: something else changed it. Put a "
            "copy back; `tradedesk doctor` reads what can be read. Nothing was changed"
        )
        return BadInput("database", str(path), expected)
    expected = (
        f"{stamp}, but its tables are those of version {same}: something else changed the stamp. Put a copy "
        f"back; or, where the stamp alone is wrong, write {same} into version_num of its table "
        "alembic_version. `tradedesk doctor` reads it as it is. Nothing was changed"
    )
    return BadInput("database", str(path), expected)


def _from_newer(path: Path, revision: str | None) -> BadInput:
    expected = (
        f"it was written by a newer version of tradedesk (schema {revision}, this one knows {HEAD}); "
        "install that version, nothing was changed"
    )
    return BadInput("database", str(path), expected)


# --- who lives on a home -------------------------------------------------------------------------------


def _nobody_lives(path: Path, standing: FileAtRest) -> None:
    """Raise `BadInput` naming the processes where an engine lives on the home of this file."""
    if who := who_lives(path, standing):
        expected = (
            f"its books are of an earlier version, and {who} at work on them: end that first, then "
            f"start again; {path.name} was not changed"
        )
        raise BadInput("home", str(path.parent), expected)


def who_lives(path: Path, standing: FileAtRest) -> str:
    """The processes whose engines live on the home of this file, in words with their verb; empty for none.

    A held lock says so; and before an engine has its lock, the row by which it came in.
    """
    home, found = path.parent, dict[str, str]()
    for lock in sorted(app_lock(home).parent.glob("*.lock")):
        if lock != schema_lock(home) and is_held(lock):
            holder = HeldLock(lock).holder()
            found[holder] = "an app" if lock == app_lock(home) else found.get(holder, "an engine")
    with suppress(FileError):  # a damaged file names nobody
        for kind, pid, started in standing.execute(
            "SELECT kind, pid, process_started FROM instance WHERE ended_at IS NULL"
        ):
            if started and process_start(int(pid)) == started:
                found.setdefault(str(pid), f"{kind}, coming in")
    if not found:
        return ""
    who = ", ".join(f"{pid} ({what})" for pid, what in sorted(found.items()))
    return f"process {who} is" if len(found) == 1 else f"processes {who} are"


# --- the migration -------------------------------------------------------------------------------------


def copy_path(path: Path, at: datetime) -> Path:
    """Where the copy lies that was made at a moment before a file was brought to this version."""
    return path.with_name(f"{path.stem}-before-{HEAD}-{at:%Y%m%dT%H%M%SZ}{path.suffix}")


def _unused(copy: Path) -> Path:
    """The name of a copy, or the next one behind it where a copy of the same second lies there already."""
    behind = (copy.with_stem(f"{copy.stem}-{number}") for number in count(2))
    return next(name for name in chain([copy], behind) if not name.exists())


def copies_beside(path: Path) -> list[Path]:
    """The copies that lie beside a file as it was before it was brought to a later version."""
    return sorted(path.parent.glob(f"{path.stem}-before-*{path.suffix}"))


def _lay_copy(path: Path, at: datetime) -> tuple[Path, bool]:
    """Copy a file beside itself, whole, before it is changed; whether this laid the copy that lies there.

    A program that dies in the middle of a migration leaves the file as it was, and its copy: one that is to
    the byte what would be copied now is kept as that, and no second is laid. Raises `BadInput` where there
    is no room.
    """
    copy = copy_path(path, at)
    part = path.with_name(f"{path.stem}-before-{HEAD}.part")
    try:
        part.unlink(missing_ok=True)
        copy_file(path, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        for earlier in copies_beside(path):
            if cmp(earlier, part, shallow=False):
                part.unlink()
                return earlier, False
        copy = _unused(copy)
        part.replace(copy)
    except (OSError, FileError) as problem:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise BadInput(
            "database",
            str(path),
            f"it is of an earlier version, and no copy of it could be laid as {copy.name} before bringing it "
            f"to version {HEAD} ({problem}); nothing was changed",
        ) from problem
    return copy, True


def _bring_to_head(
    path: Path, revision: str | None, at: datetime, reached: Callable[[str], None]
) -> Path | None:
    copy: Path | None = None
    fresh = False

    def before() -> None:
        nonlocal copy, fresh
        with opened(path) as standing:
            _nobody_lives(path, standing)
        copy, fresh = _lay_copy(path, at)
        reached(POINT)

    try:
        upgrade_file(path, revision, before if revision in known_versions() else None, reached)
    except BaseException:
        if copy is not None and fresh:
            copy.unlink(missing_ok=True)  # nothing was changed
        raise
    return copy


def upgrade_file(
    path: Path,
    revision: str | None,
    before: Callable[[], None] | None = None,
    reached: Callable[[str], None] = _passed,
) -> None:
    """Run the migrations in one transaction; `before` is done once nobody else can write any more."""
    engine = writer_engine(path)
    try:
        with engine.connect() as connection:
            bear_broken_references(connection)  # a table may be made anew under its referrers
            take_turn(SqliteFile(path), connection)
            wait_for_locks(connection, 5.0)  # others may look while this commits
            if before is not None:
                before()
            _upgrade(connection, path, revision)
            add_triggers(connection)
            if before is not None:  # an emergency bears references that lead nowhere
                _check_references(connection, path)
            reached(POINT)
            connection.exec_driver_sql("COMMIT")
    except (DBAPIError, StoreBusy) as problem:
        why = problem.orig if isinstance(problem, DBAPIError) else problem
        raise BadInput("database", str(path), f"it cannot be brought to version {HEAD}: {why}") from problem
    finally:
        engine.dispose()


def _check_references(connection: Connection, path: Path) -> None:
    astray = broken_references(connection)
    if astray:
        raise BadInput("database", str(path), f"{astray[0]}; nothing was changed")


def _upgrade(connection: Connection, path: Path, revision: str | None) -> None:
    from alembic import command

    if revision is not None and revision not in known_versions():
        raise _from_newer(path, revision)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
