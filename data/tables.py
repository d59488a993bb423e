# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The desk's tables. Money is integer paise in 64-bit columns, times are aware UTC, words are `StrEnum`s.

Balances (`funds`, `holding`) are caches of postings, kept in the same transaction and re-derived by
`tradedesk doctor`. `fill`, `txn`, `posting`, `share_posting` and `audit` are append-only by trigger.
"""

from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Index,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlmodel import Field, SQLModel


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


class Meta(SQLModel, table=True):
    """Facts about this database: installation, mode, reservation policy."""

    name: str = Field(primary_key=True)
    value: str


class Counter(SQLModel, table=True):
    """The next free number of each kind of id."""

    name: str = Field(primary_key=True)
    next: int = Field(default=1, sa_type=BigInteger)


class Instance(SQLModel, table=True):
    """One engine that has opened this database. Its held file lock, not its heartbeat, says it lives."""

    id: int = numbered()
    kind: str
    pid: int
    process_started: str
    heartbeat_at: datetime = moment()
    started_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()


class Client(SQLModel, table=True):
    """Whose money it is: one broker account, one code, one route."""

    id: int = numbered()
    code: str = Field(unique=True)
    name: str
    broker: str
    broker_user_id: str
    status: str
    status_reason: str = ""
    status_since: date | None = None
    session: str
    capital_paise: int = paise()
    phone: str = ""
    created_at: datetime = moment()
    updated_at: datetime = moment()

    __table_args__ = (
        UniqueConstraint("broker", "broker_user_id"),
        CheckConstraint("capital_paise >= 0"),
    )


class ClientGroup(SQLModel, table=True):
    """Membership of a client in a group the trader named."""

    __tablename__ = "client_group"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    name: str = Field(primary_key=True)


class SizingBase(SQLModel, table=True):
    """A client's capital as frozen for one trading day."""

    __tablename__ = "sizing_base"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    trading_date: date = Field(primary_key=True)
    capital_paise: int = paise()
    source: str


class Funds(SQLModel, table=True):
    """A client's balances, a cache of postings. `mtf_reserved_paise` is the loan open buys would draw."""

    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    available_paise: int = paise()
    blocked_paise: int = paise()
    unsettled_paise: int = paise()
    charges_due_paise: int = paise()
    mtf_limit_paise: int = paise()
    mtf_loan_paise: int = paise()
    mtf_reserved_paise: int = paise()
    shortfall_paise: int = paise()

    __table_args__ = (
        CheckConstraint("available_paise >= 0", name="available_not_negative"),
        CheckConstraint("blocked_paise >= 0", name="blocked_not_negative"),
        CheckConstraint("mtf_loan_paise >= 0", name="loan_not_negative"),
        CheckConstraint("mtf_reserved_paise >= 0", name="loan_reserved_not_negative"),
        CheckConstraint("shortfall_paise >= 0", name="shortfall_not_negative"),
    )


class Hold(SQLModel, table=True):
    """Money kept from trading without an order. A cancel-all never frees it."""

    id: int = numbered()
    client_id: int = Field(foreign_key="client.id", sa_type=BigInteger, index=True)
    kind: str
    amount_paise: int = paise()
    reason: str
    opened_at: datetime = moment()
    released_at: datetime | None = moment_or_none()


class Txn(SQLModel, table=True):
    """One balanced transfer. `evidence` names the proof wherever money or shares were freed."""

    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger, index=True)
    kind: str
    order_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    evidence: str = ""
    trading_date: date
    at: datetime = moment()


class Posting(SQLModel, table=True):
    """One line of a transfer; the lines of a transfer sum to zero."""

    txn_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="txn.id")
    line: int = Field(primary_key=True)
    client_id: int = Field(sa_type=BigInteger)
    account: str
    amount_paise: int = paise()
    order_id: int | None = Field(default=None, sa_type=BigInteger)
    security: str = ""

    __table_args__ = (Index("posting_by_client", "client_id", "account"),)


class SharePosting(SQLModel, table=True):
    """One line of a share transfer between buckets; the lines of a transfer sum to zero per security."""

    __tablename__ = "share_posting"
    txn_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="txn.id")
    line: int = Field(primary_key=True)
    client_id: int = Field(sa_type=BigInteger)
    security: str
    product: str
    bucket: str
    quantity: int = Field(sa_type=BigInteger)

    __table_args__ = (Index("share_posting_by_client", "client_id", "security"),)


class Holding(SQLModel, table=True):
    """A client's shares of one security and product by bucket: a cache of share postings."""

    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    security: str = Field(primary_key=True)
    product: str = Field(primary_key=True)
    exchange: str
    tradingsymbol: str
    today: int = Field(default=0, sa_type=BigInteger)
    t1: int = Field(default=0, sa_type=BigInteger)
    free: int = Field(default=0, sa_type=BigInteger)
    pledged: int = Field(default=0, sa_type=BigInteger)
    blocked: int = Field(default=0, sa_type=BigInteger)
    cost_paise: int = paise()

    __table_args__ = (
        CheckConstraint("today >= 0 AND t1 >= 0 AND free >= 0 AND pledged >= 0", name="shares_not_negative"),
        CheckConstraint("blocked >= 0", name="shares_blocked_not_negative"),
    )


class Lot(SQLModel, table=True):
    """Shares bought together, so that a sale knows its cost. The `_left` columns shrink as it is sold."""

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

    __table_args__ = (
        Index("lot_by_client", "client_id", "security", "product"),
        CheckConstraint("quantity_left >= 0 AND cost_left_paise >= 0 AND loan_left_paise >= 0"),
    )


class ClosedLot(SQLModel, table=True):
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


class PlanRecord(SQLModel, table=True):
    """A frozen plan: its number, its digest and the whole of it as JSON."""

    __tablename__ = "plan"
    number: int = numbered()
    digest: str = Field(unique=True)
    frozen_at: datetime = moment()
    expires_at: datetime = moment()
    actor: str
    title: str
    side: str
    key: str
    sizing: str
    sizing_value: int = Field(sa_type=BigInteger)
    body: dict[str, Any] = Field(sa_type=JSON)


class RunRecord(SQLModel, table=True):
    """A confirmed plan being carried out, exactly once."""

    __tablename__ = "run"
    number: int = numbered()
    plan_number: int = Field(sa_type=BigInteger, unique=True, foreign_key="plan.number")
    title: str
    status: str
    actor: str
    instance_id: int = Field(sa_type=BigInteger)
    skipped: int
    left_paise: int = paise()
    started_at: datetime = moment()
    finished_at: datetime | None = moment_or_none()


class Order(SQLModel, table=True):
    """One order of one client, from reservation to its end; `slice` numbers those of one part of a run.

    `asked_quantity` and `asked_reserve_paise` are what an open modify would make of it, so that the larger of
    both stays blocked; `told_at` is the broker's own stamp of its latest word that was booked.
    """

    __tablename__ = "orders"
    id: int = numbered()
    run_number: int = Field(sa_type=BigInteger, index=True, foreign_key="run.number")
    plan_number: int = Field(sa_type=BigInteger)
    client_id: int = Field(sa_type=BigInteger, foreign_key="client.id")
    slice: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    broker: str
    exchange: str
    tradingsymbol: str
    security: str
    side: str
    product: str
    order_type: str
    validity: str
    quantity: int = Field(sa_type=BigInteger)
    limit_paise: int | None = paise_or_none()
    trigger_paise: int | None = paise_or_none()
    reserve_price_paise: int = paise()
    asked_quantity: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    asked_reserve_paise: int | None = paise_or_none()
    protection_bps: int | None = None
    margin_bps: int
    policy: str
    state: str
    sub_status: str = ""
    reason_code: str = ""
    reason_text: str = ""
    flags: str = ""
    broker_order_id: str | None = None
    tag: str | None = Field(default=None, unique=True)
    attempts: int = 0
    filled_quantity: int = Field(default=0, sa_type=BigInteger)
    filled_notional_paise: int = paise()
    blocked_paise: int = paise()
    blocked_shares: int = Field(default=0, sa_type=BigInteger)
    mtf_reserved_paise: int = paise()
    own_paise: int = paise()
    charges_paise: int = paise()
    demat_sale: bool = False
    after_market: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    instance_id: int = Field(sa_type=BigInteger)
    trading_date: date
    created_at: datetime = moment()
    sent_at: datetime | None = moment_or_none()
    told_at: datetime | None = moment_or_none()
    updated_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()

    __table_args__ = (
        UniqueConstraint("run_number", "client_id", "product", "slice"),
        UniqueConstraint("client_id", "broker_order_id", "trading_date"),
        CheckConstraint("blocked_paise >= 0 AND blocked_shares >= 0", name="order_blocked_not_negative"),
        Index("orders_by_client_state", "client_id", "state"),
        Index("orders_by_state", "state"),
    )


class Attempt(SQLModel, table=True):
    """One try to send an order, committed with its tag before the first byte leaves."""

    order_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="orders.id")
    number: int = Field(primary_key=True)
    tag: str = Field(unique=True)
    instance_id: int = Field(sa_type=BigInteger)
    claimed_at: datetime = moment()
    deadline_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()
    outcome: str = ""
    detail: str = ""


class Request(SQLModel, table=True):
    """A modify or cancel beside an order, since a fill may arrive while it is open.

    A modify says what it asks for; empty values leave the order's as they are.
    """

    order_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="orders.id")
    number: int = Field(primary_key=True)
    kind: str
    state: str
    why: str
    quantity: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    limit_paise: int | None = paise_or_none()
    trigger_paise: int | None = paise_or_none()
    halt_number: int | None = Field(default=None, sa_type=BigInteger)
    instance_id: int = Field(default=0, sa_type=BigInteger)
    requested_at: datetime = moment()
    sent_at: datetime | None = moment_or_none()
    ended_at: datetime | None = moment_or_none()
    detail: str = ""


class Break(SQLModel, table=True):
    """A difference between our figure and the broker's, open until both agree or the trader adopts theirs.

    `kind` is what differs; `ours` and `theirs` are paise for cash, else shares.
    """

    __tablename__ = "account_break"
    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger, foreign_key="client.id", index=True)
    kind: str
    security: str = ""
    product: str = ""
    tradingsymbol: str = ""
    ours: int = Field(sa_type=BigInteger)
    theirs: int = Field(sa_type=BigInteger)
    trading_date: date
    opened_at: datetime = moment()
    closed_at: datetime | None = moment_or_none()
    closed_how: str = ""


class DayOpen(SQLModel, table=True):
    """That a client's figures were compared with the broker's at a day's opening, and what was adopted."""

    __tablename__ = "day_open"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    trading_date: date = Field(primary_key=True)
    at: datetime = moment()
    cash_difference_paise: int = paise()
    share_differences: int = 0


class Comparison(SQLModel, table=True):
    """When a client's figures were last compared with the broker's, and by which engine."""

    __tablename__ = "comparison"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    instance_id: int = Field(sa_type=BigInteger)
    trading_date: date
    at: datetime = moment()


class Fill(SQLModel, table=True):
    """One trade at the exchange, booked once."""

    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger)
    order_id: int = Field(sa_type=BigInteger, index=True, foreign_key="orders.id")
    exchange: str
    trading_date: date
    trade_id: str
    broker_order_id: str
    quantity: int = Field(sa_type=BigInteger)
    price_paise: int = paise()
    charges_paise: int = paise()
    traded_at: datetime = moment()
    booked_at: datetime = moment()

    __table_args__ = (
        UniqueConstraint("client_id", "exchange", "trading_date", "trade_id", "broker_order_id"),
    )


class Halt(SQLModel, table=True):
    """A halt, its scope, and the certificate of what was cancelled under it.

    `members` are the clients of a group as it was then; `before` is what stood when it was fired, so that a
    certificate can still be made after a crash.
    """

    number: int = numbered()
    scope: str
    value: str = ""
    at: datetime = moment()
    by: str
    resumed_at: datetime | None = moment_or_none()
    resumed_by: str = ""
    ended_at: datetime | None = moment_or_none()
    members: list[int] | None = Field(default=None, sa_type=JSON, nullable=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    certificate: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)


class Audit(SQLModel, table=True):
    """The audit chain: each row's hash covers its content and the hash before it."""

    seq: int = numbered()
    at: datetime = moment()
    actor: str
    action: str
    client_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    order_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    plan_number: int | None = Field(default=None, sa_type=BigInteger)
    run_number: int | None = Field(default=None, sa_type=BigInteger)
    details: str
    previous: str
    hash: str


class WatchlistItem(SQLModel, table=True):
    """One instrument on a named watchlist, in the trader's order."""

    __tablename__ = "watchlist_item"
    list_name: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    position: int


class InstrumentRecord(SQLModel, table=True):
    """An instrument as last imported; keyed by exchange and symbol since tokens are reused."""

    __tablename__ = "instrument"
    exchange: str = Field(primary_key=True)
    tradingsymbol: str = Field(primary_key=True)
    token: int = Field(sa_type=BigInteger)
    name: str
    tick_paise: int = paise()
    lot_size: int
    isin: str = ""
    segment: str
    series: str
    sector: str = ""
    mtf_margin_bps: int | None = None
    mis_margin_bps: int | None = None
    fno: bool = False
    band_bps: int
    trade_to_trade: bool = False
    prev_close_paise: int = paise()


APPEND_ONLY = ("plan", "txn", "posting", "share_posting", "fill", "audit", "gate_waiver")
"""Tables whose rows triggers keep from being changed or deleted."""


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model, typed."""
    return cast(Table, cast(Any, model).__table__)
