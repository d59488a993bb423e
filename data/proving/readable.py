"""Values in the file that this version cannot read: found and named.

SQLite keeps any value in any column, so that a damaged or strange one must be looked for. What stands in for
one where the books are read all the same is in `data/repositories/readable.py`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Integer,
    Table,
)
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.audit import AuditAction
from data.engines.dialect import PLACE, is_json
from data.engines.driver import each, fetch
from data.proving.proofs import keys_of
from data.tables.columns import UtcDateTime
from data.vocabulary import (
    Account,
    AlertKind,
    BreakKind,
    Bucket,
    ClientStatus,
    ConnectionKind,
    ConsentKind,
    ConversionState,
    DayState,
    DeliveryState,
    Demat,
    FlattenLineState,
    FlattenReason,
    FlattenState,
    FlattenWhat,
    GateItem,
    GuardAction,
    HaltScope,
    HaltStrength,
    HoldKind,
    JobKind,
    JobState,
    OrderState,
    OrderType,
    PerClient,
    Policy,
    Product,
    RequestKind,
    RequestState,
    RouteKind,
    RuleState,
    RunStatus,
    SessionProblem,
    SessionState,
    Side,
    SizingKind,
    Topic,
    TransferKind,
    TripKind,
    Validity,
)

WORDS: Mapping[tuple[str, str], tuple[type[StrEnum], StrEnum | None]] = {
    ("connection", "kind"): (ConnectionKind, ConnectionKind.LIVE),
    ("client", "status"): (ClientStatus, ClientStatus.INACTIVE),
    ("client", "session"): (SessionState, SessionState.OK),  # a cancel may still be tried
    ("client_route", "kind"): (RouteKind, RouteKind.OWN),
    ("client_route", "demat"): (Demat, Demat.UNKNOWN),
    ("broker_session", "problem_code"): (SessionProblem, SessionProblem.NONE),
    ("gate_waiver", "item"): (GateItem, None),
    ("consent", "kind"): (ConsentKind, None),
    ("hold", "kind"): (HoldKind, None),
    ("audit", "action"): (AuditAction, None),
    ("txn", "kind"): (TransferKind, None),
    ("posting", "account"): (Account, None),
    ("share_posting", "product"): (Product, None),
    ("share_posting", "bucket"): (Bucket, None),
    ("holding", "product"): (Product, Product.CNC),
    ("lot", "product"): (Product, None),
    ("lot", "bucket"): (Bucket, None),
    ("closed_lot", "product"): (Product, None),
    ("trading_day", "state"): (DayState, None),
    ("account_break", "kind"): (BreakKind, BreakKind.CASH),
    ("plan", "side"): (Side, None),
    ("plan", "sizing"): (SizingKind, None),
    ("plan_leg", "side"): (Side, None),
    ("plan_leg", "sizing"): (SizingKind, None),
    ("plan_leg", "order_type"): (OrderType, None),
    ("basket", "per_client"): (PerClient, None),
    ("basket_leg", "side"): (Side, None),
    ("basket_leg", "sizing"): (SizingKind, None),
    ("basket_leg", "order_type"): (OrderType, None),
    ("run", "status"): (RunStatus, RunStatus.PAUSED),
    ("orders", "side"): (Side, Side.BUY),
    ("orders", "product"): (Product, Product.CNC),
    ("orders", "order_type"): (OrderType, OrderType.MARKET),
    ("orders", "validity"): (Validity, Validity.DAY),
    ("orders", "policy"): (Policy, None),
    ("orders", "state"): (OrderState, OrderState.UNKNOWN),
    ("request", "kind"): (RequestKind, None),
    ("request", "state"): (RequestState, None),
    ("alert", "kind"): (AlertKind, AlertKind.SQUARE_OFF),
    ("alert_rule", "state"): (RuleState, RuleState.SPENT),
    ("alert_delivery", "state"): (DeliveryState, DeliveryState.FAILED),
    ("job", "kind"): (JobKind, None),
    ("job", "state"): (JobState, JobState.FAILED),
    ("change", "topic"): (Topic, Topic.EVERYTHING),
    ("conversion", "from_product"): (Product, Product.CNC),
    ("conversion", "to_product"): (Product, Product.CNC),
    ("conversion", "state"): (ConversionState, ConversionState.UNKNOWN),
    ("flatten", "scope"): (HaltScope, HaltScope.EVERYTHING),
    ("flatten", "what"): (FlattenWhat, FlattenWhat.MIS),
    ("flatten", "state"): (FlattenState, FlattenState.DONE),
    ("flatten_line", "product"): (Product, Product.CNC),
    ("flatten_line", "state"): (FlattenLineState, FlattenLineState.LEFT),
    ("flatten_line", "reason"): (FlattenReason, FlattenReason.NONE),
    ("guard", "scope"): (HaltScope, None),
    ("guard", "what"): (FlattenWhat, FlattenWhat.MIS),
    ("guard", "action"): (GuardAction, GuardAction.BLOCK),
    ("guard_trip", "kind"): (TripKind, TripKind.LOSS),
    ("halt", "scope"): (HaltScope, HaltScope.EVERYTHING),
    ("halt", "strength"): (HaltStrength, HaltStrength.ALL),
}
"""Columns that hold a word of a vocabulary, and what stands in for one that is none of it."""

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, DBAPIError)
"""What reading raises where a row holds what no tradedesk writes."""

MOST = 20
"""How many unreadable values are named."""

LINES = {"plan": 1_000, "instrument": 10, "listing": 10}
"""Rows that one of a table is looked at for: a plan holds a line for each client, and an instrument is held
to its columns' kinds whenever it is read, with what a broker calls it."""


def unreadable(connection: Connection, newest: int | None = None) -> list[str]:
    """Values that no tradedesk writes: unknown words, texts for numbers, broken times or JSON.

    It names the first few. `newest` looks only at so many rows of each table, or fewer that hold as much.
    """
    if connection.dialect.name != "sqlite":
        return _unknown_words(connection)
    found: list[str] = []
    for table in _tables():
        if not fetch(connection, f"SELECT 1 FROM {table.name} LIMIT 1"):
            continue
        since = ""
        if newest is not None:
            rows = max(1, newest // LINES.get(table.name, 1))
            last = f"SELECT {PLACE} AS place FROM {table.name} ORDER BY {PLACE} DESC LIMIT {rows}"
            since = f"{PLACE} >= (SELECT min(place) FROM ({last})) AND "
        for row in _unfit_rows(connection, table, since):
            found += _unfit_values(connection, table, row)
        if len(found) >= MOST:
            break
    return found[:MOST]


def _unknown_words(connection: Connection) -> list[str]:
    """The same where the server holds each column to its kind: words of no vocabulary."""
    found: list[str] = []
    for (name, column), (known, _) in WORDS.items():
        words = ", ".join(f"'{word.value}'" for word in known)
        keys = " || '.' || ".join(f'CAST("{key}" AS TEXT)' for key in keys_of(name))
        query = f'SELECT {keys}, "{column}" FROM {name} WHERE "{column}" NOT IN ({words}) LIMIT {MOST}'
        rows = fetch(connection, query)
        found += [f"{name} {key}: {column} is '{str(stored)[:40]}'" for key, stored in rows]
    return found[:MOST]


@cache
def _tables() -> Sequence[Table]:
    """All tables, which SQLAlchemy sorts anew each time that it is asked."""
    return SQLModel.metadata.sorted_tables


def _unfit_rows(connection: Connection, table: Table, since: str) -> list[int]:
    whole = " AND ".join(_fits(column) for column in table.columns)
    query = f"SELECT {PLACE} FROM {table.name} WHERE {since} NOT ({whole}) LIMIT {MOST}"
    rows = [int(row) for (row,) in fetch(connection, query)]
    texts = [_quoted(column) for column in table.columns if _is_text(column)]
    if not texts:
        return rows
    beyond_ascii = " OR ".join(f"{text} GLOB '*[^ -~]*'" for text in texts)
    stored = ", ".join(f"CAST({text} AS BLOB)" for text in texts)
    query = f"SELECT {PLACE}, {stored} FROM {table.name} WHERE {since} ({beyond_ascii})"
    for row, *values in each(connection, query):
        if len(rows) < MOST and row not in rows and not all(_is_utf8(value) for value in values):
            rows.append(int(row))
    return rows


def _unfit_values(connection: Connection, table: Table, row: int) -> list[str]:
    keys = " || '.' || ".join(f"CAST({_quoted(key)} AS BLOB)" for key in table.primary_key)
    found: list[str] = []
    for column in table.columns:
        stored = connection.exec_driver_sql(
            f"SELECT {_fits(column)}, typeof({_quoted(column)}), CAST({_quoted(column)} AS BLOB),"
            f" CAST({keys} AS BLOB) FROM {table.name} WHERE {PLACE} = ?",
            (row,),
        ).one()
        fits, kind, value, key = stored
        if not fits or (kind == "text" and not _is_utf8(value)):
            name = (key or b"").decode("utf-8", "backslashreplace")
            given = "empty" if value is None else f"'{value[:40].decode('utf-8', 'backslashreplace')}'"
            found.append(f"{table.name} {name}: {column.name} is {given}")
    return found


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(column: Column[Any]) -> bool:
    return not isinstance(column.type, Boolean | Integer)


def _quoted(column: Column[Any]) -> str:
    return f'"{column.name}"'


@cache
def _fits(column: Column[Any]) -> str:
    """The condition in SQL that a stored value can be read; it is never NULL."""
    name = _quoted(column)
    match column.type:
        case Boolean():
            fits = f"{name} IN (0, 1)"
        case Integer():
            fits = f"typeof({name}) = 'integer'"
        case UtcDateTime():
            day, clock = f"substr({name}, 1, 10)", f"substr({name}, 12, 8)"
            digits = "[0-9]" * 6
            fits = (
                f"{name} GLOB '????-??-?? ??:??:??.{digits}' AND date({day}, '+0 days') = {day}"
                f" AND time({clock}, '+0 days') = {clock}"
            )
        case Date():
            fits = f"date({name}, '+0 days') = {name}"
        case JSON():
            fits = is_json(name)
        case _:
            words = WORDS.get((column.table.name, column.name))
            known = ", ".join(f"'{word.value}'" for word in words[0]) if words else ""
            fits = f"typeof({name}) = 'text'" + (f" AND {name} IN ({known})" if known else "")
    return f"({name} IS NULL OR coalesce({fits}, 0))" if column.nullable else f"coalesce({fits}, 0)"
