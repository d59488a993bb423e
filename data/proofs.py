"""Proofs: 8 bytes of a hash of every row that money, orders or evidence rest on, kept in the audit.

The writer's connection notes which rows a batch changes, by temporary triggers and so whoever changes them.
Just before the commit their proofs go into the audit, whose chain holds them. The doctor recomputes them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, Integer, LargeBinary, cast, select
from sqlmodel import SQLModel

from data.audit import AuditEntry
from data.columns import table
from data.tables import Funds, Holding, ProofLayout

UNPROVEN: Mapping[str, str] = {
    "audit": "its own chain proves it",
    "audit_head": "it is compared with the chain",
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
"""Proofs by table and key, in hex; an empty one says that the row is gone."""

_NULL, _NEXT, _PART = b"\xff", b"\x1f", b"\x1e"
"""What stands for no value, and between values and rows; none of them occurs in a text of ours."""


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


def watch(connection: Connection) -> None:
    """Note from now on which proven rows this connection changes."""
    layout = layout_now()
    for statement in (
        "CREATE TEMP TABLE changed (tab TEXT, place INTEGER, PRIMARY KEY (tab, place)) WITHOUT ROWID",
        "CREATE TEMP TABLE gone (tab TEXT, key TEXT, PRIMARY KEY (tab, key)) WITHOUT ROWID",
    ):
        connection.exec_driver_sql(statement)
    for name in proven_tables(layout):
        note = f"BEGIN INSERT OR IGNORE INTO changed VALUES ('{name}', NEW.rowid); END"
        key = " || '|' || ".join(f"OLD.{column}" for column in _keys(name))
        columns = ", ".join(f'"{column}"' for column in layout[name])
        for verb, what in (
            ("insert", f"AFTER INSERT ON main.{name} {note}"),
            ("update", f"AFTER UPDATE OF {columns} ON main.{name} {note}"),
            (
                "delete",
                f"AFTER DELETE ON main.{name} BEGIN INSERT OR IGNORE INTO gone VALUES ('{name}', {key}); END",
            ),
        ):
            connection.exec_driver_sql(f"CREATE TEMP TRIGGER proof_{name}_{verb} {what}")


def anything_changed(connection: Connection) -> bool:
    """Whether proven rows were changed since the proofs were last taken."""
    query = "SELECT EXISTS (SELECT 1 FROM temp.changed) OR EXISTS (SELECT 1 FROM temp.gone)"
    return bool(connection.exec_driver_sql(query).scalar_one())


def take_proofs(connection: Connection) -> Proofs:
    """Proofs of the rows changed since they were last taken, as they stand now."""
    layout, found = layout_now(), Proofs()
    for name, key in connection.exec_driver_sql("SELECT tab, key FROM temp.gone"):
        found.setdefault(name, {})[key] = ""
    for name in connection.exec_driver_sql("SELECT DISTINCT tab FROM temp.changed").scalars().all():
        here = f"rowid IN (SELECT place FROM temp.changed WHERE tab = '{name}')"
        found.setdefault(name, {}).update(proofs_of(connection, layout, name, here))
    connection.exec_driver_sql("DELETE FROM temp.changed")
    connection.exec_driver_sql("DELETE FROM temp.gone")
    return found


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


def _blobs(columns: Sequence[str]) -> str:
    return ", ".join(f'CAST("{column}" AS BLOB)' for column in columns)


def _joined(values: Sequence[bytes | None]) -> bytes:
    return _NEXT.join([_NULL if value is None else value for value in values])


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


# --- which audit row carries which proof -----------------------------------------------------------------

_OF_ORDERS = ("orders", "attempt", "request")
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
        kind = "order" if name in _OF_ORDERS else "client" if name in _OF_CLIENTS else name
        for key, proof in found.items():
            place = 0 if name == "proof_layout" else last.get((kind, key.partition("|")[0]), -1)
            carried[place].setdefault(name, {})[key] = proof
    return carried
