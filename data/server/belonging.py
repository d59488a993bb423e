"""Which home books on a server are of, or that several desks share them by leases.

Two homes without leases would each take the other's orders for lost ones.
"""

import secrets
from datetime import datetime
from pathlib import Path

from data.audit import AuditAction, AuditEntry
from data.engines.chains import free_chains, take_chain
from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.home import app_lock, books_id_file
from data.repositories.meta import HOME, fact_of, keep_facts
from data.writing.audit_writer import AuditWriter
from data.writing.locks import is_held
from data.writing.unit import Unit
from data.writing.whole_file import put_whole
from data.writing.writer import take_turn

SHARED = "several desks"
"""In the place of a home's id: books that several desks share."""


def belong(books: PostgresBooks, home: Path, by: str, now: datetime) -> None:
    """Have these books be this home's, unless they are. Raises `BadInput` where they are another's."""
    ours = _id_of(home)
    theirs = books.read(lambda connection: fact_of(connection, HOME))
    if theirs is None:
        ours = home_id(home)
        theirs = _kept(books, None, ours, by, now)
    if theirs == SHARED:
        expected = "several desks share its books: set desk_clients, to free or to the clients of this desk"
        raise BadInput("database_url", books.name, expected)
    if theirs != ours:
        expected = (
            "its books are another home's: go on in that one, or move its whole folder here; two homes on "
            "one database would take each other's orders for lost ones"
        )
        raise BadInput("database_url", books.name, expected)


def share(books: PostgresBooks, home: Path, by: str, now: datetime) -> None:
    """Have these books be shared by several desks from here on.

    Raises `BadInput` where they are another home's, or an engine of this one is at work on them.
    """
    ours = home_id(home)
    theirs = books.read(lambda connection: fact_of(connection, HOME))
    if theirs not in (None, ours, SHARED):
        expected = "its books are another home's alone: have that one share them first, by its desk_clients"
        raise BadInput("database_url", books.name, expected)
    if theirs == ours and _engines_live(home):
        expected = "an app or command of this home has these books alone: end it, and they are shared"
        raise BadInput("desk_clients", books.name, expected)
    if theirs != SHARED and _kept(books, theirs, SHARED, by, now) != SHARED:
        raise BadInput("database_url", books.name, "another home has taken its books just now: try again")


def _engines_live(home: Path) -> bool:
    return any(is_held(lock) for lock in app_lock(home).parent.glob("*.lock") if lock.name != "schema.lock")


def _kept(books: PostgresBooks, before: str | None, ours: str, by: str, now: datetime) -> str:
    """Whose they are, which is `ours` unless they were another's than `before` by then."""
    engine = books.writer()
    try:
        with engine.connect() as connection:
            take_turn(books, connection)
            theirs = fact_of(connection, HOME)
            if theirs == before:
                audit = AuditWriter(connection, take_chain(connection))
                audit.begin(books.version(connection))
                unit = Unit(connection, now, audit)
                keep_facts(unit, {HOME: ours})
                audit.append(unit, [AuditEntry(AuditAction.ROWS_CHANGED, by, details={"home": ours})])
                theirs = ours
            connection.exec_driver_sql("COMMIT")
            free_chains(connection)
            return str(theirs)
    finally:
        engine.dispose()


def home_id(home: Path) -> str:
    """By which books on a server know a home; made where it has none yet.

    Raises `BadInput` for a folder that this user cannot use.
    """
    return _id_of(home) or _new_id(home)


def _id_of(home: Path) -> str:
    try:
        return books_id_file(home).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise _unusable(home, problem) from problem


def _new_id(home: Path) -> str:
    made = secrets.token_hex(16)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        put_whole(books_id_file(home), f"{made}\n")
    except OSError as problem:
        raise _unusable(home, problem) from problem
    return made


def _unusable(home: Path, problem: OSError) -> BadInput:
    return BadInput("home", str(home), f"give a folder that this user can write to ({problem.strerror})")
