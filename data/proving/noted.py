"""Which rows a batch changes and what they were, noted by temporary triggers and so whoever changes them.

It stands in the writer's memory, not in its transaction: work that is rolled back stays noted, as rows that
are what they were. A batch begins with nothing noted.

What a row was is hashed before its first change, but for one that this connection left so itself while no
other has committed: of that the proof is known. It is known for as long as the writer has work to do, so
that a row which has lain for a while is looked at.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias, cast

from sqlalchemy import Connection

from data.engines.dialect import LISTED, PLACE
from data.engines.driver import fetch
from data.engines.noting import Notes, add_function, note_changes
from data.json_values import json_text
from data.proving.proofs import (
    PARTS,
    blobs,
    key_text,
    keys_of,
    layout_now,
    proofs_of,
    proven_tables,
    row_proof,
)
from data.tables.books import APPEND_ONLY

Changes: TypeAlias = dict[str, dict[str, tuple[str, str]]]
"""By table and key the proofs of a row before and after a batch: empty where it was not or is not there."""

ACCEPTED = "accepted"
"""Stands for the proof before of a row that a trader accepts as it is now."""


class AcceptedRows(NamedTuple):
    """Rows of a table that a trader accepts, by key: those that stand as they are, and the others as gone."""

    name: str
    standing: Sequence[str]
    gone: Sequence[str]


MOST = 200_000
"""How many rows of a table are remembered as they were left; beyond that they are hashed again."""


class _Was(dict[int, str]):
    """What the noted rows of a table were, by their places; empty for one that was not there.

    A row of a known proof is noted when it is asked for; None stands for one that is neither.
    """

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[int, str] = {}
        """Proofs of rows as this connection left them."""
        self.places: dict[str, int] = {}
        """Where those are, by key."""

    def __missing__(self, place: int) -> str | None:
        proof = self.left.get(place)
        if proof is not None:
            self[place] = proof
        return proof

    def forget(self) -> None:
        """Know of no row any more what it is."""
        self.left.clear()
        self.places.clear()


class Noted(Protocol):
    """The proofs before their change of the rows that one connection changes."""

    def __bool__(self) -> bool:
        """Whether a proven row may have changed."""
        ...

    def places(self, name: str) -> Collection[int]:
        """The numbers of the rows of a table that this batch has changed, or asked for."""
        ...

    def begin(self, version: int) -> None:
        """Begin a batch with nothing noted; `version` is the database's, which others' commits change."""
        ...

    def forget(self) -> None:
        """Know of no row any more what it is: what was written was not kept, or has lain for a while."""
        ...

    def accept(self, connection: Connection, rows: AcceptedRows) -> None:
        """Have these rows proven as they are, and those that are gone as gone."""
        ...

    def before(self, connection: Connection, name: str, ids: Sequence[int]) -> dict[str, str]:
        """The proofs of rows as they were before this batch changed any; empty for one that it wrote.

        `ids` are numbers of the table's single key. What is asked for is noted.
        """
        ...

    def take(self, connection: Connection, proven: Mapping[str, Mapping[str, str]]) -> Changes:
        """What was noted, with the proofs of rows before and as they stand now; then nothing is noted.

        `proven` are proofs by table and key of rows that whoever wrote them knows.
        """
        ...

    def not_noted(self, connection: Connection, tables: Sequence[str]) -> dict[str, int]:
        """How many rows each of these tables has beside those that are noted, where any."""
        ...


def noted_by(connection: Connection) -> Noted:
    """What notes the rows that this connection changes from now on."""
    if connection.dialect.name != "sqlite":
        from data.proving.noted_by_key import NotedByKey

        return NotedByKey(connection)
    noted = NotedByPlace()
    noted.watch(connection)
    return noted


class NotedByPlace:
    """The same of a SQLite file, by temporary triggers and the places of rows."""

    def __init__(self) -> None:
        names = sorted(proven_tables(layout_now()))
        self._was = {name: _Was() for name in names}
        self._gone: dict[str, dict[str, str]] = {name: {} for name in names}
        """Of rows that were deleted, by table and key."""
        self._version = -1

    def watch(self, connection: Connection) -> None:
        """Note from now on what this connection changes."""
        layout = layout_now()
        add_function(connection, "row_proof", row_proof)
        for name, was in self._was.items():
            # Transfers, which have parts, are never changed.
            before = "''" if name in PARTS else f"row_proof({blobs(name, layout[name], of='OLD.')})"
            key = " || '|' || ".join(f"OLD.{column}" for column in keys_of(name))
            gone = self._gone[name].setdefault
            notes = Notes(was.__getitem__, was.__setitem__, was.get, gone)
            note_changes(connection, name, layout[name], key, before, notes)

    def __bool__(self) -> bool:
        """Whether a proven row may have changed."""
        return any(self._was.values()) or any(self._gone.values())

    def places(self, name: str) -> Collection[int]:
        """Where the rows of a table are that this batch has changed, or asked for."""
        return self._was[name].keys()

    def begin(self, version: int) -> None:
        """Begin a batch with nothing noted; `version` is the file's, which others' commits change."""
        if version != self._version:
            self.forget()
        self._version = version
        self._clear()

    def forget(self) -> None:
        """Know of no row any more what it is: what was written was not kept, or has lain for a while."""
        for was in self._was.values():
            was.forget()

    def _clear(self) -> None:
        for noted in (*self._was.values(), *self._gone.values()):
            noted.clear()

    def accept(self, connection: Connection, rows: AcceptedRows) -> None:
        """Have these rows proven as they are, and those that are gone as gone."""
        keys = keys_of(rows.name)
        where = " AND ".join(f"CAST({key} AS TEXT) = ?" for key in keys)
        for key in rows.standing:
            found = fetch(
                connection,
                f"SELECT {PLACE} FROM main.{rows.name} WHERE {where}",
                tuple(key.split("|", len(keys) - 1)),
            )
            self._was[rows.name].update((place, ACCEPTED) for (place,) in found)
        self._gone[rows.name].update((key, ACCEPTED) for key in rows.gone)

    def before(self, connection: Connection, name: str, ids: Sequence[int]) -> dict[str, str]:
        """The proofs of rows as they were before this batch changed any; empty for one that it wrote.

        `ids` are numbers of the table's single key. What is asked for is noted.
        """
        was, found, unknown = self._was[name], dict[str, str](), list[int]()
        for one in ids:
            key = str(one)
            place = was.places.get(key)
            proof = None if place is None else was[place]
            if proof is None:
                unknown.append(one)
            else:
                found[key] = proof
        if unknown:
            (key,) = keys_of(name)
            held = blobs(name, layout_now()[name], of="o.")
            query = (
                f"SELECT o.{PLACE}, {blobs(name, [key], of='o.')}, row_proof({held})"
                f" FROM main.{name} AS o WHERE o.{key} IN {LISTED} ORDER BY o.{PLACE}"
            )
            rows = fetch(connection, query, (json_text(unknown),))
            found |= {key_text(one): was.setdefault(place, now) for place, one, now in rows}
        return found

    def take(self, connection: Connection, proven: Mapping[str, Mapping[str, str]]) -> Changes:
        """What was noted, with the proofs of rows before and as they stand now; then nothing is noted.

        `proven` are proofs by table and key of rows that whoever wrote them knows.
        """
        found = Changes()
        for name, gone in self._gone.items():
            if gone:
                found[name] = {key: (was, "") for key, was in sorted(gone.items())}
        for name, was in self._was.items():
            if not was:
                continue
            keys, places, made = _standing(connection, name, sorted(was), proven.get(name, {}))
            now = dict(zip(keys, zip(map(was.__getitem__, places), made, strict=True), strict=True))
            of_table = found.get(name)
            if of_table is not None:  # what was deleted and is written anew was what it was before
                now = {
                    key: (of_table[key][0], one[1]) if key in of_table else one for key, one in now.items()
                }
                now = of_table | now
            found[name] = now
            if name not in APPEND_ONLY:
                if len(was.left) > MOST:
                    was.forget()
                for place in was.keys() - set(places):
                    was.left.pop(place, None)
                was.left.update(zip(places, made, strict=True))
                was.places.update(zip(keys, places, strict=True))
        self._clear()
        return found

    def not_noted(self, connection: Connection, tables: Sequence[str]) -> dict[str, int]:
        """How many rows each of these tables has beside those that are noted, where any."""
        counts = dict[str, int]()
        for name in tables:
            query = f"SELECT count(*) FROM main.{name} WHERE {PLACE} NOT IN {LISTED}"
            counts[name] = int(fetch(connection, query, (json_text(list(self._was[name])),))[0][0])
        return {name: count for name, count in counts.items() if count}


def _standing(
    connection: Connection, name: str, places: Sequence[int], proven: Mapping[str, str]
) -> tuple[Sequence[str], Sequence[int], Sequence[str]]:
    """Key, place and proof now of those rows that are there, each in a column."""
    key = " || '|' || ".join(f'"{column}"' for column in keys_of(name))
    columns = f"CAST({key} AS BLOB), {PLACE}"
    here = f"{PLACE} IN {LISTED} ORDER BY {PLACE}"
    asked = (json_text(places),)
    if name not in PARTS:
        query = (
            f"SELECT {columns}, row_proof({blobs(name, layout_now()[name])}) FROM main.{name} WHERE {here}"
        )
        rows = fetch(connection, query, asked)
        if not rows:
            return (), (), ()
        stored, standing, made = zip(*rows, strict=True)
        return _key_texts(stored), standing, made
    numbers = list(map(str, places))
    if proven.keys() >= set(numbers):  # whoever wrote them knows all, and nothing deletes a transfer
        return numbers, places, list(map(proven.__getitem__, numbers))
    found = [
        (key_text(key), place)
        for key, place in fetch(connection, f"SELECT {columns} FROM main.{name} WHERE {here}", asked)
    ]
    unknown = [place for key, place in found if key not in proven]
    where = f"{PLACE} IN ({', '.join(map(str, unknown))})"
    known = dict(proofs_of(connection, layout_now(), name, where)) if unknown else {}
    return (
        [key for key, _ in found],
        [place for _, place in found],
        [proven[key] if key in proven else known[key] for key, _ in found],
    )


def _key_texts(keys: Sequence[bytes | None]) -> Sequence[str]:
    """What `key_text` makes of each."""
    try:
        return list(map(bytes.decode, cast("Sequence[bytes]", keys)))
    except (TypeError, UnicodeDecodeError):  # a key that is nothing, or no text
        return list(map(key_text, keys))
