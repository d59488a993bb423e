# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The table of alerts: what the trader was told, once a kind and day, and what the trader did about it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none


class AlertRecord(TableRow, table=True):
    """An alert of a day, with the positions it names as they were then.

    It is put off until `later`, and done with from `done_at` on.
    """

    __tablename__ = "alert"
    kind: str = Field(primary_key=True)
    trading_date: date = Field(primary_key=True)
    at: datetime = moment()
    positions: list[dict[str, Any]] = Field(sa_type=JSON)
    later: datetime | None = moment_or_none()
    done_at: datetime | None = moment_or_none()
    done_by: str = ""
