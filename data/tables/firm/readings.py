# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The table of what workers read at brokers for desks that share their books."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, paise


class ClientReading(TableRow, table=True):
    """The last reading of a client's books: when it began, and what it says of ours.

    `theirs_paise` is the broker's free and blocked money, `ours_paise` what the books had of it then,
    `differences` of how many figures the two were not the same.
    """

    __tablename__ = "client_reading"
    client_id: int = Field(
        sa_type=BigInteger,
        primary_key=True,
        foreign_key="client.id",
        sa_column_kwargs={"autoincrement": False},
    )
    trading_date: date
    read_at: datetime = moment()
    says: str
    theirs_paise: int = paise()
    ours_paise: int = paise()
    differences: int
