# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of the market: instruments, listings, lists, baskets, presets, halts, a simulated one's times."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise, paise_or_none


class WatchlistRecord(TableRow, table=True):
    """A trader's watchlist, under its name and in its place among theirs."""

    __tablename__ = "watchlist"
    trader: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    position: int


class WatchlistItem(TableRow, table=True):
    """One instrument on a trader's watchlist, in their order."""

    __tablename__ = "watchlist_item"
    trader: str = Field(primary_key=True)
    list_name: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    position: int


class WatchColumns(TableRow, table=True):
    """The columns that a trader has chosen for watchlists, by their words with blanks between."""

    __tablename__ = "watch_columns"
    trader: str = Field(primary_key=True)
    columns: str


class BasketRecord(TableRow, table=True):
    """A basket under the name that it was saved by; `per_client` says how a client's legs go together."""

    __tablename__ = "basket"
    name: str = Field(primary_key=True)
    per_client: str
    saved_by: str
    saved_at: datetime = moment()


class PresetRecord(TableRow, table=True):
    """A wish under the name that it was saved by; `body` is the intent as plans keep it."""

    __tablename__ = "preset"
    name: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=JSON)
    saved_by: str
    saved_at: datetime = moment()


class BasketLegRecord(TableRow, table=True):
    """What a saved basket does in one security, its legs numbered from 1; a sale as held has no `product`."""

    __tablename__ = "basket_leg"
    basket: str = Field(primary_key=True)
    leg: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str
    side: str
    product: str
    sizing: str
    sizing_value: int = Field(sa_type=BigInteger)
    order_type: str
    limit_paise: int | None = paise_or_none()
    trigger_paise: int | None = paise_or_none()


class InstrumentRecord(TableRow, table=True):
    """An instrument as last imported, under the name it has now.

    `security_id` is what its security was at first sight, its ISIN where one was told, else a broker's token;
    holdings, lots, postings and orders are keyed by it. `doubt` keeps it from being bought.
    """

    __tablename__ = "instrument"
    exchange: str = Field(primary_key=True)
    tradingsymbol: str = Field(primary_key=True)
    name: str
    tick_paise: int = paise()
    lot_size: int
    isin: str = Field(default="", index=True)
    segment: str
    series: str
    sector: str = ""
    mtf_margin_bps: int | None = None
    mis_margin_bps: int | None = None
    fno: bool = False
    band_bps: int
    trade_to_trade: bool = False
    prev_close_paise: int = paise()
    security_id: str = Field(default="", sa_column_kwargs={"server_default": ""})
    doubt: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ListingRecord(TableRow, table=True):
    """An instrument as a broker lists it: its token and its symbol there, its ISIN and series where told.

    `token` is none where it is not known, or names another security now.
    """

    __tablename__ = "listing"
    __table_args__ = (UniqueConstraint("broker", "token"),)
    broker: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    token: str | None = None
    symbol: str
    isin: str = Field(default="", sa_column_kwargs={"server_default": ""})
    series: str = Field(default="", sa_column_kwargs={"server_default": ""})


class FormerName(TableRow, table=True):
    """A symbol that a security had on an exchange, and the one that it has `now`."""

    __tablename__ = "former_name"
    security: str = Field(primary_key=True)
    exchange: str = Field(primary_key=True)
    tradingsymbol: str = Field(primary_key=True)
    now: str
    token: str
    at: datetime = moment()


class MarketOffset(TableRow, table=True):
    """How many microseconds a simulated market's time was ahead of the wall's from a moment on.

    A desk keeps one when it opens and one whenever the market has jumped.
    """

    __tablename__ = "market_offset"
    instance_id: int = Field(sa_type=BigInteger, primary_key=True)
    since: datetime = moment(primary_key=True)
    apart_us: int = Field(sa_type=BigInteger)


class MarketHaltRecord(TableRow, table=True):
    """A halt of the whole market: by the exchanges' breaker, as an index told, or as a trader typed it.

    `began_at`, `until` and `reopens_at` are of the market's clock: it is halted until `until`, then in its
    pre-open session until `reopens_at`, each None for the rest of the day. `move_bps` is the level of the
    breaker, 0 where none was named, `index_key` and `index_bps` the index and how far it had moved.
    `ended_at` is when a trader said that the market is open.
    """

    __tablename__ = "market_halt"
    number: int = numbered()
    trading_date: date = Field(index=True)
    began_at: datetime = moment()
    until: datetime | None = moment_or_none()
    reopens_at: datetime | None = moment_or_none()
    move_bps: int = 0
    index_key: str = ""
    index_bps: int | None = None
    reason: str = ""
    at: datetime = moment()
    by: str
    ended_at: datetime | None = moment_or_none()
    ended_by: str = ""
