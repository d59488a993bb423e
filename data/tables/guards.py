# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of guards: a day's loss limit and target of a client, a group or the desk, and when one tripped."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, paise, paise_or_none, where


class GuardRecord(TableRow, table=True):
    """A guard of one set of positions; there is one of a scope and set, which is changed and taken away.

    A limit stands in basis points of the day's sizing base or in paise, and is empty where there is none.
    """

    __tablename__ = "guard"
    number: int = numbered()
    scope: str
    value: str = ""
    what: str
    action: str
    loss_bps: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    loss_paise: int | None = paise_or_none()
    target_bps: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    target_paise: int | None = paise_or_none()
    set_at: datetime = moment()
    set_by: str
    removed_at: datetime | None = moment_or_none()
    removed_by: str = ""

    __table_args__ = (UniqueConstraint("scope", "value", "what"),)


class GuardTripRecord(TableRow, table=True):
    """That a guard has tripped on a day, for the `nth` time; of one only one trip stands.

    `net_paise` is what its set had brought by then, against `limit_paise`; both are empty where that could
    not be seen. `halt_number` is the halt that came with it, `flatten_number` the flatten it began.
    """

    __tablename__ = "guard_trip"
    guard_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="guard.number")
    trading_date: date = Field(primary_key=True)
    nth: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str
    at: datetime = moment()
    instance_id: int = Field(sa_type=BigInteger)
    net_paise: int | None = paise_or_none()
    limit_paise: int | None = paise_or_none()
    base_paise: int = paise()
    flattens: bool = False
    halt_number: int = Field(sa_type=BigInteger)
    flatten_number: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    ended_at: datetime | None = moment_or_none()
    ended_by: str = ""

    __table_args__ = (
        Index("guard_trips_standing", "guard_number", unique=True, **where("ended_at IS NULL")),
    )
