"""What stands around a migration: nobody at work, a copy beside, all or nothing; and who never migrates."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.command import upgrade

from data.clock import ManualClock
from data.errors import BadInput
from data.migrating import books_as_they_are, copies_beside, copy_path, prepare
from data.schema import HEAD
from data.writing.locks import HeldLock, process_start
from tests.further import further
from tests.homes import unpack

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 29, 4, 5, 6, tzinfo=UTC)

DIES = """
import os, signal, sys
from pathlib import Path
from data.migrating import prepare
passes = int(sys.argv[2])
def reached(point):
    global passes
    passes -= 1
    if passes < 0:
        os.kill(os.getpid(), signal.SIGKILL)
prepare(Path(sys.argv[1]), reached=reached)
"""


def version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as file:
        return str(file.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def orders(path: Path) -> list[tuple[int, str, int]]:
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT id, state, blocked_paise FROM orders ORDER BY id").fetchall()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Books of the first build, closed in order."""
    return unpack("halted", tmp_path)


@contextmanager
def at_work(home: Path, name: str) -> Generator[int]:
    """Another process that holds a lock of this name in the home."""
    holds = (
        "import sys; from pathlib import Path; from data.writing.locks import HeldLock; "
        "HeldLock(Path(sys.argv[1])).take(); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", holds, str(home / "locks" / name)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    try:
        yield child.pid
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize(("lock", "what"), [("engine-7.lock", "an engine"), ("app.lock", "an app")])
def test_nothing_is_changed_while_another_process_is_at_work_on_the_home(
    old: Path, lock: str, what: str
) -> None:
    before = version(old)
    with at_work(old.parent, lock) as pid:
        with pytest.raises(BadInput, match=rf"process {pid} \({what}\) is at work on them") as refused:
            prepare(old)
        assert refused.value.field == "home"
        assert version(old) == before
        assert list(old.parent.glob("desk-before-*")) == []
    assert prepare(old) is not None


def test_an_engine_whose_row_stands_before_its_lock_is_not_overlooked(old: Path) -> None:
    with closing(sqlite3.connect(old)) as file:
        file.execute(
            "INSERT INTO instance (id, kind, pid, process_started, heartbeat_at, started_at) "
            "VALUES (900, 'cli', ?, ?, '2026-11-18 03:45:00', '2026-11-18 03:45:00')",
            (os.getpid(), process_start(os.getpid())),
        )
        file.commit()
    with pytest.raises(BadInput, match=rf"process {os.getpid()} \(cli, coming in\) is at work"):
        prepare(old)


def test_the_lock_of_an_engine_that_died_keeps_nobody_from_it(old: Path) -> None:
    lock = HeldLock(old.parent / "locks" / "engine-7.lock")
    lock.take()
    lock.free()
    assert prepare(old) is not None


def test_a_copy_named_by_version_and_time_is_laid_beside_a_file_and_kept(old: Path) -> None:
    before, known = version(old), orders(old)
    copy = prepare(old, ManualClock(AT))
    assert copy is not None
    assert copy == copy_path(old, AT)
    assert copy.name == f"desk-before-{HEAD}-20261129T040506Z.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert (version(copy), orders(copy)) == (before, known)
    assert (version(old), orders(old)) == (HEAD, known)
    assert prepare(old) is None, "it is of this version now"


def test_without_room_for_the_copy_nothing_is_changed(old: Path) -> None:
    before, known = version(old), orders(old)
    (old.parent / f"desk-before-{HEAD}.part").mkdir()
    with pytest.raises(BadInput, match="no copy of it could be laid"):
        prepare(old)
    assert (version(old), orders(old)) == (before, known)


def broken_upgrade(config: object, revision: str) -> None:
    upgrade(config, revision)  # type: ignore[arg-type]
    raise ValueError("the last of it")


def test_a_migration_that_fails_leaves_the_file_and_no_copy(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(old)
    monkeypatch.setattr("alembic.command.upgrade", broken_upgrade)
    with pytest.raises(ValueError, match="the last of it"):
        prepare(old)
    assert version(old) == before
    assert list(old.parent.glob("desk-before-*")) == []


def die_in_it(old: Path, passes: int) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(old), str(passes)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL


@pytest.mark.parametrize("passes", further([0, 1]))
def test_killed_in_the_middle_it_is_the_old_file_or_the_new_one(old: Path, passes: int) -> None:
    before, known = version(old), orders(old)
    die_in_it(old, passes)
    assert (version(old), orders(old)) == (before, known)
    (left,) = copies_beside(old)
    assert prepare(old) == left, "the copy of the one that was killed is the copy of this one"
    assert (version(old), orders(old)) == (HEAD, known)
    assert (copies_beside(old), version(left), orders(left)) == ([left], before, known)


def test_a_copy_left_by_a_kill_is_kept_beside_a_second_where_the_books_went_on(old: Path) -> None:
    die_in_it(old, 0)
    (left,) = copies_beside(old)
    with closing(sqlite3.connect(old)) as file:
        file.execute("UPDATE orders SET blocked_paise = blocked_paise + 1 WHERE id = 1")
        file.commit()
    known = orders(old)
    copy = prepare(old)
    assert copy is not None
    assert copies_beside(old) == sorted([left, copy])
    assert orders(copy) == known != orders(left)


def test_a_copy_left_by_a_kill_stays_where_the_next_migration_fails(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in_it(old, 0)
    left = copies_beside(old)
    monkeypatch.setattr("alembic.command.upgrade", broken_upgrade)
    with pytest.raises(ValueError, match="the last of it"):
        prepare(old)
    assert copies_beside(old) == left != []


def test_an_emergency_reads_an_earlier_version_through_a_copy_and_changes_nothing(old: Path) -> None:
    before, known = old.read_bytes(), orders(old)
    with at_work(old.parent, "engine-7.lock"), books_as_they_are(old) as books:
        assert books.path != old
        assert (version(books.path), orders(books.path)) == (HEAD, known)
        assert "an emergency changes no version" in books.unwritable
    assert not books.path.exists()
    assert old.read_bytes() == before


def test_an_emergency_reads_a_newer_version_that_has_all_of_this_one_and_writes_nothing(old: Path) -> None:
    prepare(old)
    with closing(sqlite3.connect(old)) as file:
        file.execute("ALTER TABLE orders ADD COLUMN later TEXT")
        file.execute("UPDATE alembic_version SET version_num = '9999'")
        file.commit()
    with books_as_they_are(old) as books:
        assert books.path == old
        assert "of version 9999" in books.unwritable
    with closing(sqlite3.connect(old)) as file:
        file.execute("ALTER TABLE orders RENAME COLUMN leg TO place")
        file.commit()
    with pytest.raises(BadInput, match="newer version of tradedesk"), books_as_they_are(old):
        pass
