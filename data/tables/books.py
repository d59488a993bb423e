# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of clients, money and shares. Money is integer paise, times are aware UTC, words are `StrEnum`s.

Balances (`funds`, `holding`) are caches of postings, kept in the same transaction and re-derived by
`tradedesk doctor`. `txn`, `posting` and `share_posting` are append-only by trigger.
"""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, text, true
from sqlmodel import Field

from data.money import BPS
from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise


class Meta(TableRow, table=True):
    """Facts of the whole home, by name."""

    name: str = Field(primary_key=True)
    value: str


class Counter(TableRow, table=True):
    """The next free number of each kind of id."""

    name: str = Field(primary_key=True)
    next: int = Field(default=1, sa_type=BigInteger)


class Instance(TableRow, table=True):
    """One engine that has opened this database. Its held file lock, not its heartbeat, says it lives."""

    id: int = numbered()
    kind: str
    pid: int
    process_started: str
    heartbeat_at: datetime = moment()
    started_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()


class ConnectionRecord(TableRow, table=True):
    """A way to a venue that a home's clients trade by.

    `broker` is the word of its adapter, `address` where it leads, empty for a file of the home itself, and
    `identity` what the venue is known again by, empty where it has nothing of the kind.
    """

    __tablename__ = "connection"
    name: str = Field(primary_key=True)
    kind: str
    broker: str
    address: str
    identity: str


class Client(TableRow, table=True):
    """Whose money it is: one broker account, one code, one route.

    `broker` says whose rules and charges apply, `connection` who carries it, empty where none does. One that
    is not `discretionary` is traded for on its own instruction alone; `multiplier_bps` is by how much what is
    sized alike for many is larger or smaller for it. Nothing is sent for one while it is paused: from
    `paused_at` until the market's time of `paused_until`, which is empty where the pause has no end.
    """

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
    connection: str = Field(default="", sa_column_kwargs={"server_default": ""})
    discretionary: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    multiplier_bps: int = Field(default=BPS, sa_column_kwargs={"server_default": text(str(BPS))})
    pause_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    paused_at: datetime | None = moment_or_none()
    paused_until: datetime | None = moment_or_none()

    __table_args__ = (
        UniqueConstraint("broker", "broker_user_id"),
        CheckConstraint("capital_paise >= 0"),
    )


class Instruction(TableRow, table=True):
    """What a client's latest instruction was named when something was planned for it, and when that was."""

    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    ref: str
    at: datetime = moment()


class ClientGroup(TableRow, table=True):
    """Membership of a client in a group the trader named."""

    __tablename__ = "client_group"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    name: str = Field(primary_key=True)


class GroupRule(TableRow, table=True):
    """A group of whoever the rule is true of, such as `capital > 5L and broker = zerodha`."""

    __tablename__ = "group_rule"
    name: str = Field(primary_key=True)
    rule: str
    made_by: str
    made_at: datetime = moment()


class ColumnMap(TableRow, table=True):
    """Which column of a trader's own file is what: asked once for files of a kind with these headers.

    `columns` has the header, or `=` and a fixed value, by the field that it fills.
    """

    __tablename__ = "column_map"
    kind: str = Field(primary_key=True)
    headers: str = Field(primary_key=True)
    columns: dict[str, str] = Field(sa_type=JSON)
    made_by: str
    made_at: datetime = moment()
    name: str = Field(default="", sa_column_kwargs={"server_default": ""})


class SizingBase(TableRow, table=True):
    """A client's capital as frozen for one trading day."""

    __tablename__ = "sizing_base"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    trading_date: date = Field(primary_key=True)
    capital_paise: int = paise()
    source: str


class Funds(TableRow, table=True):
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
    dividends_due_paise: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )

    __table_args__ = (
        CheckConstraint("available_paise >= 0", name="available_not_negative"),
        CheckConstraint("blocked_paise >= 0", name="blocked_not_negative"),
        CheckConstraint("mtf_loan_paise >= 0", name="loan_not_negative"),
        CheckConstraint("mtf_reserved_paise >= 0", name="loan_reserved_not_negative"),
        CheckConstraint("shortfall_paise >= 0", name="shortfall_not_negative"),
    )


class Hold(TableRow, table=True):
    """Money kept from trading without an order. A cancel-all never frees it."""

    id: int = numbered()
    client_id: int = Field(foreign_key="client.id", sa_type=BigInteger, index=True)
    kind: str
    amount_paise: int = paise()
    reason: str
    opened_at: datetime = moment()
    released_at: datetime | None = moment_or_none()


class Txn(TableRow, table=True):
    """One balanced transfer. `evidence` names the proof wherever money or shares were freed."""

    __table_args__ = (Index("txns_by_day", "trading_date", "client_id"),)
    id: int = numbered()
    client_id: int = Field(sa_type=BigInteger, index=True)
    kind: str
    order_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    evidence: str = ""
    trading_date: date
    at: datetime = moment()


class Posting(TableRow, table=True):
    """One line of a transfer; the lines of a transfer sum to zero."""

    txn_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="txn.id")
    line: int = Field(primary_key=True)
    client_id: int = Field(sa_type=BigInteger)
    account: str
    amount_paise: int = paise()
    order_id: int | None = Field(default=None, sa_type=BigInteger)
    security: str = ""

    __table_args__ = (Index("posting_by_client", "client_id", "account"),)


class SharePosting(TableRow, table=True):
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


class HoldingRecord(TableRow, table=True):
    """A client's shares of one security and product by bucket: a cache of share postings."""

    __tablename__ = "holding"

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
    due: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})

    __table_args__ = (
        CheckConstraint("today >= 0 AND t1 >= 0 AND free >= 0 AND pledged >= 0", name="shares_not_negative"),
        CheckConstraint("blocked >= 0", name="shares_blocked_not_negative"),
    )


class Break(TableRow, table=True):
    """A difference between our figure and the broker's, open until both agree or the trader adopts theirs.

    `kind` is what differs; `ours` and `theirs` are paise for cash, else shares. Where rows of the broker's
    could not be read, `theirs` counts them and `detail` holds words.
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
    detail: str = Field(default="", sa_column_kwargs={"server_default": ""})


class UnbookedFact(TableRow, table=True):
    """What the broker or a call told and no booking took; open until its order is booked, or it is settled.

    `identity` says what it speaks of, `body` is all of it in words, `problem` what stood against booking it.
    """

    __tablename__ = "unbooked_fact"
    id: int = numbered()
    identity: str
    client_id: int | None = Field(
        default=None, sa_type=BigInteger, nullable=True, foreign_key="client.id", index=True
    )
    order_id: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    broker_order_id: str = ""
    body: str
    problem: str
    times: int = 1
    at: datetime = moment()
    last_at: datetime = moment()
    closed_at: datetime | None = moment_or_none()
    closed_how: str = ""


class TradingDay(TableRow, table=True):
    """A trading day whose books were opened; `opened_at` is empty where the audit does not say when."""

    __tablename__ = "trading_day"
    day: date = Field(primary_key=True)
    state: str
    opened_at: datetime | None = moment_or_none()


class DayOpen(TableRow, table=True):
    """That a client's figures were compared with the broker's at a day's opening, and what was adopted."""

    __tablename__ = "day_open"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    trading_date: date = Field(primary_key=True)
    at: datetime = moment()
    cash_difference_paise: int = paise()
    share_differences: int = 0


class Comparison(TableRow, table=True):
    """When a client's figures were last compared with the broker's, and by which engine."""

    __tablename__ = "comparison"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    instance_id: int = Field(sa_type=BigInteger)
    trading_date: date
    at: datetime = moment()


class ChangeRecord(TableRow, table=True):
    """That a commit of one engine changed something, for the others to read again; `seq` counts each one's.

    `desk` is the engine's number, 0 for those that have none; `ids` are numbers of the topic's kind.
    """

    __tablename__ = "change"

    desk: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    topic: str
    ids: list[int] = Field(sa_type=JSON)
    at: datetime = moment()


class AskedCommand(TableRow, table=True):
    """A command that an open app carries out for another process, under the random id it was asked with.

    `did` are the numbers of what it made, by kind; `owner` is who works under the id. One that is closed does
    nothing more. Times are kept as `data.writing.asked_before` writes them too.
    """

    __tablename__ = "asked_command"
    request_id: str = Field(primary_key=True)
    command: str
    actor: str
    owner: str
    did: dict[str, list[int]] = Field(sa_type=JSON)
    exit_code: int | None = None
    at: datetime = moment()
    ended_at: datetime | None = moment_or_none()
    closed_at: datetime | None = moment_or_none()


APPEND_ONLY = (
    "plan",
    "plan_leg",
    "txn",
    "posting",
    "share_posting",
    "fill",
    "audit",
    "route_probe",
    "gate_waiver",
    "consent",
    "consent_end",
    "halt_certificate",
    "proof_layout",
    "approval",
    "approval_rule",
    "order_limit",
    "share_list",
    "close_step",
    "client_day",
    "day_seal",
    "official_close",
    "day_correction",
    "flow_class",
    "action_booking",
)
"""Tables whose rows triggers keep from being changed or deleted."""
