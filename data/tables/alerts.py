# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The tables of alerts: what was told and done about it, rules, channels, and what these carry."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered


class AlertRecord(TableRow, table=True):
    """An alert of a day: one of a kind and a subject.

    `positions` are the positions or orders it names, `told` its figures, both as they were then. It is of
    `client_ids`, or of the whole desk where that is null. It is put off until `later`, and done with from
    `done_at` on.
    """

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("kind", "trading_date", "subject"),)
    number: int = numbered()
    kind: str
    trading_date: date
    subject: str = ""
    at: datetime = moment()
    positions: list[dict[str, Any]] = Field(sa_type=JSON)
    told: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    client_ids: list[int] | None = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    urgent: bool = False
    later: datetime | None = moment_or_none()
    done_at: datetime | None = moment_or_none()
    done_by: str = ""


class AlertRuleRecord(TableRow, table=True):
    """What the trader wants to be told of, as a line, and what has come of it.

    `held` are the clients of whom it was true when it last changed, 0 standing for the desk.
    """

    __tablename__ = "alert_rule"
    number: int = numbered()
    line: str
    by: str
    at: datetime = moment()
    state: str
    fired: int = Field(default=0, sa_type=BigInteger)
    fired_at: datetime | None = moment_or_none()
    held: list[int] = Field(default_factory=list, sa_type=JSON)


class AlertChannelRecord(TableRow, table=True):
    """A way by which alerts leave this machine; its address is a secret of the home's vault."""

    __tablename__ = "alert_channel"
    name: str = Field(primary_key=True)
    service: str
    by: str
    at: datetime = moment()


class AlertDeliveryRecord(TableRow, table=True):
    """An alert on its way to a channel: how often it was tried, when it is tried next, what went wrong."""

    __tablename__ = "alert_delivery"
    number: int = numbered()
    alert: int = Field(sa_type=BigInteger)
    channel: str
    state: str = Field(index=True)
    at: datetime = moment()
    tries: int = 0
    next_at: datetime = moment()
    sent_at: datetime | None = moment_or_none()
    problem: str = ""
