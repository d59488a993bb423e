"""What else speaks for or against the audit: rows that must be told or must stand, and proofs."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, cast

from msgspec import Struct
from sqlalchemy import Connection

from data.engines.at_rest import FileAtRest, scratch
from data.engines.catalog import columns_standing
from data.engines.dialect import PLACE, Phrases, put_row
from data.engines.driver import fetch, words
from data.proving.proofs import PARTS, Layout, blobs, keys_of, proofs_of, proven_tables

CHUNK = 5_000
"""Rows whose proofs are recomputed at a time."""

PIECE = 250
"""Keys that are asked for at a time."""

OF_LAYOUTS: Layout = {"proof_layout": ("number", "at", "layout", "not_held")}
"""The columns by which the layouts themselves are proven, whatever they say: none can leave itself out."""

_FILLS = "SELECT order_id, trade_id, quantity, price_paise FROM fill WHERE quantity != 0"


@cache
def _both_ways(words: Phrases) -> Sequence[tuple[str, str, str]]:
    """What is called so, its rows, and those that the audit tells of."""

    def told(action: str, names: Sequence[str], text: str = "", of: str = "") -> str:
        cells = [words.number_member.format("details", name) for name in names]
        cells = [of, words.member.format("details", text), *cells] if text else cells
        is_json = words.is_json.format("details")
        return f"SELECT {', '.join(cells)} FROM audit WHERE action = '{action}' AND {is_json}"

    fills = told("FILL_APPLIED", ("quantity", "price_paise"), text="trade_id", of="order_id")
    return (
        ("order", "SELECT id FROM orders", "SELECT order_id FROM audit WHERE order_id IS NOT NULL"),
        ("run", "SELECT number FROM run", "SELECT run_number FROM audit WHERE run_number IS NOT NULL"),
        ("plan", "SELECT number FROM plan", "SELECT plan_number FROM audit WHERE plan_number IS NOT NULL"),
        ("fill of order", _FILLS, fills),
        ("halt", "SELECT number FROM halt", told("HALT_FIRED", ("halt",))),
    )


def not_both_ways(connection: Connection) -> list[str]:
    """Orders, runs, plans, fills and halts that the audit does not tell of, and told ones that are gone."""
    found: list[str] = []
    for what, rows, told in _both_ways(words(connection)):
        for row in connection.exec_driver_sql(f"{rows} EXCEPT {told}"):
            found.append(f"{what} {_subject(row)} stands in no row of the audit")
        for row in connection.exec_driver_sql(f"{told} EXCEPT {rows}"):
            found.append(f"{what} {_subject(row)} is told of in the audit and is not there")
    return found


def _subject(row: Sequence[object]) -> str:
    if len(row) == 1:
        return str(row[0])
    order_id, trade, quantity, price = row
    return f"{order_id} (trade {trade}, {quantity} at {price} paise)"


class Held(Struct, frozen=True):
    """What recomputing gave: rows held by a proof, rows of earlier versions without, and what differs."""

    held: int
    without: Mapping[str, int]
    found: tuple[str, ...]
    differing: Mapping[str, Sequence[str]]
    """By table the keys of rows that are not as told, or have no proof where none may be without."""
    gone: Mapping[str, Sequence[str]]
    """By table the keys of rows that are told of and not there."""

    @property
    def not_held(self) -> int:
        """Rows without a proof."""
        return sum(self.without.values())


def recompute(connection: Connection, after: int = 0) -> Held:
    """Recompute the proof of every row, and compare it with the newest that the audit carries of it.

    With `after`, a row of the audit, only rows are looked at of which the audit tells behind it. The proofs
    told lie in a temporary database meanwhile, since they are as many as the rows.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    with scratch() as told:
        layouts, not_held, found = _latest_proofs(connection, told, after)
        held = 0
        without: dict[str, int] = {}
        differing: dict[str, list[str]] = {}
        gone: dict[str, list[str]] = {}
        for name in proven_tables(layouts[-1]):
            bare: list[tuple[str, str]] = []
            pieces = _latest_of(told, name, is_sqlite) if after else _chunks(connection, name)
            for key, stands, words in _compared(connection, told, layouts, name, pieces):
                if words is None:
                    held += 1
                elif words:
                    found.append(words)
                    (differing if stands else gone).setdefault(name, []).append(key)
                else:
                    bare.append((key, stands))
            if bare:
                without[name] = len(bare)
            if len(bare) > (allowed := not_held.get(name, 0)):
                mark = hashlib.sha256(repr(bare).encode()).hexdigest()[:8]
                found.append(
                    f"{len(bare)} rows of {name} have no proof, {allowed} were there before proofs were kept "
                    f"(they are {mark})"
                )
                differing.setdefault(name, []).extend(key for key, _ in bare)
    return Held(held, without, tuple(found), differing, gone)


def _latest_proofs(
    connection: Connection, told: FileAtRest, after: int
) -> tuple[list[Layout], dict[str, int], list[str]]:
    """Fill `told` with each row's newest proof, of those told behind a row of the audit.

    Returns the layouts, the rows that had no proof at first, and rows that differed when they were changed.
    """
    told.execute(
        "CREATE TABLE told (tab TEXT, key TEXT, proof TEXT, layout INTEGER, seq INTEGER,"
        " seen INTEGER DEFAULT 0, PRIMARY KEY (tab, key)) WITHOUT ROWID"
    )
    told.execute("BEGIN")
    layouts: list[Layout] = [OF_LAYOUTS]
    known: set[str] = set()
    not_held: dict[str, int] = {}
    astray: list[str] = []
    said = words(connection)
    cells = blobs("proof_layout", ["layout", "not_held"], said)
    stored = {
        str(number): (_read(layout), _read(counts))
        for number, layout, counts in fetch(connection, f"SELECT number, {cells} FROM proof_layout")
    }
    if after and (number := _laid_before(connection, stored, after)):
        layouts.append({**stored[number][0], **OF_LAYOUTS})
    query = f"SELECT seq, {said.bytes_of('proof')} FROM audit WHERE seq > ? AND proof != '' ORDER BY seq"
    for seq, proof in connection.exec_driver_sql(query, (after,)).yield_per(1000):
        carried = json.loads(proof)
        laid = {number: one for number, one in carried.pop("proof_layout", {}).items() if number not in known}
        for number in laid:  # written once, so a later proof of the same number covers a forged row
            known.add(number)
            layout, counts = stored.get(number, ({}, {}))
            not_held.update({name: count for name, count in counts.items() if name not in layouts[-1]})
            layouts.append({**layout, **OF_LAYOUTS})
        for name, found in {**carried, "proof_layout": laid}.items():
            for key, one in found.items():
                if "<" in one:
                    astray += _differed(told, name, key, one, len(layouts) - 1, seq)
        told.executemany(
            put_row("told", "tab", "key", "proof", "layout", "seq"),
            (
                (name, key, one.partition("<")[0], len(layouts) - 1, seq)
                for name, found in {**carried, "proof_layout": laid}.items()
                for key, one in found.items()
            ),
        )
    return layouts, not_held, astray


def _laid_before(connection: Connection, stored: Iterable[str], after: int) -> str:
    """The number of the newest layout that was laid down before; empty where there was none."""
    said = words(connection)
    query = f"SELECT {said.bytes_of('proof')} FROM audit WHERE seq > ? AND {said.found.format('proof')}"
    later: set[str] = set()
    for proof in connection.exec_driver_sql(query, (after, '"proof_layout"')).scalars():
        later |= json.loads(proof).get("proof_layout", {}).keys()
    return max((number for number in stored if number not in later), key=int, default="")


def _differed(told: FileAtRest, name: str, key: str, proof: str, layout: int, seq: int) -> list[str]:
    """Whether a row was not as told before when a change of it was told; by the same columns only."""
    was = proof.partition("<")[2]
    query = "SELECT proof, seq FROM told WHERE tab = ? AND key = ? AND layout = ?"
    before = told.execute(query, (name, key, layout)).fetchone()
    if before is None or before[0] == was:
        return []
    words = f"{name} {key} was not as row {before[1]} of the audit left it when row {seq} changed it"
    return [f"{words} (it was {was[:8]})"]


def _read(stored: bytes | None) -> dict[str, Any]:
    """The object that a layout's column holds; empty where it cannot be read, as its proof then tells."""
    try:
        read = json.loads(stored or b"")
    except ValueError:
        return {}
    return cast(dict[str, Any], read) if isinstance(read, dict) else {}


def _compared(
    connection: Connection,
    told: FileAtRest,
    layouts: list[Layout],
    name: str,
    pieces: Iterable[str],
) -> Iterator[tuple[str, str, str | None]]:
    """For each row of pieces of a table its key, its proof as it stands, and None or what is wrong with it.

    Nothing is said of one that has no proof; one that is gone has none that stands.
    """
    used = told.execute("SELECT DISTINCT layout FROM told WHERE tab = ?", (name,)).fetchall()
    wanted = {int(layout) for (layout,) in used} | {len(layouts) - 1}
    for here in pieces:
        now = {
            layout: dict(proofs_of(connection, layouts[layout], name, here))
            for layout in wanted
            if _fits(connection, layouts[layout], name)
        }
        for key, stands in now.get(len(layouts) - 1, {}).items():
            row = told.execute(
                "SELECT proof, layout, seq FROM told WHERE tab = ? AND key = ?", (name, key)
            ).fetchone()
            yield key, stands, _judged(name, key, row, now)
        told.executemany(
            "UPDATE told SET seen = 1 WHERE tab = ? AND key = ?",
            ((name, key) for key in now.get(len(layouts) - 1, {})),
        )
    for key, seq in told.execute(
        "SELECT key, seq FROM told WHERE tab = ? AND seen = 0 AND proof != ''", (name,)
    ):
        yield key, "", f"{name} {key} is not there, row {seq} of the audit left it"


def _chunks(connection: Connection, name: str) -> Iterator[str]:
    """Conditions that between them take every row of a table, however far apart they lie."""
    if connection.dialect.name != "sqlite":
        yield from _chunks_by_key(connection, name)
        return
    after = ""
    while True:
        query = f"SELECT {PLACE} AS place FROM main.{name} {after} ORDER BY {PLACE} LIMIT {CHUNK}"
        ((first, last),) = fetch(connection, f"SELECT min(place), max(place) FROM ({query})")
        if first is None:
            return
        yield f"{PLACE} BETWEEN {first} AND {last}"
        after = f"WHERE {PLACE} > {last}"


def _chunks_by_key(connection: Connection, name: str) -> Iterator[str]:
    """The same where rows have no places: by their keys, as the server sorts them."""
    keys = keys_of(name)
    key = f"({', '.join(keys)})"
    after = "TRUE"
    while True:
        ordered = f"{name} WHERE {after} ORDER BY {', '.join(keys)}"
        rows = fetch(connection, f"SELECT {', '.join(keys)} FROM {ordered} LIMIT 1 OFFSET {CHUNK - 1}")
        if not rows:
            yield after
            return
        last = f"({', '.join(_quoted(str(one)) for one in rows[0])})"
        yield f"{after} AND {key} <= {last}"
        after = f"{key} > {last}"


def _latest_of(told: FileAtRest, name: str, sqlite: bool) -> Iterator[str]:
    """Conditions that between them take the rows of a table of which `told` knows."""
    columns = keys_of(name)
    keys = [str(key) for (key,) in told.execute("SELECT key FROM told WHERE tab = ?", (name,)).fetchall()]
    plain = [key.split("|") for key in keys if key.count("|") == len(columns) - 1]
    for start in range(0, len(plain), PIECE):
        rows = ", ".join(f"({', '.join(map(_quoted, key))})" for key in plain[start : start + PIECE])
        yield f"({', '.join(columns)}) IN ({'VALUES ' if sqlite else ''}{rows})"
    joined = " || '|' || ".join(f"CAST({column} AS TEXT)" for column in columns)
    for key in keys:  # one of its texts holds the sign that stands between them
        if key.count("|") != len(columns) - 1:
            yield f"{joined} = {_quoted(key)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _judged(
    name: str, key: str, told: tuple[str, int, int] | None, now: dict[int, dict[str, str]]
) -> str | None:
    if told is None:
        return ""
    proof, layout, seq = told
    if layout not in now:  # its columns are no more
        return ""
    stands = now[layout][key]
    return (
        None
        if stands == proof
        else f"{name} {key} is not as row {seq} of the audit left it (it is {stands[:8]})"
    )


def _columns(connection: Connection, name: str) -> set[str]:
    if connection.dialect.name == "sqlite":
        return columns_standing(partial(fetch, connection), name)
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
    return {str(column) for (column,) in fetch(connection, query, (name,))}


def _fits(connection: Connection, layout: Layout, name: str) -> bool:
    """Whether the tables still have the columns of a layout."""
    for one in (name, *PARTS.get(name, ())):
        standing = _columns(connection, one)
        if not set(layout.get(one, ())) <= standing or one not in layout:
            return False
    return True
