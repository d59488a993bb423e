"""The audit chain: any change of any column is found at its row, whatever it was changed to."""

import asyncio
import sqlite3
from contextlib import closing
from typing import cast

import pytest

from data.audit import AuditAction, AuditEntry
from data.clock import ManualClock
from data.engines.sqlite import writer_engine
from data.migrating import prepare
from data.proving.stored_audit import stored_rows
from data.proving.verifying import Outside, verify
from data.store import Store
from data.tables.audit import Audit
from data.tables.columns import table
from data.writing.audit_writer import kept_heads
from tests.desks import START

ROWS = 6

TEST = cast("AuditAction", "TEST")
"""An action that no tradedesk takes."""

COLUMNS = [column.name for column in table(Audit).columns]


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    path = tmp_path_factory.mktemp("audit") / "desk.db"
    prepare(path)
    asyncio.run(_write(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_no_{verb}")
    return path


async def _write(path):
    store = Store(path, ManualClock(START))
    await store.open()
    for number in range(1, ROWS + 1):
        entry = AuditEntry(TEST, "tester", number, number, number, number, {"note": f"row {number} ₹"})
        await store.write(lambda unit, entry=entry: unit.audit(entry))
    await store.close()


def report(path, head=None):
    engine = writer_engine(path)
    with engine.connect() as connection:
        made = verify(stored_rows(connection), kept_heads(connection), Outside({}, head))
    engine.dispose()
    return made


def tampered(path, target, *statements):
    target.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for statement in statements:
            connection.execute(*statement)
    return target


def test_an_untouched_chain_verifies_with_its_head_and_with_an_older_one(chained):
    made = report(chained)
    assert (made.ok, made.rows, made.bad_seq) == (True, ROWS, None)
    with closing(sqlite3.connect(chained)) as connection:
        heads = [row[0] for row in connection.execute("SELECT hash FROM audit ORDER BY seq")]
    assert made.head == heads[-1]
    assert all(report(chained, head).ok for head in heads)
    assert not report(chained, "f" * 64).ok


@pytest.mark.parametrize("row", [1, ROWS])
@pytest.mark.parametrize("column", COLUMNS)
def test_one_changed_byte_is_found_at_its_row(chained, tmp_path, column, row):
    with closing(sqlite3.connect(chained)) as connection:
        (value,) = connection.execute(
            f"SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?", (row,)
        ).fetchone()
    value = value or b"{}"  # of rows that carry no proof
    for place in sorted({0, len(value) // 2, len(value) - 1}):
        for mask in (0x01, 0x80):
            if column in _NUMBERS:
                changed = int(value) + (10 if mask == 1 else 1000)
            else:
                changed = value[:place] + bytes([value[place] ^ mask]) + value[place + 1 :]
            what = "?" if column in _NUMBERS else "CAST(? AS TEXT)"
            statement = f"UPDATE audit SET {column} = {what} WHERE seq = ?"
            made = report(tampered(chained, tmp_path / "desk.db", (statement, (changed, row))))
            assert (made.ok, made.bad_seq) == (False, row), (place, mask)


_NUMBERS = {"seq", "client_id", "order_id", "plan_number", "run_number"}


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("UPDATE audit SET details = x'ff' WHERE seq = 3", 3),
        ("UPDATE audit SET client_id = NULL WHERE seq = 3", 3),
        ("UPDATE audit SET at = replace(at, ' ', 'T') WHERE seq = 3", 3),
        ("UPDATE audit SET at = 'never' WHERE seq = 3", 3),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3", 3),
    ],
)
def test_other_tampering_is_found_at_its_row(chained, tmp_path, statement, bad):
    made = report(tampered(chained, tmp_path / "desk.db", (statement,)))
    assert (made.ok, made.bad_seq) == (False, bad)


def test_a_truncated_tail_is_found_by_the_head_beside_it_and_where_that_was_changed_by_an_outside_one(
    chained, tmp_path
):
    head = report(chained).head
    cut = tampered(chained, tmp_path / "desk.db", ("DELETE FROM audit WHERE seq > 4",))
    made = report(cut)
    assert (made.ok, made.rows, made.bad_seq) == (False, 4, 5)
    assert made.message.startswith(f"rows 5 to {ROWS} are missing")
    fitted = "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)"
    cut = tampered(cut, tmp_path / "fitted.db", (f"{fitted} WHERE name = 'written'",))
    assert report(cut).ok
    made = report(cut, head)
    assert (made.ok, made.rows, made.message) == (False, 4, "the given head is not in this chain")
