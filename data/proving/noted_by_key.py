"""Which rows a batch changes on PostgreSQL and what they were: triggers write it to a table of the session.

Their functions stand in the schema and do nothing in a session that has no such table. What is rolled back,
or was committed, is noted no more.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from sqlalchemy import Connection
from sqlmodel import SQLModel

from data.engines.dialect import POSTGRES, UNLESS_THERE, or_update
from data.engines.driver import fetch, run, run_many
from data.json_values import json_text
from data.proving.noted import ACCEPTED, AcceptedRows, Changes
from data.proving.proofs import PARTS, bytes_of, keys_of, layout_now, proofs_of, proven_tables

_MADE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS noted (name TEXT, keys TEXT[], was TEXT NOT NULL,"
    " PRIMARY KEY (name, keys)) ON COMMIT DELETE ROWS"
)
_ACCEPT = "INSERT INTO noted (name, keys, was) VALUES (?, ?, ?) " + or_update(
    "name, keys", "was = excluded.was"
)


class NotedByKey:
    """The proofs before their change of the rows that one connection changes, by their keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        run(connection, _MADE)

    def __bool__(self) -> bool:
        """Whether a proven row may have changed."""
        return bool(fetch(self._connection, "SELECT EXISTS (SELECT 1 FROM noted)")[0][0])

    def places(self, name: str) -> Collection[int]:
        """The numbers of the rows of a table that this batch has changed, or asked for."""
        rows = fetch(self._connection, "SELECT keys[1] FROM noted WHERE name = ?", (name,))
        return [int(key) for (key,) in rows]

    def begin(self, version: int) -> None:
        """Begin a batch: the table is empty."""

    def forget(self) -> None:
        """Nothing is known beyond a batch."""

    def accept(self, connection: Connection, rows: AcceptedRows) -> None:
        """Have these rows proven as they are, and those that are gone as gone."""
        parts = len(keys_of(rows.name)) - 1
        keys = [key.split("|", parts) for key in (*rows.standing, *rows.gone)]
        if keys:
            run_many(connection, _ACCEPT, [(rows.name, key, ACCEPTED) for key in keys])

    def before(self, connection: Connection, name: str, ids: Sequence[int]) -> dict[str, str]:
        """The proofs of rows as they were before this batch changed any; empty for one that it wrote.

        `ids` are numbers of the table's single key. What is asked for is noted.
        """
        (key,) = keys_of(name)
        asked = json_text(list(ids))
        run(
            connection,
            f"INSERT INTO noted (name, keys, was) SELECT '{name}', {_keys(name, 'o.')}, {_proof(name, 'o.')}"
            f" FROM {name} AS o WHERE o.{key} IN {POSTGRES.numbers} {UNLESS_THERE}",
            (asked,),
        )
        among = f"CAST(keys[1] AS BIGINT) IN {POSTGRES.numbers}"
        query = f"SELECT keys[1], was FROM noted WHERE name = ? AND {among}"
        rows = fetch(connection, query, (name, asked))
        return {str(number): str(was) for number, was in rows}

    def take(self, connection: Connection, proven: Mapping[str, Mapping[str, str]]) -> Changes:
        """What was noted, with the proofs of rows before and as they stand now; then nothing is noted.

        `proven` are proofs by table and key of rows that whoever wrote them knows.
        """
        found = Changes()
        for name, keys, was in fetch(connection, "SELECT name, keys, was FROM noted ORDER BY name, keys"):
            found.setdefault(name, {})["|".join(keys)] = (was, "")
        for name, rows in found.items():
            for key, now in _standing(connection, name, rows, proven.get(name, {})).items():
                rows[key] = (rows[key][0], now)
        run(connection, "DELETE FROM noted")
        return found

    def not_noted(self, connection: Connection, tables: Sequence[str]) -> dict[str, int]:
        """How many rows each of these tables has beside those that are noted, where any."""
        counts = dict[str, int]()
        for name in tables:
            query = (
                f"SELECT count(*) FROM {name} AS o WHERE NOT EXISTS (SELECT 1 FROM noted WHERE {_of(name)})"
            )
            counts[name] = int(fetch(connection, query)[0][0])
        return {name: count for name, count in counts.items() if count}


def _standing(
    connection: Connection, name: str, rows: Mapping[str, object], proven: Mapping[str, str]
) -> dict[str, str]:
    """The proofs now, by key, of those rows that are there."""
    if name not in PARTS:
        query = f"SELECT noted.keys, {_proof(name, 'o.')} FROM noted JOIN {name} AS o ON {_of(name)}"
        return {"|".join(keys): str(proof) for keys, proof in fetch(connection, query)}
    unknown = [key for key in rows if key not in proven]  # whoever wrote a transfer knows it with its parts
    (key,) = keys_of(name)
    made = proofs_of(connection, layout_now(), name, f"{key} IN ({', '.join(unknown)})") if unknown else ()
    return {key: proven[key] for key in rows if key in proven} | dict(made)


@cache
def _of(name: str) -> str:
    """That a noted row is the one that is called `o`."""
    columns = SQLModel.metadata.tables[name].primary_key.columns
    kinds = [(column.name, column.type.compile()) for column in columns]
    same = [f"o.{key} = CAST(noted.keys[{at}] AS {kind})" for at, (key, kind) in enumerate(kinds, 1)]
    return " AND ".join([f"noted.name = '{name}'", *same])


@cache
def _keys(name: str, of: str) -> str:
    return f"ARRAY[{', '.join(f'CAST({of}{key} AS TEXT)' for key in keys_of(name))}]"


@cache
def _proof(name: str, of: str) -> str:
    """The proof of a row in SQL: what `data.proving.proofs.row_proof` makes of it."""
    if name in PARTS:
        return "''"  # a transfer, which has parts, is never changed
    cells = [bytes_of(name, column, POSTGRES, of) for column in layout_now()[name]]
    joined = r" || '\x1f'::bytea || ".join(rf"coalesce({cell}, '\xff'::bytea)" for cell in cells)
    return f"encode(substring(sha256({joined}) FROM 1 FOR 8), 'hex')"


# --- what stands in the schema ------------------------------------------------------------------------------


def noting_functions() -> dict[str, str]:
    """The bodies of the triggers that note what is changed, by the name of their function."""
    return {
        f"note_{name}": (
            "BEGIN IF to_regclass('pg_temp.noted') IS NOT NULL THEN "
            f"IF TG_OP <> 'INSERT' THEN {_noting(name, 'former', written=False)}; END IF; "
            f"IF TG_OP <> 'DELETE' THEN {_noting(name, 'fresh', written=True)}; END IF; "
            "END IF; RETURN NULL; END"
        )
        for name in sorted(proven_tables(layout_now()))
    }


def _noting(name: str, rows: str, written: bool) -> str:
    was = "''" if written else _proof(name, "o.")
    return (
        f"INSERT INTO pg_temp.noted (name, keys, was) SELECT '{name}', {_keys(name, 'o.')}, {was}"
        f" FROM {rows} AS o {UNLESS_THERE}"
    )


def noting_triggers() -> dict[str, str]:
    """The triggers of those functions by name, each after a whole statement."""
    seen = {
        "insert": "NEW TABLE AS fresh",
        "update": "OLD TABLE AS former NEW TABLE AS fresh",
        "delete": "OLD TABLE AS former",
    }
    return {
        f"{name}_noted_{verb}": (
            f"CREATE TRIGGER {name}_noted_{verb} AFTER {verb.upper()} ON {name} REFERENCING {rows}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION note_{name}()"
        )
        for name in sorted(proven_tables(layout_now()))
        for verb, rows in seen.items()
    }
