# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of what days have left to be looked at later: closes, risk, dispersion, flows, days of before.

`flow_class` is append-only by trigger: a flow is classed anew by a further row.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, numbered, paise, paise_or_none


class DailyClose(TableRow, table=True):
    """What an instrument closed at on a day, as it was told on `told_on`.

    Companies' actions with an ex-date up to `told_on` are in it, those of later are not; `source` says who
    told it.
    """

    __tablename__ = "daily_close"
    key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    close_paise: int = Field(sa_type=BigInteger)
    told_on: date
    source: str


class RiskDay(TableRow, table=True):
    """A client's risk figures at a day's close; client 0 is the desk.

    `held_pnl_paise` is what the positions of the close before brought by this one, against which the value at
    risk of that close is held. Empty is not known.
    """

    __tablename__ = "risk_day"
    client_id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    day: date = Field(primary_key=True)
    value_paise: int = paise()
    var95_paise: int | None = paise_or_none()
    var99_paise: int | None = paise_or_none()
    beta_bps: int | None = Field(default=None, sa_type=BigInteger)
    held_pnl_paise: int | None = paise_or_none()

    __table_args__ = (Index("risk_by_day", "day"),)


class DispersionDay(TableRow, table=True):
    """What a client's trades of a day's runs cost beside the runs' own averages, at the day's close.

    `notional_paise` is what it traded in them, `late_runs` in how many it was in the last third of those
    sent to.
    """

    __tablename__ = "dispersion_day"
    client_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="client.id")
    day: date = Field(primary_key=True)
    runs: int
    late_runs: int
    notional_paise: int = paise()
    dispersion_paise: int = paise()
    unfilled_paise: int = paise()
    slippage_paise: int = paise()

    __table_args__ = (Index("dispersion_by_day", "day"),)


class FlowClass(TableRow, table=True):
    """What a person says that a difference of a client's cash was; of several rows the newest stands."""

    __tablename__ = "flow_class"
    id: int = numbered()
    txn_id: int = Field(sa_type=BigInteger, foreign_key="txn.id", index=True)
    kind: str
    made_at: datetime = moment()
    made_by: str
    note: str = ""


class EarlierDay(TableRow, table=True):
    """A client's day before this desk kept its own, as a file or the demonstration tells it.

    `portfolio_paise` is at its close; `flow_paise` came in that day, or went out where it is below zero, and
    `net_pnl_paise` is what it brought. `source` names the file.
    """

    __tablename__ = "earlier_day"
    client_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="client.id")
    day: date = Field(primary_key=True)
    portfolio_paise: int = paise()
    flow_paise: int = paise()
    net_pnl_paise: int = paise()
    source: str
    imported_at: datetime = moment()
    imported_by: str


class EarlierTrade(TableRow, table=True):
    """A client's trade of a day before this desk kept its own, as a file or the demonstration tells it."""

    __tablename__ = "earlier_trade"
    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger, foreign_key="client.id")
    day: date
    key: str
    side: str
    product: str
    quantity: int = Field(sa_type=BigInteger)
    notional_paise: int = paise()
    charges_paise: int = paise()
    source: str
    imported_at: datetime = moment()
    imported_by: str

    __table_args__ = (Index("earlier_trades_by_client", "client_id", "day"),)


class TradebookTrade(TableRow, table=True):
    """A client's trade of before it came to this desk, as its broker's tradebook has it; the price in paise.

    The exchange's number tells it apart, so that files that overlap are taken once.
    """

    __tablename__ = "tradebook_trade"
    client_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="client.id")
    exchange: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    trade_id: str = Field(primary_key=True)
    order_id: str
    tradingsymbol: str
    isin: str
    side: str
    quantity: int = Field(sa_type=BigInteger)
    price_paise: int = paise()
    traded_at: datetime = moment()
    source: str
    imported_at: datetime = moment()
    imported_by: str
