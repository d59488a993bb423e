# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of plans, runs, orders with what was tried and asked for, their fills, and halts.

`plan`, `plan_leg`, `fill` and `halt_certificate` are append-only by trigger.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, false
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise, paise_or_none


class PlanRecord(TableRow, table=True):
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


class PlanLeg(TableRow, table=True):
    """What a plan does in one security, its legs numbered from 1; `product` is empty for a sale as held.

    Legs of one `stage` are reserved together. A last price further than `drift_limit_bps` from the plan's
    stops what waits of a leg; empty is no such limit.
    """

    __tablename__ = "plan_leg"
    plan_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="plan.number")
    leg: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stage: int
    key: str
    security: str
    side: str
    product: str
    sizing: str
    sizing_value: int = Field(sa_type=BigInteger)
    order_type: str
    limit_paise: int | None = paise_or_none()
    trigger_paise: int | None = paise_or_none()
    reserve_price_paise: int = Field(sa_type=BigInteger)
    drift_limit_bps: int | None = None


class RunRecord(TableRow, table=True):
    """A confirmed plan being carried out, exactly once.

    Its unsent orders may leave while they are no older than `send_within_s` since `confirmed_at` and the last
    price is within `drift_limit_bps` of `priced_paise`, None for any price; both begin anew when the trader
    goes on with it. The `paused` figures are those of its last pause: why, when, how old it was and at which
    last price.
    `phase` is that of its first leg's market as it was confirmed, empty where it waits for a session, and
    the circuits are that instrument's band then. `held` says why what waits of that leg is kept back for its
    market's sake, empty where it is not; `held_phase` is the phase that was found, `goes_on_at` its end.
    `rotation_seed` drew with which of its lines, by client's code, it began; `rotation_start` is that one's
    number, from 0. Both are empty on runs of versions that did not keep it.
    `left_paise` is what rounding left of its allocations, `cut_paise` what lines cut by hand did. `staged`
    are the lines of later stages that are still to be reserved.
    """

    __tablename__ = "run"
    __table_args__ = (Index("runs_by_start", "started_at"),)
    number: int = numbered()
    plan_number: int = Field(sa_type=BigInteger, unique=True, foreign_key="plan.number")
    title: str
    status: str
    actor: str
    instance_id: int = Field(sa_type=BigInteger)
    skipped: int
    left_paise: int = paise()
    cut_paise: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    send_within_s: int = Field(default=60, sa_column_kwargs={"server_default": "60"})
    drift_limit_bps: int | None = Field(default=50, sa_column_kwargs={"server_default": "50"})
    priced_paise: int | None = paise_or_none()
    priced_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    confirmed_at: datetime | None = moment_or_none()
    pause_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    paused_at: datetime | None = moment_or_none()
    paused_age_s: int | None = None
    paused_price_paise: int | None = paise_or_none()
    phase: str = Field(default="", sa_column_kwargs={"server_default": ""})
    lower_circuit_paise: int | None = paise_or_none()
    upper_circuit_paise: int | None = paise_or_none()
    held: str = Field(default="", sa_column_kwargs={"server_default": ""})
    held_phase: str = Field(default="", sa_column_kwargs={"server_default": ""})
    goes_on_at: datetime | None = moment_or_none()
    staged: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    rotation_seed: int | None = Field(default=None, sa_type=BigInteger)
    rotation_start: int | None = None
    started_at: datetime = moment()
    finished_at: datetime | None = moment_or_none()


class RunLeg(TableRow, table=True):
    """What the conditions of a run are for a leg behind its first, whose figures the run itself has."""

    __tablename__ = "run_leg"
    run_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="run.number")
    leg: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    drift_limit_bps: int | None = None
    priced_paise: int | None = paise_or_none()
    priced_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    phase: str = Field(default="", sa_column_kwargs={"server_default": ""})
    lower_circuit_paise: int | None = paise_or_none()
    upper_circuit_paise: int | None = paise_or_none()
    held: str = Field(default="", sa_column_kwargs={"server_default": ""})
    held_phase: str = Field(default="", sa_column_kwargs={"server_default": ""})
    goes_on_at: datetime | None = moment_or_none()


class Order(TableRow, table=True):
    """One order of one client, from reservation to its end; `slice` numbers those of one leg of a run.

    One that this desk did not send has neither run nor plan, nor has one of a flatten. One that
    `closes_external` ends a position which the broker has and our books have not: it blocks nothing. Of its
    quantity the market sees `disclosed_quantity`, all of it where that is 0.

    `asked_quantity` and `asked_reserve_paise` are what an open modify would make of it, so that the larger of
    both stays blocked; `told_at` is the broker's own stamp of its latest word that was booked.
    """

    __tablename__ = "orders"
    id: int = numbered()
    run_number: int | None = Field(sa_type=BigInteger, index=True, nullable=True, foreign_key="run.number")
    plan_number: int | None = Field(sa_type=BigInteger, nullable=True)
    client_id: int = Field(sa_type=BigInteger, foreign_key="client.id")
    leg: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
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
    flatten_number: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    closes_external: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    disclosed_quantity: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    instance_id: int = Field(sa_type=BigInteger)
    trading_date: date
    created_at: datetime = moment()
    sent_at: datetime | None = moment_or_none()
    told_at: datetime | None = moment_or_none()
    updated_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()

    __table_args__ = (
        UniqueConstraint("run_number", "client_id", "leg", "product", "slice"),
        UniqueConstraint("client_id", "broker_order_id", "trading_date"),
        CheckConstraint("blocked_paise >= 0 AND blocked_shares >= 0", name="order_blocked_not_negative"),
        Index("orders_by_client_state", "client_id", "state"),
        Index("orders_by_state", "state"),
        Index("orders_by_day", "trading_date", "client_id"),
        Index("orders_by_broker_id", "broker_order_id"),
    )


class AttemptRecord(TableRow, table=True):
    """One try to send an order, committed with its tag before the first byte leaves.

    `epoch` is that of the client's lease under which it was written, 0 where clients are not shared out.
    """

    __tablename__ = "attempt"

    order_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="orders.id")
    number: int = Field(primary_key=True)
    tag: str = Field(unique=True)
    instance_id: int = Field(sa_type=BigInteger)
    epoch: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    claimed_at: datetime = moment()
    deadline_at: datetime = moment()
    ended_at: datetime | None = moment_or_none()
    outcome: str = ""
    detail: str = ""


class RequestRecord(TableRow, table=True):
    """A modify or cancel beside an order, since a fill may arrive while it is open.

    A modify says what it asks for; empty values leave the order's as they are. `epoch` is that of the
    client's lease as it was asked for, 0 where clients are not shared out.
    """

    __tablename__ = "request"

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
    epoch: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    requested_at: datetime = moment()
    sent_at: datetime | None = moment_or_none()
    ended_at: datetime | None = moment_or_none()
    detail: str = ""


class FillRecord(TableRow, table=True):
    """One trade at the exchange, booked once."""

    __tablename__ = "fill"

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
        Index("fills_by_day", "trading_date", "client_id"),
    )


class Halt(TableRow, table=True):
    """A halt and its scope; `ended_at` is when a certificate first said that nothing was live.

    `strength` says which orders may leave under it (`data.vocabulary.HaltStrength`); `members` are the
    clients of a group, or of a desk, as they were then; `before` is what stood when it was fired, so that a
    certificate can still be made after a crash. `home` is the id of the home that fired it, where several
    share the books.
    """

    number: int = numbered()
    scope: str
    value: str = ""
    at: datetime = moment()
    by: str
    resumed_at: datetime | None = moment_or_none()
    resumed_by: str = ""
    ended_at: datetime | None = moment_or_none()
    strength: str = Field(default="all", sa_column_kwargs={"server_default": "all"})
    members: list[int] | None = Field(default=None, sa_type=JSON, nullable=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    home: str = Field(default="", sa_column_kwargs={"server_default": ""})


class HaltDesk(TableRow, table=True):
    """A desk that had clients of a halt as it was fired: whom, and when it knew of the halt.

    `name` is how people know it; `knew_at` is None until it has said so.
    """

    __tablename__ = "halt_desk"
    halt_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="halt.number")
    instance_id: int = Field(sa_type=BigInteger, primary_key=True)
    name: str
    clients: list[int] = Field(sa_type=JSON)
    knew_at: datetime | None = moment_or_none()


class HaltCertificate(TableRow, table=True):
    """What was cancelled under a halt as one reading of the books showed it; a later one is a new version."""

    __tablename__ = "halt_certificate"
    halt_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="halt.number")
    version: int = Field(primary_key=True)
    made_at: datetime = moment()
    ended: bool
    body: dict[str, Any] = Field(sa_type=JSON)
