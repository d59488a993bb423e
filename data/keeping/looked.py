"""What is looked at in copied books: that both files are whole, belong together, and verify."""

from pathlib import Path

from msgspec import Struct

from data.engines.at_rest import FileError, first_fault, opened
from data.engines.sqlite import broken_references, integrity_faults, read_file
from data.errors import BadInput
from data.keeping.archive import BOOKS, EXCHANGE
from data.proving.rederive import differences, not_accepted
from data.proving.stored_audit import stored_rows
from data.proving.verifying import accepted, verify
from data.repositories.base import DatabaseError, Reader
from data.repositories.connections import connections_in
from data.writing.audit_writer import kept_heads


class BooksSeen(Struct, frozen=True):
    """What copied books end with, whom they trade with, and what is wrong in them that nobody accepted."""

    audit_rows: int
    audit_head: str
    connections: tuple[str, ...]
    found: tuple[str, ...]


def look_at(folder: Path) -> BooksSeen:
    """Look at the books of this version in a folder that nobody else uses.

    Raises `BadInput` where a file is damaged or another's: such a copy is none.
    """
    books, exchange = folder / BOOKS, folder / EXCHANGE
    try:
        if exchange.exists():
            fault = first_fault(exchange)
            if fault:
                raise _damaged(exchange, fault)
        connections = connections_in(books)
        owned = {one.identity for one in connections if one.broker == "paper" and one.identity}
        if owned and owned != {_identity(exchange)}:
            raise _damaged(books, f"{EXCHANGE} beside it is not the paper exchange of these books")
        rows, head, found = read_file(books, _look)
    except DatabaseError as problem:
        raise _damaged(books, str(problem.orig)) from problem
    except FileError as problem:
        raise _damaged(folder, str(problem)) from problem
    return BooksSeen(rows, head, tuple(str(one.kind) for one in connections), found)


def _look(reader: Reader) -> tuple[int, str, tuple[str, ...]]:
    faults = integrity_faults(reader)
    if faults:
        raise _damaged(Path(BOOKS), faults[0])
    report = verify(stored_rows(reader), kept_heads(reader))
    others = not_accepted([*broken_references(reader), *differences(reader)], accepted(reader))
    return report.last_seq, report.head, (*report.found, *others)


def _identity(exchange: Path) -> str:
    if not exchange.exists():
        return ""
    with opened(exchange) as file:
        return str(file.execute("SELECT id FROM identity").fetchone()[0])


def _damaged(file: Path, why: str) -> BadInput:
    return BadInput("database", file.name, f"it is damaged: {why}")
