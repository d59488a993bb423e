# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The table of jobs: what is to be done, who has claimed it, and what came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered, where

OPEN = "ended_at IS NULL"


class JobRecord(TableRow, table=True):
    """A job. Its `key` stands once: whoever asks again under it finds this one.

    From `due_at` on it may be claimed; an engine that has claimed it (`claimed_by`) has it until
    `claimed_until`, as its attempt of this number. `result` is what it brought, `problem` why the last
    attempt failed.
    """

    __tablename__ = "job"
    __table_args__ = (Index("jobs_open", "due_at", **where(OPEN)),)
    number: int = numbered()
    kind: str
    key: str = Field(unique=True)
    args: dict[str, Any] = Field(sa_type=JSON)
    state: str
    attempts: int = 0
    asked_by: str
    asked_at: datetime = moment()
    due_at: datetime = moment()
    claimed_by: int = Field(default=0, sa_type=BigInteger)
    claimed_until: datetime | None = moment_or_none()
    ended_at: datetime | None = moment_or_none()
    result: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    problem: str = ""
