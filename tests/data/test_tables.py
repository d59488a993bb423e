"""What every table must be, so that the same models run on PostgreSQL later."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, CheckConstraint, DateTime, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable
from sqlmodel import SQLModel

import data.tables.access  # noqa: F401 - with the other two below, every table
from data.clock import IST
from data.tables.books import Funds, HoldingRecord
from data.tables.columns import UtcDateTime, table
from data.tables.orders import Order

TABLES: list[Table] = list(SQLModel.metadata.tables.values())


def test_money_is_64_bits_wide_everywhere():
    paise = [c for one in TABLES for c in one.columns if c.name.endswith("_paise")]
    assert len(paise) > 30
    assert [f"{c.table.name}.{c.name}" for c in paise if not isinstance(c.type, BigInteger)] == []


def test_numbers_given_out_by_the_counter_are_never_given_out_by_the_database():
    for one in TABLES:
        for column in one.primary_key:
            if isinstance(column.type, BigInteger) and column.name in ("id", "number", "seq"):
                assert column.autoincrement is False, f"{one.name}.{column.name}"


@pytest.mark.parametrize("one", TABLES, ids=lambda one: one.name)
def test_every_table_can_be_made_on_postgresql(one):
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        assert "CREATE TABLE" in str(CreateTable(one).compile(dialect=dialect))


def test_balances_are_guarded_by_the_database():
    guards = {
        str(c.sqltext)
        for m in (Funds, HoldingRecord, Order)
        for c in table(m).constraints
        if isinstance(c, CheckConstraint)
    }
    for column in ("available_paise", "blocked_paise", "mtf_loan_paise", "shortfall_paise"):
        assert any(f"{column} >= 0" in guard for guard in guards), column


def test_times_are_aware_and_come_back_as_utc():
    kind, dialect = UtcDateTime(), sqlite.dialect()
    ist = datetime(2026, 11, 18, 9, 15, tzinfo=IST)
    stored = kind.process_bind_param(ist, dialect)
    assert stored == datetime(2026, 11, 18, 3, 45)  # noqa: DTZ001
    back = kind.process_result_value(stored, dialect)
    assert back is not None
    assert (back, back.tzinfo) == (ist, UTC)
    with pytest.raises(ValueError, match="naive"):
        kind.process_bind_param(datetime(2026, 11, 18), dialect)  # noqa: DTZ001
    assert kind.process_bind_param(None, dialect) is None


@pytest.mark.parametrize(
    "at", [datetime(2026, 11, 18, 9, 15, tzinfo=IST), datetime(2026, 1, 2, 3, 4, 5, 6, UTC)]
)
def test_a_time_is_stored_as_sqlalchemy_stores_it(at: datetime) -> None:
    dialect: Any = sqlite.dialect()
    stored: Any = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    by_sqlalchemy: Any = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert stored(at) == by_sqlalchemy(at.astimezone(UTC).replace(tzinfo=None))
    with pytest.raises(ValueError, match="naive"):
        stored(at.replace(tzinfo=None))
