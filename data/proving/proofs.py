"""Proofs: 8 bytes of a hash of every row that money, orders or evidence rest on, kept in the audit.

The writer's connection notes which rows a batch changes and what they were, by temporary triggers and so
whoever changes them. Just before the commit their proofs go into the audit (`told.py`), whose chain holds
them. The doctor recomputes them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, Integer, LargeBinary, cast, select
from sqlmodel import SQLModel

from data.audit import AuditEntry
from data.columns import table
from data.repositories.base import On, sql
from data.tables import Funds, Holding, ProofLayout

UNPROVEN: Mapping[str, str] = {
    "asked_command": "which answer a command is owed; what it did is proven where that stands",
    "audit": "its own chain proves it",
    "audit_head": "it is compared with the chain",
    "change": "what others read again; the rows themselves are proven",
    "comparison": "when somebody last looked, no evidence of anything",
    "counter": "it is held against the highest number of its table",
    "instance": "which engines run and their heartbeats; the lock file says who lives",
    "instrument": "the broker's own file, read anew each day; plans keep what they used of it",
    "market_offset": "it changes how a stamp is shown; the stamp itself is proven",
    "watchlist_item": "what the trader likes to look at",
    "plan.body": "its digest proves it, and the digest is proven",
    **{
        f"funds.{column.name}": "derived again from postings, orders and holds"
        for column in table(Funds).columns
        if column.name not in ("client_id", "mtf_limit_paise")
    },
    **{
        f"holding.{column.name}": "derived again from postings, orders and lots"
        for column in table(Holding).columns
        if isinstance(column.type, Integer) and column.name != "client_id"
    },
}
"""Tables, and columns of others, that no proof covers, and why. All other columns are proven."""

PARTS: Mapping[str, tuple[str, ...]] = {"txn": ("posting", "share_posting")}
"""Tables whose rows are proven with the row that the first column of their key names."""

Layout: TypeAlias = Mapping[str, Sequence[str]]
"""The proven columns of each table, in the order in which they are hashed."""

Proofs: TypeAlias = dict[str, dict[str, str]]
"""Proofs by table and key, in hex; an empty one says that the row is gone.

Behind a `<` stands that of the row before, where the batch did not hold it against the proof told before.
"""

_NULL, _NEXT, _PART = b"\xff", b"\x1f", b"\x1e"
"""What stands for no value, and between values and rows; none of them occurs in a text of ours."""


@cache
def layout_now() -> dict[str, list[str]]:
    """The columns that this version proves."""
    return {
        one.name: [column.name for column in one.columns if f"{one.name}.{column.name}" not in UNPROVEN]
        for one in SQLModel.metadata.sorted_tables
        if one.name not in UNPROVEN
    }


def held() -> tuple[int, int]:
    """How many columns of how many tables the doctor holds, by a proof or by deriving them again."""
    tables = [one for one in SQLModel.metadata.sorted_tables if one.name not in UNPROVEN]
    return sum(len(one.columns) for one in tables), len(tables)


def proven_tables(layout: Layout) -> list[str]:
    """The tables that have proofs of their own."""
    parts = {part for parts in PARTS.values() for part in parts}
    return [name for name in layout if name not in parts]


def newest_layout(connection: Connection) -> tuple[int, dict[str, list[str]]]:
    """The number and columns of the layout that the newest proofs follow; 0 where there are none yet."""
    kept = table(ProofLayout)
    query = select(kept.c.number, cast(kept.c.layout, LargeBinary)).order_by(kept.c.number.desc())
    row = connection.execute(query).first()
    if row is None:
        return 0, {}
    try:
        return int(row[0]), json.loads(row[1])
    except ValueError:  # another is written down, and the doctor finds this one
        return int(row[0]), {}


# --- what a batch changed, on the writer's connection -----------------------------------------------------


class Change(NamedTuple):
    """The proofs of a row before and after a batch: empty where it was not or is not there."""

    was: str
    now: str


Changes: TypeAlias = dict[str, dict[str, Change]]
"""Changes of rows by table and key."""

ACCEPTED = "accepted"
"""Stands for the proof before of a row that a trader accepts as it is now."""


def watch(connection: Connection) -> None:
    """Note from now on which proven rows this connection changes, and what they were before."""
    layout = layout_now()
    own = connection.connection.driver_connection
    assert own is not None
    own.create_function("row_proof", -1, _row_proof, deterministic=True)
    for noted in (
        "changed (tab TEXT, place INTEGER, was TEXT, PRIMARY KEY (tab, place))",
        "gone (tab TEXT, key TEXT, was TEXT, PRIMARY KEY (tab, key))",
    ):
        connection.exec_driver_sql(f"CREATE TEMP TABLE {noted} WITHOUT ROWID")
    for name in proven_tables(layout):
        before = _before(layout, name)
        key = " || '|' || ".join(f"OLD.{column}" for column in _keys(name))
        columns = ", ".join(f'"{column}"' for column in layout[name])
        known = f"FROM changed WHERE tab = '{name}' AND place = OLD.rowid"
        for verb, what in (
            ("insert", f"INSERT ON main.{name} BEGIN {_noted(name, 'NEW.rowid', chr(39) * 2)}; END"),
            (
                "update",
                f"UPDATE OF {columns} ON main.{name} WHEN NOT EXISTS (SELECT 1 {known})"
                f" BEGIN {_noted(name, 'OLD.rowid', before)}; END",
            ),
            (
                "delete",
                f"DELETE ON main.{name} BEGIN INSERT OR IGNORE INTO gone VALUES"
                f" ('{name}', {key}, coalesce((SELECT was {known}), {before})); END",
            ),
        ):
            connection.exec_driver_sql(f"CREATE TEMP TRIGGER proof_{name}_{verb} AFTER {what}")


def _noted(name: str, place: str, was: str) -> str:
    return f"INSERT OR IGNORE INTO changed VALUES ('{name}', {place}, {was})"


def _before(layout: Layout, name: str) -> str:
    """The proof in SQL of a row before its change; transfers, which have parts, are never changed."""
    return "''" if name in PARTS else f"row_proof({_blobs(layout[name], 'OLD.')})"


def anything_changed(connection: Connection) -> bool:
    """Whether proven rows were changed since the changes were last taken."""
    query = "SELECT EXISTS (SELECT 1 FROM temp.changed) OR EXISTS (SELECT 1 FROM temp.gone)"
    return bool(connection.exec_driver_sql(query).scalar_one())


def take_changes(connection: Connection) -> Changes:
    """The rows changed since they were last taken, with their proofs before and as they stand now."""
    layout, found = layout_now(), Changes()
    for name, key, was in connection.exec_driver_sql("SELECT tab, key, was FROM temp.gone"):
        found.setdefault(name, {})[key] = Change(was, "")
    for name in connection.exec_driver_sql("SELECT DISTINCT tab FROM temp.changed").scalars().all():
        of_table = found.setdefault(name, {})
        if name in PARTS:
            here = f"rowid IN (SELECT place FROM temp.changed WHERE tab = '{name}')"
            of_table |= {key: Change("", now) for key, now in proofs_of(connection, layout, name, here)}
            continue
        for key, was, now in _standing(connection, name, "TRUE", ()):
            of_table[key] = Change(of_table[key].was if key in of_table else was, now)
    connection.exec_driver_sql("DELETE FROM temp.changed")
    connection.exec_driver_sql("DELETE FROM temp.gone")
    return found


def rows_before(connection: Connection, name: str, ids: Sequence[int]) -> dict[str, str]:
    """The proofs of rows as they were before this transaction changed any; empty for one that it wrote."""
    marks = ", ".join("?" * len(ids))
    key = _keys(name)[0]
    now = f"row_proof({_blobs(layout_now()[name])})"
    connection.exec_driver_sql(
        f"INSERT OR IGNORE INTO temp.changed SELECT '{name}', rowid, {now} FROM main.{name}"
        f" WHERE {key} IN ({marks})",
        tuple(ids),
    )
    return {one: was for one, was, _ in _standing(connection, name, f"o.{key} IN ({marks})", ids)}


def accept_rows(on: On, name: str, standing: Iterable[str], gone: Iterable[str]) -> None:
    """Have the rows of these keys proven as they are, and those that are gone as gone."""
    connection = sql(on)
    rest = " AND ".join(f"CAST({key} AS TEXT) = ?" for key in _keys(name))
    for key in standing:
        connection.exec_driver_sql(
            f"INSERT OR REPLACE INTO temp.changed SELECT '{name}', rowid, '{ACCEPTED}' FROM main.{name}"
            f" WHERE {rest}",
            tuple(key.split("|", len(_keys(name)) - 1)),
        )
    for key in gone:
        query = f"INSERT OR REPLACE INTO temp.gone VALUES ('{name}', ?, '{ACCEPTED}')"
        connection.exec_driver_sql(query, (key,))


def _standing(
    connection: Connection, name: str, where: str, values: Sequence[int]
) -> list[tuple[str, str, str]]:
    """Key, proof before and proof now of the noted rows of a table that meet a condition in SQL."""
    keys = _keys(name)
    query = (
        f"SELECT c.was, row_proof({_blobs(layout_now()[name], 'o.')}), {_blobs(keys, 'o.')}"
        f" FROM temp.changed AS c JOIN main.{name} AS o ON o.rowid = c.place"
        f" WHERE c.tab = '{name}' AND {where}"
    )
    # Past SQLAlchemy, whose work for each row costs more than the proof's own.
    rows = connection.connection.cursor().execute(query, tuple(values)).fetchall()
    return [("|".join(map(_text, key)), was, now) for was, now, *key in rows]


def _row_proof(*values: bytes | None) -> str:
    return hashlib.sha256(_joined(values)).hexdigest()[:16]


def unproven_rows(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    """How many rows each of these tables has beside those changed since the proofs were last taken."""
    query = "SELECT (SELECT count(*) FROM main.{0}) - (SELECT count(*) FROM temp.changed WHERE tab = '{0}')"
    counts = {name: int(connection.exec_driver_sql(query.format(name)).scalar_one()) for name in tables}
    return {name: count for name, count in counts.items() if count}


def proofs_of(connection: Connection, layout: Layout, name: str, where: str) -> Iterator[tuple[str, str]]:
    """The proofs of a table's rows that meet a condition in SQL, by key.

    Values are hashed as SQLite keeps them, so that what cannot be read is hashed too.
    """
    keys = _keys(name)
    contents: dict[str, list[bytes]] = {}
    query = f"SELECT {_blobs([*keys, *layout[name]])} FROM main.{name} WHERE {where}"
    for row in connection.exec_driver_sql(query):
        key = "|".join(_text(value) for value in row[: len(keys)])
        contents[key] = [_joined(row[len(keys) :])]
    for part in PARTS.get(name, ()):
        of = _keys(part)
        query = (
            f"SELECT {_blobs([of[0], *layout[part]])} FROM main.{part}"
            f" WHERE {of[0]} IN (SELECT {keys[0]} FROM main.{name} WHERE {where}) ORDER BY {', '.join(of)}"
        )
        for row in connection.exec_driver_sql(query):
            contents[_text(row[0])].append(_joined(row[1:]))
    for key, content in contents.items():
        yield key, hashlib.sha256(_PART.join(content)).hexdigest()[:16]


def _keys(name: str) -> list[str]:
    return [column.name for column in SQLModel.metadata.tables[name].primary_key]


def _blobs(columns: Sequence[str], of: str = "") -> str:
    return ", ".join(f'CAST({of}"{column}" AS BLOB)' for column in columns)


def _joined(values: Sequence[bytes | None]) -> bytes:
    return _NEXT.join([_NULL if value is None else value for value in values])


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


# --- which audit row carries which proof -----------------------------------------------------------------

OF_ORDERS = ("orders", "attempt", "request")
"""Tables whose proofs the rows of the audit about their order carry."""

_OF_CLIENTS = ("client", "client_group", "client_route", "broker_session", "funds", "sizing_base")


def shared_out(entries: Sequence[AuditEntry], proofs: Proofs) -> list[Proofs]:
    """What each of a batch's audit rows carries: the last about an order, run or client that row's proofs.

    The last of all carries the rest, and the first a layout, which all that follow are read by.
    """
    last: dict[tuple[str, str], int] = {}
    for place, entry in enumerate(entries):
        if entry.order_id is not None:
            last["order", str(entry.order_id)] = place
        elif entry.run_number is not None:
            last["run", str(entry.run_number)] = place
        elif entry.client_id is not None:
            last["client", str(entry.client_id)] = place
    carried = [Proofs() for _ in entries]
    for name, found in proofs.items():
        kind = "order" if name in OF_ORDERS else "client" if name in _OF_CLIENTS else name
        for key, proof in found.items():
            place = 0 if name == "proof_layout" else last.get((kind, key.partition("|")[0]), -1)
            carried[place].setdefault(name, {})[key] = proof
    return carried
