"""Kinds of columns that all tables are made of, and the typed way to a table."""

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Dialect, Table, TypeDecorator, text
from sqlalchemy.ext.declarative import DeferredReflection
from sqlmodel import Field, SQLModel


class TableRow(DeferredReflection, SQLModel):
    """What every table is made from.

    Nothing that stores rows validates by pydantic, so its validators are made when one is first asked for;
    nor does anything go by SQLAlchemy's ORM, so that no class is mapped.
    """

    model_config = {"defer_build": True}


def stored_moment(value: datetime | None) -> str | None:
    """A time as SQLite keeps it: UTC without a zone. Refuses naive times."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a naive time cannot be stored: {value!r}")
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:26]  # without the zone


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times on every database; SQLite keeps no zone of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def bind_processor(self, dialect: Dialect) -> Any:
        """What stores a time: at once the text that SQLAlchemy makes of it for SQLite by way of a dict.

        A session of PostgreSQL, whose zone is UTC, reads the same text, and proofs are made of it.
        """
        return stored_moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def paise(**options: Any) -> Any:
    """A money column: 64 bits, since 32 overflow above ₹2.1 crore on PostgreSQL."""
    options.setdefault("default", 0)
    return Field(sa_type=BigInteger, **options)


def paise_or_none() -> Any:
    """A money column that may be empty."""
    return Field(default=None, sa_type=BigInteger, nullable=True)


def moment(**options: Any) -> Any:
    """An aware UTC time column."""
    return Field(sa_type=cast(Any, UtcDateTime), **options)


def moment_or_none() -> Any:
    """An aware UTC time column that may be empty."""
    return Field(default=None, sa_type=cast(Any, UtcDateTime), nullable=True)


def numbered() -> Any:
    """A 64-bit primary key given out by `counter`."""
    return Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})


def where(condition: str) -> dict[str, Any]:
    """Options of an index of those rows alone that meet a condition, which is said in SQL."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model, typed."""
    return cast(Table, cast(Any, model).__table__)
