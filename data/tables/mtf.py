# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of the margin trading facility: brokers' lists, accepted pledges, companies' actions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment
from data.vocabulary import DividendTo


class MtfList(TableRow, table=True):
    """The newest list of stocks that a broker lends on, of the day `as_of`, and the file it came from."""

    __tablename__ = "mtf_list"
    broker: str = Field(primary_key=True)
    as_of: date
    file: str
    imported_at: datetime = moment()
    imported_by: str


class MtfListing(TableRow, table=True):
    """A stock that a broker lends on, or did: `left_on` is the day of the first list without it."""

    __tablename__ = "mtf_listing"
    broker: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    margin_bps: int
    listed_on: date
    left_on: date | None = None


class MtfPledge(TableRow, table=True):
    """That a client accepted to pledge what it bought of a security on margin on a day, as somebody says."""

    __tablename__ = "mtf_pledge"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    security: str = Field(primary_key=True)
    bought_on: date = Field(primary_key=True)
    quantity: int = Field(sa_type=BigInteger)
    accepted_at: datetime = moment()
    accepted_by: str
    note: str


class CorporateActionRecord(TableRow, table=True):
    """What a company does with its shares, in the exchange's words, and the day it is traded without that.

    `becomes` is what the shares go on as: another instrument's key, or another ISIN. `allotted_on` is from
    when bonus shares count as held for the tax, empty for the ex-date; `paid_to` is where a dividend goes.
    """

    __tablename__ = "corporate_action"
    key: str = Field(primary_key=True)
    ex_date: date = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    kind: str
    file: str
    imported_at: datetime = moment()
    becomes: str = Field(default="", sa_column_kwargs={"server_default": ""})
    allotted_on: date | None = None
    paid_to: str = Field(default=DividendTo.BANK.value, sa_column_kwargs={"server_default": "bank"})


class ActionBooking(TableRow, table=True):
    """That a company's action was booked for a client, once: odd turns book it, even ones take it back.

    `entitled` are the shares that it was of, `shares` those that it made; `fraction` is the part of a share
    that is paid in cash, as `1/2`. `lots` tells which lots it made and of which, so that it can be undone.
    """

    __tablename__ = "action_booking"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    security: str = Field(primary_key=True)
    ex_date: date = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    turn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str
    kind: str
    entitled: int = Field(sa_type=BigInteger)
    shares: int = Field(sa_type=BigInteger)
    fraction: str = ""
    paise: int = Field(sa_type=BigInteger)
    becomes: str = ""
    opened_on: date
    lots: list[Any] = Field(sa_type=JSON)
    booked_at: datetime = moment()
    booked_by: str
    reason: str = ""

    __table_args__ = (Index("action_bookings_by_day", "ex_date"),)
