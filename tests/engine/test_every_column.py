"""Any single change of a value that money, orders or evidence rest on is found by the doctor."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Integer, UniqueConstraint
from sqlmodel import SQLModel

from data.proving.evidence import recompute
from data.proving.proofs import UNPROVEN
from data.vocabulary import DeskKind
from engine.review.doctor import examine
from tests.books import read_books
from tests.desks import paper_desk
from tests.further import further
from tests.tampering import changed, copy_of, tamper
from tests.whole_home import ROHAN, whole_home

TABLES = [table for table in SQLModel.metadata.sorted_tables if table.name not in UNPROVEN]
HELD = sum(len(table.columns) for table in TABLES)
DOCS = Path(__file__).parents[2] / "docs" / "architecture.md"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


@pytest.mark.proof
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_change_of_any_column_is_found(whole, tmp_path, table):
    database = copy_of(whole, tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        names = ", ".join(column.name for column in table.columns)
        rows = connection.execute(f"SELECT rowid, {names} FROM {table}").fetchall()
    unfound = []
    for place, column in enumerate(table.columns, 1):
        row = rows[place % len(rows)]
        put = f"UPDATE {table} SET {column.name} = ? WHERE rowid = ?"
        tamper(database, (put, (changed(column, row[place]), row[0])))
        if not is_found(database):
            unfound.append(column.name)
        tamper(database, (put, (row[place], row[0])))
    assert unfound == []
    assert not is_found(database)


def is_found(database):
    """Whether the doctor finds anything; its look at the proofs comes first, since that finds nearly all."""
    proofs = read_books(database, lambda reader: recompute(reader).found)
    return bool(proofs) or not all(check.ok for check in read_books(database, examine))


@pytest.mark.in_file
@pytest.mark.parametrize("table", further(TABLES, 12), ids=str)
def test_a_row_that_is_gone_or_was_added_is_found(whole, tmp_path, table):
    for change in (
        f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
        *added(table),
    ):
        tamper(copy_of(whole, tmp_path), change)
        found = {check.name for check in read_books(tmp_path / "desk.db", examine) if not check.ok}
        assert found - {"references"}, change


@pytest.mark.in_file
@pytest.mark.parametrize("place", [-(2**63), -1, 0, 2**40, 9_000_000_000_000_000_000, 2**63 - 1])
def test_a_row_added_at_any_rowid_is_found_and_rowids_between_are_not_stepped_through(whole, tmp_path, place):
    forged = f"INSERT INTO client_group (rowid, client_id, name) VALUES ({place}, {ROHAN}, 'forged')"
    tamper(copy_of(whole, tmp_path), forged)
    found = {check.name: check.detail for check in read_books(tmp_path / "desk.db", examine) if not check.ok}
    assert found.keys() == {"proofs"}
    words = "1 rows of client_group have no proof, 0 were there before proofs were kept (they are "
    assert found["proofs"].startswith(words)


def added(table):
    """A copy of a row with another key, where it needs no more than that."""
    (key, *_), others = list(table.primary_key), [column.name for column in table.columns]
    single = any(isinstance(one, UniqueConstraint) for one in table.constraints)
    if single or any(column.unique for column in table.columns) or not isinstance(key.type, Integer):
        return []
    values = ", ".join(f"{key.name} + 1000" if name == key.name else name for name in others)
    return [f"INSERT INTO {table} ({', '.join(others)}) SELECT {values} FROM {table} WHERE rowid = 1"]


async def test_the_doctor_and_the_design_say_how_many_columns_are_held(whole, tmp_path):
    copy_of(whole, tmp_path)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        (proofs,) = [check for check in await desk.doctor.run() if check.name == "proofs"]
    said = re.search(r"(\d+) columns of (\d+) tables", " ".join(DOCS.read_text().split()))
    print(f"{HELD} columns of {len(TABLES)} tables are held")
    assert said is not None
    assert (int(said[1]), int(said[2])) == (HELD, len(TABLES))
    assert f"{HELD} columns of {len(TABLES)} tables are held" in proofs.detail
