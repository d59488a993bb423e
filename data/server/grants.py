"""What the role of desks may do on a server: no DDL, no TRUNCATE, and append-only tables grow alone.

Tables belong to the role that `upgrade` was run by. Triggers keep append-only tables from whoever writes
through this program; what a role has no right to, nobody who has its password does either. The owner of the
database can do everything: only a head of the audit kept elsewhere shows that.
"""

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.schema import STAMP
from data.tables.books import APPEND_ONLY

_CHANGING = "UPDATE, DELETE, TRUNCATE"

_MAY = f"""
    SELECT r.rolname, has_table_privilege(r.oid, 'signing_key', 'INSERT') FROM pg_roles r
    WHERE NOT r.rolsuper AND has_table_privilege(r.oid, '{STAMP}', 'SELECT')
      AND r.oid <> (SELECT relowner FROM pg_class WHERE oid = '{STAMP}'::regclass)
      AND r.rolname NOT LIKE 'pg\\_%'
    ORDER BY 1
"""


def grant(books: PostgresBooks, role: str, signs: bool = True) -> Sequence[str]:
    """Let a role do what a desk does and no more; returns its append-only tables.

    One that does not `sign` ends sign-ins and makes none, and no key: those are the signing service's.
    Raises `BadInput` for a role that is not there, that could do more whatever it is granted, or that these
    tables are not ours to grant to.
    """
    engine = books.patient_writer()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            _check(connection, role)
            _grant(connection, role, signs)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as problem:
        raise BadInput("role", role, f"the server does not grant it: {problem.orig}") from problem
    finally:
        engine.dispose()
    return APPEND_ONLY


def grant_again(connection: Connection) -> None:
    """Grant what this version's tables take to each role that was granted those of an earlier one."""
    for role, signs in fetch(connection, _MAY):
        _grant(connection, str(role), bool(signs))


def changeable(connection: Connection) -> list[str]:
    """The append-only tables that this session's own role could change, were it not for their triggers."""
    names = ", ".join(f"('{name}')" for name in APPEND_ONLY)
    rows = fetch(
        connection,
        f"SELECT name FROM (VALUES {names}) AS t (name)"
        f" WHERE has_table_privilege(name, '{_CHANGING}') ORDER BY 1",
    )
    return [str(name) for (name,) in rows]


def _check(connection: Connection, role: str) -> None:
    rows = fetch(
        connection,
        "SELECT rolsuper, pg_has_role(oid, (SELECT relowner FROM pg_class WHERE oid = 'audit'::regclass),"
        f" 'MEMBER') FROM pg_roles WHERE rolname = {_literal(role)}",
    )
    if not rows:
        expected = "the server has no such role: an administrator makes it by CREATE ROLE … LOGIN"
        raise BadInput("role", role, expected)
    above, owner = rows[0]
    if above or owner:
        what = "it is a superuser" if above else "it owns the tables, or is a member of who does"
        raise BadInput(
            "role", role, f"{what}, so that no grant would hold it: give desks a role of their own"
        )


def _grant(connection: Connection, role: str, signs: bool) -> None:
    name, ours = _quoted(role), [*SQLModel.metadata.tables]
    (database, schema), *_ = fetch(connection, "SELECT current_database(), current_schema()")
    growing = [table for table in ours if table in APPEND_ONLY]
    changing = [table for table in ours if table not in APPEND_ONLY]
    for statement in (
        f"GRANT CONNECT ON DATABASE {_quoted(str(database))} TO {name}",
        f"GRANT USAGE ON SCHEMA {_quoted(str(schema))} TO {name}",
        f"REVOKE CREATE ON SCHEMA {_quoted(str(schema))} FROM {name}",
        f"REVOKE ALL ON {_listed([*ours, STAMP])} FROM {name}",
        f"GRANT SELECT ON {STAMP} TO {name}",
        f"GRANT SELECT, INSERT ON {_listed(growing)} TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_listed(changing)} TO {name}",
        f"GRANT USAGE, UPDATE ON SEQUENCE audit_number TO {name}",
        *(() if signs else _without_signing(name)),
    ):
        connection.exec_driver_sql(statement)


def _without_signing(name: str) -> Sequence[str]:
    """Statements that leave of signing people in only the end of sign-ins."""
    return (
        f"REVOKE INSERT, UPDATE, DELETE ON signing_key, sign_in, sign_in_try FROM {name}",
        f"GRANT UPDATE (ended_at, ended_by) ON sign_in TO {name}",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
