"""Bringing a file to this version's schema: twice, at once, and what is refused."""

import os
import pkgutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from data import migrations, schema, tables
from data.engines.sqlite import writer_engine
from data.errors import BadInput
from data.migrating import books_as_they_are, prepare
from data.schema import HEAD, schema_faults
from tests.further import further_rows


def test_a_fresh_file_has_the_models_tables_its_triggers_and_is_its_owners(tmp_path):
    path = tmp_path / "home" / "desk.db"
    prepare(path)
    before = path.read_bytes()
    prepare(path)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    engine = writer_engine(path)
    with engine.connect() as connection:
        assert schema_faults(connection) == []
        found = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
        assert [change for change in found if change[0] != "remove_index"] == []
        connection.exec_driver_sql("DROP TRIGGER fill_no_update")
        assert schema_faults(connection) == ["trigger fill_no_update is missing"]
        connection.exec_driver_sql(
            "CREATE TRIGGER fill_no_update BEFORE UPDATE ON fill WHEN 0 "
            "BEGIN SELECT RAISE(ABORT, 'fill is append-only'); END"
        )
        assert schema_faults(connection) == ["trigger fill_no_update of fill is not as tradedesk made it"]
    engine.dispose()


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_two_programs_may_start_on_an_empty_home_at_once(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(prepare, [tmp_path / "desk.db"] * 4)) == [None] * 4


def test_a_file_from_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "desk.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("DROP TRIGGER fill_no_update")
    with pytest.raises(BadInput, match=r"newer version of tradedesk \(schema 9999, this one knows"):
        prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'fill_no_update'").fetchone()
        assert found is None


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "desk.db"
    path.write_bytes(b"name,age\n" * 200)
    with pytest.raises(BadInput, match="not a tradedesk database"):
        prepare(path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="folder that this user can write to") as refused:
        prepare(tmp_path / "file" / "desk.db")
    assert refused.value.field == "home"
    folder = tmp_path / "home"
    prepare(folder / "desk.db")
    for mode in (0o500, 0o000):
        with _nobody(folder, mode), pytest.raises(BadInput, match="folder that this user can write to"):
            prepare(folder / "other.db")


class _nobody:  # noqa: N801 - reads as a state
    """A folder without write permission, seen by a user who is bound by it (root is not)."""

    def __init__(self, folder, mode):
        self.folder, self.mode = folder, mode

    def __enter__(self):
        self.folder.chmod(self.mode)
        if os.geteuid() == 0:
            os.seteuid(65534)

    def __exit__(self, *problem):
        if os.getuid() == 0:
            os.seteuid(0)
        self.folder.chmod(0o700)


def test_a_locked_file_is_waited_for_then_named(tmp_path, monkeypatch):
    path = tmp_path / "desk.db"
    path.touch()
    monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BadInput, match=f"cannot be brought to version {schema.HEAD}"):
            prepare(path)
    prepare(path)


def any_row(file, name):
    """Insert one row that says nothing, so that it refers to number 7 of everything."""
    needed = [row[1] for row in file.execute(f"PRAGMA table_info({name})") if row[3] and row[4] is None]
    values = ["2026-11-18" if "date" in one or one.endswith("_at") else 7 for one in needed]
    marks = ", ".join("?" * len(needed))
    file.execute(f"INSERT INTO {name} ({', '.join(needed)}) VALUES ({marks})", values)
    return needed


def test_orders_of_an_older_version_come_along_whole_when_their_table_is_made_anew(tmp_path, monkeypatch):
    path = tmp_path / "desk.db"
    monkeypatch.setattr("data.migrating.HEAD", "0003")
    monkeypatch.setattr("alembic.command.upgrade", lambda config, _: upgrade(config, "0003"))
    prepare(path)
    index_words = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'orders'"
    with closing(sqlite3.connect(path)) as file:
        for parent in ("client", "plan", "run"):
            any_row(file, parent)
        names = ", ".join(any_row(file, "orders"))
        file.commit()
        before = file.execute(f"SELECT {names} FROM orders").fetchall()
        indexes = file.execute(index_words).fetchall()
    monkeypatch.undo()
    prepare(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute(f"SELECT {names} FROM orders").fetchall() == before
        assert file.execute("SELECT slice FROM orders").fetchall() == [(1,)]
        assert set(indexes) <= set(file.execute(index_words))
        assert file.execute("PRAGMA foreign_key_list(fill)").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="order_blocked_not_negative"):
            file.execute("UPDATE orders SET blocked_shares = -1")
        file.execute("UPDATE orders SET run_number = NULL, plan_number = NULL")


def test_rows_astray_stop_an_upgrade_and_nothing_is_changed(tmp_path, monkeypatch):
    path = tmp_path / "desk.db"
    monkeypatch.setattr("data.migrating.HEAD", "0003")
    monkeypatch.setattr("alembic.command.upgrade", lambda config, _: upgrade(config, "0003"))
    prepare(path)
    with closing(sqlite3.connect(path)) as file:
        any_row(file, "orders")
        file.commit()
    monkeypatch.undo()
    with pytest.raises(
        BadInput, match=r"of orders refers to a row of .* that is not there; nothing was changed"
    ):
        prepare(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]


def at_version(path, monkeypatch, version):
    monkeypatch.setattr("data.migrating.HEAD", version)
    monkeypatch.setattr("alembic.command.upgrade", lambda config, _: upgrade(config, version))
    prepare(path)
    monkeypatch.undo()


def stamp(path, words):
    with closing(sqlite3.connect(path)) as file:
        file.execute(words)
        file.commit()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    further_rows(
        [
            (
                "UPDATE alembic_version SET version_num = '0009'",
                "its version stamp says 0009, but its tables are",
            ),
            ("DELETE FROM alembic_version", "it has no version stamp, but its tables are"),
            ("DROP TABLE alembic_version", "it has no version stamp, but its tables are"),
        ]
    ),
)
def test_a_stamp_that_is_not_that_of_the_tables_is_named_and_nothing_is_changed(tmp_path, words, told):
    path = tmp_path / "desk.db"
    prepare(path)
    before = stamp(path, words)
    with pytest.raises(BadInput, match=f"{told} those of version {HEAD}.*write {HEAD} into") as refused:
        prepare(path)
    assert refused.value.field == "database"
    assert path.read_bytes() == before
    with books_as_they_are(path) as books:
        assert (books.path, books.unwritable) == (path, ""), "a cancel-all needs no stamp but the tables"
    assert path.read_bytes() == before


def test_a_stamp_of_this_version_on_older_tables_is_named(tmp_path, monkeypatch):
    path = tmp_path / "desk.db"
    at_version(path, monkeypatch, "0003")
    before = stamp(path, f"UPDATE alembic_version SET version_num = '{HEAD}'")
    words = f"stamp says {HEAD}, but its tables are those of version 0003"
    with pytest.raises(BadInput, match=words):
        prepare(path)
    with pytest.raises(BadInput, match=words), books_as_they_are(path):
        pass
    assert path.read_bytes() == before


def test_tables_of_no_version_are_named_by_what_they_lack(tmp_path):
    path = tmp_path / "desk.db"
    prepare(path)
    stamp(path, "ALTER TABLE run RENAME COLUMN confirmed_at TO confirmed")
    with pytest.raises(BadInput, match="of no version of tradedesk, and lacks column confirmed_at of run"):
        prepare(path)


def test_every_module_of_tables_belongs_to_the_layout_of_whoever_imports_the_schema_alone():
    """A role is granted what the metadata holds: what is missing there is granted to nobody."""
    modules = {f"data.tables.{one.name}" for one in pkgutil.iter_modules(tables.__path__)}
    code = (
        "import sys, data.schema\nprint(*(name for name in sys.modules if name.startswith('data.tables.')))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert modules - set(told.split()) == set()
