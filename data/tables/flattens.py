# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of flattens and conversions: what was to be done with positions, and what came of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise, where


class FlattenRecord(TableRow, table=True):
    """One flatten, carried out by one engine at a time.

    `passes` are the halts that stood when it was confirmed, `halt_file` the stamp of the HALT file then,
    empty where there was none: any other halt stops it. `stopped_by` names who ended it early.
    """

    __tablename__ = "flatten"
    number: int = numbered()
    scope: str
    value: str = ""
    what: str
    by: str
    at: datetime = moment()
    trading_date: date
    instance_id: int = Field(sa_type=BigInteger)
    passes: list[int] = Field(sa_type=JSON)
    halt_file: str = ""
    state: str
    stopped_by: str = ""
    ended_at: datetime | None = moment_or_none()
    certificate: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)


class FlattenLine(TableRow, table=True):
    """A client's position that a flatten takes flat; of one only one flatten has a line that has not ended.

    `net_before` and `net` are the broker's, below zero where shares are owed; `net` was read at `read_at`.
    `order_id` is the order that was sent last.
    """

    __tablename__ = "flatten_line"
    flatten_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="flatten.number")
    client_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="client.id")
    security: str = Field(primary_key=True)
    product: str = Field(primary_key=True)
    exchange: str
    tradingsymbol: str
    state: str
    reason: str = ""
    detail: str = ""
    net_before: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    net: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    read_at: datetime | None = moment_or_none()
    order_id: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    ended_at: datetime | None = moment_or_none()

    __table_args__ = (
        Index(
            "flatten_lines_going",
            "client_id",
            "security",
            "product",
            unique=True,
            **where("ended_at IS NULL"),
        ),
    )


class ConversionRecord(TableRow, table=True):
    """Shares of a client that are to go on in another product; written before the broker is asked.

    `loan_paise` is what the broker had lent on them, which the client repays. `market_at` is the market's
    time at `asked_at`.
    """

    __tablename__ = "conversion"
    number: int = numbered()
    client_id: int = Field(sa_type=BigInteger, foreign_key="client.id")
    security: str
    exchange: str
    tradingsymbol: str
    from_product: str
    to_product: str
    quantity: int = Field(sa_type=BigInteger)
    loan_paise: int = paise()
    state: str
    detail: str = ""
    by: str
    trading_date: date
    instance_id: int = Field(sa_type=BigInteger)
    asked_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()
    market_at: datetime | None = moment_or_none()

    __table_args__ = (Index("conversions_of_client", "client_id", "security"),)
