"""Proofs: 8 bytes of a hash of every row that money, orders or evidence rest on, kept in the audit.

The writer's connection notes which rows a batch changes and what they were (`noted.py`). Just before the
commit their proofs go into the audit (`told.py`), whose chain holds them. The doctor recomputes them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from sqlalchemy import Connection, Integer, LargeBinary, cast, select
from sqlmodel import SQLModel

from data.audit import AuditEntry
from data.engines.driver import fetch
from data.tables.audit import ProofLayout
from data.tables.books import Funds, HoldingRecord
from data.tables.columns import table

UNPROVEN: Mapping[str, str] = {
    "alert": "what the trader was told and is done with; it moves nothing",
    "asked_command": "which answer a command is owed; what it did is proven where that stands",
    "audit": "its own chain proves it",
    "basket": "what the trader likes to trade together; each plan keeps what it used of it",
    "basket_leg": "what the trader likes to trade together; each plan keeps what it used of it",
    "audit_head": "it is compared with the chain",
    "change": "what others read again; the rows themselves are proven",
    "column_map": "how the trader's own files are read; what was taken of them is proven",
    "comparison": "when somebody last looked, no evidence of anything",
    "counter": "it is held against the highest number of its table",
    "instance": "which engines run and their heartbeats; the lock file says who lives",
    "instrument": "the broker's own file, read anew each day; plans keep what they used of it",
    "market_offset": "it changes how a stamp is shown; the stamp itself is proven",
    "sign_in_try": "how long a wrong password has the next one wait; the audit tells of each",
    "watch_columns": "what the trader likes to look at",
    "watchlist": "what the trader likes to look at",
    "watchlist_item": "what the trader likes to look at",
    "plan.body": "its digest proves it, and the digest is proven",
    **{
        f"funds.{column.name}": "derived again from postings, orders and holds"
        for column in table(Funds).columns
        if column.name not in ("client_id", "mtf_limit_paise")
    },
    **{
        f"holding.{column.name}": "derived again from postings, orders and lots"
        for column in table(HoldingRecord).columns
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

_NULL_TEXT, _NEXT_TEXT, _PART_TEXT = "\udcff", "\x1f", "\x1e"
"""The same in a text that is encoded with `surrogateescape`."""


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


def row_proof(*values: bytes | None) -> str:
    """The proof of one row of these values, as SQLite keeps them."""
    return hashlib.sha256(_joined(values)).hexdigest()[:16]


def proofs_of(connection: Connection, layout: Layout, name: str, where: str) -> Iterator[tuple[str, str]]:
    """The proofs of a table's rows that meet a condition in SQL, by key.

    Values are hashed as SQLite keeps them, so that what cannot be read is hashed too.
    """
    keys = keys_of(name)
    contents: dict[str, list[bytes]] = {}
    query = f"SELECT {blobs([*keys, *layout[name]])} FROM main.{name} WHERE {where}"
    for row in fetch(connection, query):
        key = "|".join(key_text(value) for value in row[: len(keys)])
        contents[key] = [_joined(row[len(keys) :])]
    for part in PARTS.get(name, ()):
        of = keys_of(part)
        query = (
            f"SELECT {blobs([of[0], *layout[part]])} FROM main.{part}"
            f" WHERE {of[0]} IN (SELECT {keys[0]} FROM main.{name} WHERE {where}) ORDER BY {', '.join(of)}"
        )
        for row in fetch(connection, query):
            contents[key_text(row[0])].append(_joined(row[1:]))
    for key, content in contents.items():
        yield key, hashlib.sha256(_PART.join(content)).hexdigest()[:16]


def parted_proof(rows: Iterable[Sequence[object]]) -> str:
    """The proof of a row and its parts, of the numbers and texts that were stored in each column.

    It is what `proofs_of` makes of the same rows once they stand.
    """
    content = _PART_TEXT.join(
        [_NEXT_TEXT.join([_NULL_TEXT if one is None else f"{one}" for one in row]) for row in rows]
    )
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def keys_of(name: str) -> list[str]:
    """The columns of a table's primary key."""
    return [column.name for column in SQLModel.metadata.tables[name].primary_key]


def blobs(columns: Sequence[str], of: str = "") -> str:
    """Columns in SQL as the bytes that are hashed; `of` names the row, with its point."""
    return ", ".join(f'CAST({of}"{column}" AS BLOB)' for column in columns)


def _joined(values: Sequence[bytes | None]) -> bytes:
    return _NEXT.join([_NULL if value is None else value for value in values])


def key_text(value: bytes | None) -> str:
    """A part of a row's key, as it stands in the audit."""
    return "" if value is None else value.decode("utf-8", "backslashreplace")


# --- which audit row carries which proof -----------------------------------------------------------------

OF_ORDERS = ("orders", "attempt", "request")
"""Tables whose proofs the rows of the audit about their order carry."""

_OF_CLIENTS = ("client", "client_group", "client_route", "broker_session", "funds", "sizing_base")


def shared_out(entries: Sequence[AuditEntry], proofs: Proofs) -> list[Proofs]:
    """What each of a batch's audit rows carries: the last about an order, run or client that row's proofs.

    The last of all carries the rest, and the first a layout, which all that follow are read by.
    """
    last: dict[str, dict[str, int]] = {"order": {}, "run": {}, "client": {}}
    for place, entry in enumerate(entries):
        if entry.order_id is not None:
            last["order"][str(entry.order_id)] = place
        elif entry.run_number is not None:
            last["run"][str(entry.run_number)] = place
        elif entry.client_id is not None:
            last["client"][str(entry.client_id)] = place
    carried = [Proofs() for _ in entries]
    for name, found in proofs.items():
        kind = "order" if name in OF_ORDERS else "client" if name in _OF_CLIENTS else name
        places = last.get(kind)
        if places is None:
            carried[0 if name == "proof_layout" else -1][name] = dict(found)
            continue
        for key, proof in found.items():
            place = places.get(key.partition("|")[0], -1)
            carried[place].setdefault(name, {})[key] = proof
    return carried
