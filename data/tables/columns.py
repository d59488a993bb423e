"""Kinds of columns that all tables are made of, and the typed way to a table."""

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Dialect, Table, TypeDecorator
from sqlalchemy.ext.declarative import DeferredReflection
from sqlmodel import Field, SQLModel


class TableRow(DeferredReflection, SQLModel):
    """What every table is made from.

    Nothing that stores rows validates by pydantic, so its validators are made when one is first asked for;
    nor does anything go by SQLAlchemy's ORM, so that no class is mapped.
    """

    model_config = {"defer_build": True}


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
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


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


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model, typed."""
    return cast(Table, cast(Any, model).__table__)
