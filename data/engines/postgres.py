"""What is PostgreSQL's own: connections, the lock of the only writer, notice of others' commits.

Imported only where books stand on a server, so that nobody else needs its driver.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, RawCursor
from psycopg.adapt import Loader
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from data.clock import Clock, SystemClock
from data.engines.driver import fetch, run
from data.engines.shared.gate import GateMode
from data.engines.sqlite import COMPILED

T = TypeVar("T")

ANSWER_S = 15.0
"""How long an answer to a short statement is waited for: a server that is frozen keeps nobody longer."""

_ENDED_S = 3.0
"""How long before that the server itself ends a statement. A wait for the gate is over by then."""

LONG_S = 600.0
"""The same for a read over all books."""

LOCK_WAIT_S = 3.0
"""How long the writer waits for a row or a table behind the gate."""

IDLE_S = 5.0
"""How long a writer may be at other things in its transaction: one that froze keeps others no longer."""

_CUT_S = 5
"""How long a cable that is cut stays unnoticed, at either end."""

_KEPT_ALIVE = {"idle": _CUT_S, "interval": 2, "count": 2}

OURS = (
    "-c timezone=UTC -c default_transaction_isolation=read\\ committed -c datestyle=ISO"
    f" -c tcp_user_timeout={_CUT_S}s"
    + "".join(f" -c tcp_keepalives_{name}={value}" for name, value in _KEPT_ALIVE.items())
)
"""What every session sets: texts of moments and days are as the books' hashes take them."""

_READING = " -c default_transaction_read_only=on"
_WRITING = (
    " -c synchronous_commit=on"
    f" -c idle_in_transaction_session_timeout={IDLE_S:g}s -c lock_timeout={LOCK_WAIT_S:g}s"
)

DriverError = psycopg.Error
"""What a server refuses, in its own words."""

_GATES = {
    GateMode.SHARED: "LOCK TABLE firm_gate IN ROW SHARE MODE; ",
    GateMode.ALONE: "LOCK TABLE firm_gate IN EXCLUSIVE MODE; ",
    GateMode.PAST: "",
}
"""Before any other statement: this takes no snapshot, a SELECT would, and then see too little."""


class PostgresBooks:
    """Books on a server."""

    many_write = True

    def __init__(self, url: URL) -> None:
        self.url = url.set(drivername="postgresql+psycopg")
        self.name = url.render_as_string(hide_password=True)
        self.clock: Clock = SystemClock()
        """This machine's own, whatever the desk goes by."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PostgresBooks) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    def writer(self) -> Engine:
        """An engine whose one connection leaves transactions to us."""
        return _engine(self.url, OURS + _WRITING, ANSWER_S)

    def patient_writer(self) -> Engine:
        """The same for work on the books as a whole, whose statements take as long as they do."""
        return _engine(self.url, OURS, None)

    def reader(self, size: int) -> AsyncEngine:
        """An engine of `size` connections for the event loop that only read."""
        engine = create_async_engine(
            self.url,
            pool_size=size,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            paramstyle="qmark",
            use_native_hstore=False,
            execution_options=COMPILED,
            connect_args={
                **_given(OURS + _READING, LONG_S),
                "cursor_factory": AsyncMarked,
                "async_creator_fn": AsyncPatient.connect,
            },
        )
        _prepare(engine.sync_engine, LONG_S)
        return engine

    def shared_reader(self) -> Connection:
        """A read-only connection for short reads, on whichever thread has it in its turn."""
        return _engine(self.url, OURS + _READING, ANSWER_S).connect()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do reading work on a read-only connection of its own, all of it as of one moment; it blocks."""
        with self._looking.connect() as connection:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return work(connection)

    @cached_property
    def _looking(self) -> Engine:
        return _engine(self.url, OURS + _READING, LONG_S)

    def begin(self, connection: Connection, patience_s: float, gate: GateMode = GateMode.ALONE) -> bool:
        """Begin a transaction that writes; returns whether its turn was had within so many seconds."""
        patience = f"SET LOCAL lock_timeout = {int(patience_s * 1000)}"
        behind = f"SET LOCAL lock_timeout = {int(LOCK_WAIT_S * 1000)}"
        try:
            run(
                connection,
                f"BEGIN ISOLATION LEVEL REPEATABLE READ; {patience}; {_GATES[gate]}{behind}",
            )
        except DBAPIError as problem:
            with suppress(DBAPIError):  # a connection that is gone has no transaction either
                run(connection, "ROLLBACK")
            if isinstance(problem.orig, psycopg.errors.LockNotAvailable):
                return False
            raise
        return True

    def version(self, connection: Connection) -> int:
        """A number that changes when another connection has committed.

        It is the number that the next transaction gets, and changes with this connection's own ones too.
        """
        return int(
            fetch(connection, "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)")[
                0
            ][0]
        )

    def first_look(self, connection: Connection, patience_s: float, look: Callable[[], T]) -> T:
        """What a look returns; nobody's lock keeps one waiting."""
        return look()

    def clock_ahead_s(self, connection: Connection) -> float:
        """How far this machine's clock is ahead of the server's, at least, whatever the answer's way took."""
        began = self.clock.now()
        at = fetch(connection, "SELECT clock_timestamp()")[0][0]
        earliest, latest = (began - at).total_seconds(), (self.clock.now() - at).total_seconds()
        return min(max(earliest, 0.0), latest) if latest > 0 else latest

    def why_unwritable(self, problem: DBAPIError) -> str:
        """Why it can be written no more, and what helps; empty for a fault of any other kind."""
        state = getattr(problem.orig, "sqlstate", None) or ""
        return next((words for mark, words in _UNWRITABLE.items() if state.startswith(mark)), "")

    def first_damage(self, connection: Connection, unwanted: Callable[[], Any]) -> str:
        """Nothing: the server looks at its own pages by their checksums as it reads them."""
        return ""


_UNWRITABLE = {
    "53100": "the server's disk is full: free some space",
    "25006": "the server takes no changes, as a standby does: connect to its primary",
    "42501": "this user of the database may not write to it: `tradedesk db grant` grants what a desk takes",
    "58": "the server's disk fails or is gone: look at its log",
    "XX001": "the database is damaged: look at the server's log, and put a backup back",
}
"""By SQLSTATE, or the beginning of one."""


def _engine(url: URL, options: str, answer_s: float | None) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        paramstyle="qmark",
        use_native_hstore=False,
        execution_options=COMPILED,
        connect_args=_given(options, answer_s) | {"cursor_factory": Marked},
    )

    def connect(dialect: object, record: object, args: Any, given: Any) -> Patient:
        return Patient.connect(*args, **given)

    event.listen(engine, "do_connect", connect)
    _prepare(engine, answer_s)
    return engine


def _given(options: str, answer_s: float | None) -> dict[str, Any]:
    """What a connection is made with: how long it waits for its server, in a statement and in silence."""
    if answer_s is not None:
        options += f" -c statement_timeout={answer_s - _ENDED_S:g}s"
    kept_alive = {f"keepalives_{name}": value for name, value in _KEPT_ALIVE.items()}
    return {
        "options": options,
        "connect_timeout": _CUT_S,
        "tcp_user_timeout": _CUT_S * 1000,
        **kept_alive,
    }


def _prepare(engine: Engine, answer_s: float | None) -> None:
    def connected(connection: Any, record: object) -> None:
        own = getattr(connection, "driver_connection", connection)
        own.adapters.register_loader("numeric", _Number)
        own.answer_s = answer_s

    event.listen(engine, "connect", connected)


class Patient(psycopg.Connection[Any]):
    """Waits for an answer no longer than it is told; then it is closed."""

    answer_s: float | None = None
    """Seconds; None for as long as it takes."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Take a step of the protocol to its end. Raises `psycopg.OperationalError` where there is none."""
        try:
            return super().wait(gen, interval, timeout or self.answer_s)
        except psycopg.OperationalError as problem:
            _close_silent(self, problem)
            raise


class AsyncPatient(AsyncConnection[Any]):
    """The same for an event loop."""

    answer_s: float | None = None

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - the driver's own
        """Take a step of the protocol to its end. Raises `psycopg.OperationalError` where there is none."""
        try:
            return await super().wait(gen, interval, timeout or self.answer_s)
        except psycopg.OperationalError as problem:
            _close_silent(self, problem)
            raise


def _close_silent(connection: Patient | AsyncPatient, problem: psycopg.OperationalError) -> None:
    """Close what has not answered in time: only then does the driver raise without the server's word."""
    if problem.sqlstate is None and not connection.closed:
        connection.pgconn.finish()
        raise psycopg.OperationalError(f"no answer for {connection.answer_s:g} s") from problem


class _Number(Loader):
    """A sum of whole numbers as the whole number that it is."""

    def load(self, data: Any) -> Any:
        """A whole number."""
        return int(bytes(data))


# --- statements with `?` for their places -------------------------------------------------------------------


@lru_cache(maxsize=2000)
def placed(sql: str) -> Any:
    """A statement with numbered places for its marks; those between quotes are text."""
    parts, number = list[str](), 0
    for at, piece in enumerate(sql.split("'")):
        if at % 2:
            parts.append(piece)
            continue
        first, *rest = piece.split("?")
        for one in rest:
            number += 1
            first += f"${number}{one}"
        parts.append(first)
    return "'".join(parts)


def _whole(sql: str, params: Any) -> Any:
    """A statement as the driver takes it: without parameters as it is, of many statements too."""
    return placed(sql) if params else sql


class Marked(RawCursor[Any]):
    """Takes statements with `?` for each place, as SQLite does."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run one; without parameters as it is, of many statements too."""
        return super().execute(_whole(query, params), params or None, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Run one for each of many sets of parameters."""
        super().executemany(placed(query), params_seq, **options)


class AsyncMarked(AsyncRawCursor[Any]):
    """The same for an event loop."""

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run one; without parameters as it is, of many statements too."""
        return await super().execute(_whole(query, params), params or None, **options)

    async def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Run one for each of many sets of parameters."""
        await super().executemany(placed(query), params_seq, **options)
