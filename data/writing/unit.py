"""A unit of work: what it writes with, and what it tells others once its commit has returned."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import repeat
from typing import Any, Protocol, cast

from msgspec import Struct
from sqlalchemy import Connection, Date, Dialect, Table
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlmodel import SQLModel

from data.audit import AuditEntry, Head
from data.engines.driver import insert_many, run
from data.proving.noted import AcceptedRows
from data.proving.proofs import Proofs
from data.tables.columns import UtcDateTime, table
from data.vocabulary import Topic, Via
from data.writing.at_hand import AtHand
from data.writing.audit_writer import AuditWriter
from data.writing.changes import Touched
from data.writing.counters import take_ids
from data.writing.id_blocks import IdBlocks


class Lessee(Protocol):
    """A desk that has some of the clients, as a unit asks it."""

    def require(self, unit: "Unit", client_ids: Collection[int]) -> None:
        """Have nobody take these clients before the commit. Raises `LeaseLost` where somebody has."""
        ...

    def epochs_now(self, unit: "Unit", client_ids: Collection[int]) -> Mapping[int, int]:
        """How often each has changed hands, whoever has it."""
        ...


class Unit:
    """What a unit of work writes with: the connection, its time, and what it tells others after commit."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        audit: AuditWriter | None = None,
        via: Via | None = None,
        blocks: IdBlocks | None = None,
    ) -> None:
        self.connection = connection
        self.at_hand = AtHand() if audit is None else audit.at_hand
        """Rows as objects, as units before this one wrote them."""
        self._audit = audit
        self._via = via
        self._blocks = blocks
        self.now = now
        self.entries: list[AuditEntry] = []
        self.events: list[object] = []
        self.touched = Touched()
        self.proven = Proofs()
        """Proofs of rows that it has written, where it knows them."""
        self.needs_no_lease = frozenset[Topic]()
        """What it may change of clients whose lease this process has not."""
        self.accepted: list[AcceptedRows] = []
        """Rows that a trader accepts as they are, though they differ from what the audit tells."""

        self.lessee: Lessee | None = None
        """The desk that writes, where several share the clients out; it is held to those that it has."""
        self.epochs: dict[int, int] = {}
        """The clients that nobody takes before this commit, each with the epoch of its lease."""
        self.of_anybody = False
        """Whether what it writes is any desk's to write, as a halt is, whoever has the clients."""

    def epochs_of(self, client_ids: Collection[int]) -> Mapping[int, int]:
        """The epochs of these clients' leases, which nobody takes before the commit; 0 where none is shared.

        Raises `LeaseLost` where another desk has one, unless what is written is anybody's.
        """
        if self.lessee is None:
            return dict.fromkeys(client_ids, 0)
        if self.of_anybody:
            return self.lessee.epochs_now(self, client_ids)
        self.lessee.require(self, client_ids)
        return self.epochs

    def undo(self) -> None:
        """Undo what it wrote, its savepoint being the newest one."""
        run(self.connection, "ROLLBACK TO unit")
        self.at_hand.forget()

    def audit(self, entry: AuditEntry) -> None:
        """Add a row to the audit, in the same transaction as what it tells."""
        self.entries.append(entry if self._via is None else AuditEntry(*entry[:-1], self._via.value))

    def differing(self, model: type[SQLModel], ids: Iterable[int]) -> list[int]:
        """Which rows are not as their proofs in the audit say, but for what this transaction wrote.

        `ids` are numbers of the table's single key. It makes their later change no dearer.
        """
        return self._audit.differing(self.connection, table(model).name, ids) if self._audit else []

    def publish(self, happened: object) -> None:
        """Publish an event once the commit has returned."""
        self.events.append(happened)

    def insert(self, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows in one statement; what a row leaves out gets its column's default.

        Every row must have the same keys.
        """
        if rows:
            names = tuple(rows[0])
            self.insert_cells(model, names, [tuple(map(row.__getitem__, names)) for row in rows])

    def insert_cells(
        self, model: type[SQLModel], names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
    ) -> Sequence[tuple[Any, ...]]:
        """The same for rows of cells, which are of these columns by position; returns them as stored.

        The statement is compiled here rather than by SQLAlchemy's bulk insert, whose work for each row costs
        more than SQLite's own.
        """
        if not rows:
            return ()
        insert = _insert(table(model), names, self.connection.dialect)
        stored = insert.stored(rows)
        insert_many(self.connection, insert.sql, stored)
        return stored

    def take_ids(self, name: str, count: int) -> range:
        """The next `count` free numbers of a kind, above every one that stood in its table then.

        Where many write at once, those between may be others', or nobody's.
        """
        taken = None if self._blocks is None else self._blocks.take(name, count)
        return take_ids(self.connection, name, count) if taken is None else taken

    def in_turn(self, name: str) -> None:
        """Have of two commits at once that call this by the same name the later run again behind the other.

        For what is decided by a sum over rows that others add to; `name` is a kind of rows with numbers.
        """
        if self._blocks is not None and self._blocks.many_write:
            take_ids(self.connection, name, 0)

    @property
    def chain(self) -> int:
        """The chain of the audit that it writes to."""
        return 0 if self._audit is None else self._audit.chain

    def chain_ends(self) -> Mapping[int, Head]:
        """Where each chain of the audit ends as this transaction sees it."""
        return {} if self._audit is None else self._audit.heads(self.connection)


class _Insert(Struct, frozen=True):
    """An INSERT of some columns by position: which of them are stored otherwise, and the others' defaults."""

    sql: str
    encoders: Sequence[tuple[int, Callable[[Any], Any]]]
    defaults: Sequence[Any]

    def stored(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Rows as the statement takes them, made a column at a time."""
        if not self.encoders and not self.defaults:
            return rows
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, encode in self.encoders:
            columns[place] = map(encode, columns[place])
        columns += [repeat(value, len(rows)) for value in self.defaults]
        return list(zip(*columns, strict=True))


@cache
def _insert(target: Table, names: tuple[str, ...], dialect: Dialect) -> _Insert:
    encoders: list[tuple[int, Callable[[Any], Any]]] = []
    for place, column in enumerate(target.columns[name] for name in names):
        process = column.type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            few = isinstance(column.type, UtcDateTime | Date)  # a batch has few moments and many rows
            encoders.append((place, lru_cache(maxsize=64)(process) if few else process))
    defaults: dict[str, Any] = {}
    for column in target.columns:
        if column.name not in names and isinstance(column.default, ScalarElementColumnDefault):
            value = cast(Any, column.default).arg
            process = column.type.dialect_impl(dialect).bind_processor(dialect)
            defaults[column.name] = process(value) if process else value
    every = (*names, *defaults)
    quoted = ", ".join(map(dialect.identifier_preparer.quote, every))
    sql = f"INSERT INTO {target.name} ({quoted}) VALUES ({', '.join('?' * len(every))})"
    return _Insert(sql, encoders, list(defaults.values()))
