"""Proofs: 8 bytes of a hash of every row that money, orders or evidence rest on, kept in the audit.

The writer's connection notes which rows a batch changes and what they were (`noted.py`). Just before the
commit their proofs go into the audit (`told.py`), whose chain holds them. The doctor recomputes them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import TypeAlias

from sqlalchemy import JSON, Boolean, Connection, Integer
from sqlmodel import SQLModel

from data.audit import AuditEntry
from data.engines.dialect import SQLITE, Phrases
from data.engines.driver import fetch, words
from data.tables.books import Funds, HoldingRecord
from data.tables.columns import UtcDateTime, table

UNPROVEN: Mapping[str, str] = {
    "alert": "what the trader was told and is done with; it moves nothing",
    "alert_channel": "where alerts go; it moves nothing",
    "alert_delivery": "how far an alert has come on its way; it moves nothing",
    "alert_rule": "what the trader wants to be told of; the audit keeps each line",
    "asked_command": "which answer a command is owed; what it did is proven where that stands",
    "audit": "its own chain proves it",
    "basket": "what the trader likes to trade together; each plan keeps what it used of it",
    "basket_leg": "what the trader likes to trade together; each plan keeps what it used of it",
    "audit_head": "it is compared with the chain",
    "change": "what others read again; the rows themselves are proven",
    "client_lease": "who may write for a client now; the audit tells of each that changes hands",
    "column_map": "how the trader's own files are read; what was taken of them is proven",
    "comparison": "when somebody last looked, no evidence of anything",
    "counter": "it is held against the highest number of its table",
    "fence": "by what engines that write keep out who takes their clients; it moves nothing",
    "instance": "which engines run and their heartbeats; the lock file says who lives",
    "instrument": "the broker's own file, read anew each day; plans keep what they used of it",
    "job": "what is to be done and how far that is; what it did is proven where that stands",
    "lease_beat": "until when an engine is known to live",
    "market_offset": "it changes how a stamp is shown; the stamp itself is proven",
    "role_lease": "which process does what one alone may; what it does is proven where that stands",
    "secret": "each is sealed by a key that no database has, and opens or does not",
    "sign_in_try": "how long a wrong password has the next one wait; the audit tells of each",
    "watch_columns": "what the trader likes to look at",
    "watchlist": "what the trader likes to look at",
    "watchlist_item": "what the trader likes to look at",
    "mtf_list": "the broker's own file, read anew each day; plans keep what they used of it",
    "mtf_listing": "the broker's own file, read anew each day; plans keep what they used of it",
    "corporate_action": "the exchange's own file; what was booked of it is proven",
    "daily_close": "what brokers tell of days before, asked again; it moves nothing",
    "risk_day": "an estimate of what might be lost; it moves nothing",
    "dispersion_day": "reckoned again from orders, fills and plans, which are proven",
    "firm_gate": "it has no rows, only its lock is used",
    "flow_class": "what a person says that a transfer was; the audit keeps each",
    "earlier_day": "a file of days before the books; the audit has its hash, no balance rests on it",
    "earlier_trade": "a file of days before the books; the audit has its hash, no balance rests on it",
    "tradebook_trade": "a file of days before the books; the audit has its hash, no balance rests on it",
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
    layout = blobs("proof_layout", ["layout"], words(connection))
    rows = fetch(connection, f"SELECT number, {layout} FROM proof_layout ORDER BY number DESC LIMIT 1")
    if not rows:
        return 0, {}
    (row,) = rows
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
    said = words(connection)
    query = f"SELECT {blobs(name, [*keys, *layout[name]], said)} FROM {said.main}{name} WHERE {where}"
    for row in fetch(connection, query):
        key = "|".join(key_text(value) for value in row[: len(keys)])
        contents[key] = [_joined(row[len(keys) :])]
    for part in PARTS.get(name, ()):
        of = keys_of(part)
        query = (
            f"SELECT {blobs(part, [of[0], *layout[part]], said)} FROM {said.main}{part}"
            f" WHERE {of[0]} IN (SELECT {keys[0]} FROM {said.main}{name} WHERE {where})"
            f" ORDER BY {', '.join(of)}"
        )
        for row in fetch(connection, query):
            contents[key_text(row[0])].append(_joined(row[1:]))
    for key, content in contents.items():
        yield key, hashlib.sha256(_PART.join(content)).hexdigest()[:16]


def row_texts(rows: Sequence[Sequence[object]]) -> list[str]:
    """What is hashed of each row of one table, of the numbers and texts that were stored in its columns."""
    columns = [
        [_NULL_TEXT if one is None else one for one in column] if None in column else column
        for column in zip(*rows, strict=True)
    ]
    form = _NEXT_TEXT.join(["%s"] * len(columns))
    return list(map(form.__mod__, zip(*columns, strict=True)))


def parted_proof(texts: Sequence[str]) -> str:
    """The proof of a row and its parts by their texts: what `proofs_of` makes of them once they stand."""
    content = _PART_TEXT.join(texts)
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def keys_of(name: str) -> list[str]:
    """The columns of a table's primary key."""
    return [column.name for column in SQLModel.metadata.tables[name].primary_key]


def blobs(name: str, columns: Sequence[str], words: Phrases = SQLITE, of: str = "") -> str:
    """Columns of a table in SQL as the bytes that are hashed; `of` names the row, with its point."""
    return _blobs(name, tuple(columns), words, of)


@lru_cache(maxsize=1024)
def _blobs(name: str, columns: tuple[str, ...], words: Phrases, of: str) -> str:
    return ", ".join(bytes_of(name, column, words, of) for column in columns)


def bytes_of(name: str, column: str, words: Phrases, of: str = "") -> str:
    """A column of a table in SQL as the bytes that are hashed: of each kind what SQLite keeps of it.

    One that an earlier version had is of a kind that is not known, and is taken for a text.
    """
    known = SQLModel.metadata.tables[name].columns.get(column)
    kinds = ((UtcDateTime, words.moment_bytes), (Boolean, words.truth_bytes), (JSON, words.json_bytes))
    kind = None if known is None else known.type
    template = next((one for of_kind, one in kinds if isinstance(kind, of_kind)), words.text_bytes)
    return template.format(f'{of}"{column}"')


def _joined(values: Sequence[bytes | None]) -> bytes:
    return _NEXT.join([_NULL if value is None else value for value in values])


def key_text(value: bytes | None) -> str:
    """A part of a row's key, as it stands in the audit."""
    return "" if value is None else value.decode("utf-8", "backslashreplace")


# --- which audit row carries which proof -----------------------------------------------------------------

OF_ORDERS = ("orders", "attempt", "request")
"""Tables whose proofs the rows of the audit about their order carry."""

_OF_CLIENTS = ("client", "client_group", "client_route", "broker_session", "funds", "sizing_base")


def shared_out(entries: Sequence[AuditEntry], proofs: Proofs) -> dict[int, Proofs]:
    """What a batch's audit rows carry, by their place: the last about an order, run or client its proofs.

    The last of all carries the rest, and the first a layout, which all that follow are read by.
    """
    orders, runs, clients = dict[int, int](), dict[int, int](), dict[int, int]()
    for place, entry in enumerate(entries):
        if entry.order_id is not None:
            orders[entry.order_id] = place
        elif entry.run_number is not None:
            runs[entry.run_number] = place
        elif entry.client_id is not None:
            clients[entry.client_id] = place
    last = {
        kind: {str(number): place for number, place in places.items()}
        for kind, places in (("order", orders), ("run", runs), ("client", clients))
    }
    carried: dict[int, Proofs] = {}
    ending = len(entries) - 1
    for name, found in proofs.items():
        kind = "order" if name in OF_ORDERS else "client" if name in _OF_CLIENTS else name
        places = last.get(kind)
        if places is None:
            carried.setdefault(0 if name == "proof_layout" else ending, {})[name] = dict(found)
            continue
        for key, proof in found.items():
            place = places.get(key.partition("|")[0], ending)
            carried.setdefault(place, {}).setdefault(name, {})[key] = proof
    return carried
