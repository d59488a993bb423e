# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of the day's close: its steps, each client's day, the seal, closing prices and dated corrections.

All are append-only by trigger: what is closed is never edited. A later revision of a day is rows of its own
with the next `rev`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, numbered, paise


class CloseStep(TableRow, table=True):
    """That a step of a day's close was done, so that one broken off goes on behind it.

    `detail` is what the steps behind it need of it, such as the clients that stay open or the files written.
    """

    __tablename__ = "close_step"
    day: date = Field(primary_key=True)
    rev: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    step: str = Field(primary_key=True)
    done_at: datetime = moment()
    done_by: str
    detail: dict[str, Any] = Field(sa_type=JSON)


class ClientDayRecord(TableRow, table=True):
    """A client's day as it was closed, in paise; `digest` is SHA-256 over all of it in a canonical form.

    `positions` are the shares held at the close, each with security, key, product, quantity, cost and its
    closing price. `earned_paise` is what of the day's flows people had classed as no capital by then: it is
    among dividends, charges and interest, and not among `flows_paise`.
    """

    __tablename__ = "client_day"
    day: date = Field(primary_key=True)
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    rev: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    opening_paise: int = paise()
    flows_paise: int = paise()
    gross_pnl_paise: int = paise()
    dividends_paise: int = paise()
    brokerage_paise: int = paise()
    stt_paise: int = paise()
    exchange_paise: int = paise()
    sebi_paise: int = paise()
    stamp_paise: int = paise()
    gst_paise: int = paise()
    dp_paise: int = paise()
    other_charges_paise: int = paise()
    interest_paise: int = paise()
    todays_pnl_paise: int = paise()
    realised_today_paise: int = paise()
    total_pnl_paise: int = paise()
    portfolio_value_paise: int = paise()
    cash_paise: int = paise()
    shares_paise: int = paise()
    loans_paise: int = paise()
    active_trades: int
    orders: int
    trades: int
    turnover_paise: int = paise()
    positions: list[Any] = Field(sa_type=JSON)
    digest: str
    earned_paise: int = paise()
    closed_at: datetime = moment()

    __table_args__ = (
        # It has what histories are made of: a row with its positions fills a page of its own.
        Index(
            *("client_days_by_client", "client_id", "day", "rev"),
            *("todays_pnl_paise", "portfolio_value_paise", "flows_paise", "earned_paise"),
        ),
    )


class DaySeal(TableRow, table=True):
    """That a day was sealed: SHA-256 over the seal before it and the digests of what the day consists of.

    `left_open` are the clients that were not closed with it, by number, and why each was not.
    """

    __tablename__ = "day_seal"
    day: date = Field(primary_key=True)
    rev: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seal: str
    before: str
    clients: int
    left_open: dict[str, Any] = Field(sa_type=JSON)
    sealed_at: datetime = moment()
    sealed_by: str


class OfficialClose(TableRow, table=True):
    """What a share closed at on a day, in paise, and where that is from; the highest `rev` is what counts."""

    __tablename__ = "official_close"
    day: date = Field(primary_key=True)
    key: str = Field(primary_key=True)
    rev: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    close_paise: int = paise()
    source: str
    at: datetime = moment()


class DayCorrection(TableRow, table=True):
    """What was found out of a closed day afterwards: a price, a note's charges, a late fact.

    `before` and `after` are paise, or shares where `kind` says so; `rev` is the revision of the day that
    counts it first.
    """

    __tablename__ = "day_correction"
    id: int = numbered()
    day: date
    client_id: int | None = Field(
        default=None, sa_type=BigInteger, nullable=True, foreign_key="client.id", index=True
    )
    kind: str
    subject: str = ""
    before: int = Field(sa_type=BigInteger)
    after: int = Field(sa_type=BigInteger)
    rev: int
    reason: str
    at: datetime = moment()
    by: str

    __table_args__ = (Index("corrections_by_day", "day", "client_id"),)
