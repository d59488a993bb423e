# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The tables of lots: the shares of one purchase, and the round trips that sales made of them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise, where

LEFT = "quantity_left > 0"
"""What is left of a lot, as the index says it: a statement that says it so looks at no lot that is sold."""


class LotRecord(TableRow, table=True):
    """Shares bought together, so that a sale knows its cost. The `_left` columns shrink as it is sold.

    Shares that a conversion brought into their product keep the fill that bought them; `bought_as` is the lot
    that they were opened as, `arrived_at` the market's time as they came.
    """

    __tablename__ = "lot"

    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger)
    security: str
    product: str
    bucket: str
    opened_on: date
    quantity: int = Field(sa_type=BigInteger)
    cost_paise: int = paise()
    loan_paise: int = paise()
    charges_paise: int = paise()
    quantity_left: int = Field(sa_type=BigInteger)
    cost_left_paise: int = paise()
    loan_left_paise: int = paise()
    charges_left_paise: int = paise()
    fill_id: int | None = Field(default=None, sa_type=BigInteger)
    bought_as: int | None = Field(default=None, sa_type=BigInteger)
    arrived_at: datetime | None = moment_or_none()

    __table_args__ = (
        Index("lot_by_client", "client_id", "security", "product"),
        Index("lots_left", "client_id", **where(LEFT)),
        CheckConstraint("quantity_left >= 0 AND cost_left_paise >= 0 AND loan_left_paise >= 0"),
    )


class ClosedLotRecord(TableRow, table=True):
    """A lot, or part of one, that a fill sold: the round trip with its profit.

    `lot_charges_paise` and `loan_paise` are what the lot itself gave up of its charges and loan. A row of
    negative shares takes an earlier one of the same fill and lot back.
    """

    __tablename__ = "closed_lot"
    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger, index=True)
    security: str
    tradingsymbol: str
    product: str
    lot_id: int = Field(sa_type=BigInteger)
    fill_id: int = Field(sa_type=BigInteger)
    opened_on: date
    trading_date: date
    closed_at: datetime = moment()
    quantity: int = Field(sa_type=BigInteger)
    cost_paise: int = paise()
    proceeds_paise: int = paise()
    charges_paise: int = paise()
    lot_charges_paise: int = paise()
    loan_paise: int = paise()

    __table_args__ = (
        Index("closed_lots_by_day", "trading_date", "client_id"),
        Index("closed_lots_of_fill", "fill_id"),
    )
