# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of limits before the order, and of the lists of shares that they name. Both are append-only."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, numbered


class LimitRecord(TableRow, table=True):
    """A limit as it was set, or with neither strength nor figure taken away; the newest of a place counts.

    `whose` is a client's number or a group's name, `list_name` the list of shares that a limit is of.
    """

    __tablename__ = "order_limit"
    number: int = numbered()
    scope: str
    whose: str
    kind: str
    list_name: str
    strength: str
    figure: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    removed: bool
    by: str
    at: datetime = moment()


class ShareListRecord(TableRow, table=True):
    """A list of shares as it was imported, or with `removed` taken away; the newest of a name counts.

    `shares` are rows of symbol, ISIN where it was told, and what the list says of the share.
    """

    __tablename__ = "share_list"
    number: int = numbered()
    name: str
    as_of: date
    file: str
    shares: list[list[Any]] = Field(sa_type=JSON)
    removed: bool
    by: str
    at: datetime = moment()
