"""Which home books on a server are of. Two homes would each take the other's orders for lost ones."""

import secrets
from datetime import datetime
from pathlib import Path

from data.audit import AuditAction, AuditEntry
from data.engines.chains import free_chains, take_chain
from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.home import books_id_file
from data.repositories.meta import HOME, fact_of, keep_facts
from data.writing.audit_writer import AuditWriter
from data.writing.unit import Unit
from data.writing.whole_file import put_whole
from data.writing.writer import take_turn


def belong(books: PostgresBooks, home: Path, by: str, now: datetime) -> None:
    """Have these books be this home's, unless they are. Raises `BadInput` where they are another's."""
    ours = _id_of(home)
    theirs = books.read(lambda connection: fact_of(connection, HOME))
    if theirs is None:
        theirs = _taken(books, ours or _new_id(home), by, now)
        ours = _id_of(home)
    if theirs != ours:
        expected = (
            "its books are another home's: go on in that one, or move its whole folder here; two homes on "
            "one database would take each other's orders for lost ones"
        )
        raise BadInput("database_url", books.name, expected)


def _taken(books: PostgresBooks, ours: str, by: str, now: datetime) -> str:
    """Whose they are, which is ours where nobody was faster."""
    engine = books.writer()
    try:
        with engine.connect() as connection:
            take_turn(books, connection)
            theirs = fact_of(connection, HOME)
            if theirs is None:
                audit = AuditWriter(connection, take_chain(connection))
                audit.begin(books.version(connection))
                unit = Unit(connection, now, audit)
                keep_facts(unit, {HOME: ours})
                audit.append(unit, [AuditEntry(AuditAction.ROWS_CHANGED, by, details={"home": ours})])
            connection.exec_driver_sql("COMMIT")
            free_chains(connection)
            return theirs or ours
    finally:
        engine.dispose()


def _id_of(home: Path) -> str:
    try:
        return books_id_file(home).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def _new_id(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = secrets.token_hex(16)
    put_whole(books_id_file(home), f"{made}\n")
    return made
