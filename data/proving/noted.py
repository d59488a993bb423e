"""Which rows a batch changes and what they were, noted by temporary triggers and so whoever changes them.

It stands in the writer's memory, not in its transaction: work that is rolled back stays noted, as rows that
are what they were. A batch begins with nothing noted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from data.engines.driver import fetch
from data.proving.proofs import (
    PARTS,
    Layout,
    blobs,
    key_text,
    keys_of,
    layout_now,
    proofs_of,
    proven_tables,
    row_proof,
)


class ProofChange(NamedTuple):
    """The proofs of a row before and after a batch: empty where it was not or is not there."""

    was: str
    now: str


Changes: TypeAlias = dict[str, dict[str, ProofChange]]
"""Changes of rows by table and key."""

ACCEPTED = "accepted"
"""Stands for the proof before of a row that a trader accepts as it is now."""


class AcceptedRows(NamedTuple):
    """Rows of a table that a trader accepts, by key: those that stand as they are, and the others as gone."""

    name: str
    standing: Sequence[str]
    gone: Sequence[str]


class Noted:
    """The proofs before their change of the rows that one connection changes."""

    def __init__(self) -> None:
        names = proven_tables(layout_now())
        self._was: dict[str, dict[int, str]] = {name: {} for name in names}
        """By table and rowid; empty for a row that was not there."""
        self._gone: dict[str, dict[str, str]] = {name: {} for name in names}
        """Of rows that were deleted, by table and key."""

    def watch(self, connection: Connection) -> None:
        """Note from now on what this connection changes."""
        layout = layout_now()
        own = connection.connection.driver_connection
        assert own is not None
        own.create_function("row_proof", -1, row_proof, deterministic=True)
        for name, was in self._was.items():
            # The dictionaries' own methods: nothing but them is called for a row.
            own.create_function(f"noted_{name}", 1, was.__contains__)
            own.create_function(f"note_{name}", 2, was.__setitem__)
            own.create_function(f"was_{name}", 1, was.get)
            own.create_function(f"gone_{name}", 2, self._gone[name].setdefault)
            for verb, what in _triggers(layout, name).items():
                connection.exec_driver_sql(f"CREATE TEMP TRIGGER proof_{name}_{verb} AFTER {what}")

    def __bool__(self) -> bool:
        """Whether a proven row may have changed."""
        return any(self._was.values()) or any(self._gone.values())

    def clear(self) -> None:
        """Begin with nothing noted."""
        for noted in (*self._was.values(), *self._gone.values()):
            noted.clear()

    def accept(self, connection: Connection, rows: AcceptedRows) -> None:
        """Have these rows proven as they are, and those that are gone as gone."""
        keys = keys_of(rows.name)
        where = " AND ".join(f"CAST({key} AS TEXT) = ?" for key in keys)
        for key in rows.standing:
            found = fetch(
                connection,
                f"SELECT rowid FROM main.{rows.name} WHERE {where}",
                tuple(key.split("|", len(keys) - 1)),
            )
            self._was[rows.name].update((place, ACCEPTED) for (place,) in found)
        self._gone[rows.name].update((key, ACCEPTED) for key in rows.gone)

    def before(self, connection: Connection, name: str, ids: Sequence[int]) -> dict[str, str]:
        """The proofs of rows as they were before this batch changed any; empty for one that it wrote.

        `ids` are numbers of the table's single key. What is asked for is noted.
        """
        was, key = self._was[name], keys_of(name)[0]
        query = (
            f"SELECT o.rowid, {blobs([key], 'o.')}, row_proof({blobs(layout_now()[name], 'o.')})"
            f" FROM main.{name} AS o WHERE o.{key} IN (SELECT value FROM json_each(?)) ORDER BY o.rowid"
        )
        rows = fetch(connection, query, (json.dumps(list(ids)),))
        return {key_text(one): was.setdefault(place, now) for place, one, now in rows}

    def take(self, connection: Connection, proven: Mapping[str, Mapping[str, str]]) -> Changes:
        """What was noted, with the proofs of rows before and as they stand now; then nothing is noted.

        `proven` are proofs by table and key of rows that whoever wrote them knows.
        """
        found = Changes()
        for name, gone in sorted(self._gone.items()):
            if gone:
                found[name] = {key: ProofChange(was, "") for key, was in sorted(gone.items())}
        for name, was in sorted(self._was.items()):
            if not was:
                continue
            of_table = found.setdefault(name, {})
            for key, place, now in _standing(connection, name, sorted(was), proven.get(name, {})):
                of_table[key] = ProofChange(of_table[key].was if key in of_table else was[place], now)
        self.clear()
        return found

    def not_noted(self, connection: Connection, tables: Sequence[str]) -> dict[str, int]:
        """How many rows each of these tables has beside those that are noted, where any."""
        query = "SELECT count(*) FROM main.{0} WHERE rowid NOT IN (SELECT value FROM json_each(?))"
        counts = {
            name: int(fetch(connection, query.format(name), (json.dumps(list(self._was[name])),))[0][0])
            for name in tables
        }
        return {name: count for name, count in counts.items() if count}


def _triggers(layout: Layout, name: str) -> dict[str, str]:
    """What notes the changes of a table's rows; transfers, which have parts, are never changed."""
    before = "''" if name in PARTS else f"row_proof({blobs(layout[name], 'OLD.')})"
    key = " || '|' || ".join(f"OLD.{column}" for column in keys_of(name))
    columns = ", ".join(f'"{column}"' for column in layout[name])
    note = f"SELECT note_{name}(OLD.rowid, {before})"
    return {
        "insert": f"INSERT ON main.{name} BEGIN SELECT note_{name}(NEW.rowid, ''); END",
        "update": f"UPDATE OF {columns} ON main.{name} WHEN NOT noted_{name}(OLD.rowid) BEGIN {note}; END",
        "delete": f"DELETE ON main.{name} BEGIN {note} WHERE NOT noted_{name}(OLD.rowid);"
        f" SELECT gone_{name}(CAST({key} AS TEXT), was_{name}(OLD.rowid)); END",
    }


def _standing(
    connection: Connection, name: str, places: Sequence[int], proven: Mapping[str, str]
) -> Iterable[tuple[str, int, str]]:
    """Key, place and proof now of those rows that are there."""
    keys = keys_of(name)
    here = "rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid"
    if name not in PARTS:
        now = f"row_proof({blobs(layout_now()[name])})"
        query = f"SELECT rowid, {now}, {blobs(keys)} FROM main.{name} WHERE {here}"
        for place, now, *key in fetch(connection, query, (json.dumps(places),)):
            yield "|".join(map(key_text, key)), place, now
        return
    query = f"SELECT rowid, {blobs(keys)} FROM main.{name} WHERE {here}"
    rows = [
        (place, "|".join(map(key_text, key)))
        for place, *key in fetch(connection, query, (json.dumps(places),))
    ]
    unknown = [place for place, key in rows if key not in proven]
    where = f"rowid IN ({', '.join(map(str, unknown))})"
    made = dict(proofs_of(connection, layout_now(), name, where)) if unknown else {}
    for place, key in rows:
        yield key, place, proven[key] if key in proven else made[key]
