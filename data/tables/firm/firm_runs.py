# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of runs over the clients of every desk: what is still to be reserved of each, in shards."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered


class FirmRunRecord(TableRow, table=True):
    """A run over all desks: the digest that was confirmed, and until when its shards may reserve.

    `shards_left` counts those that have not ended; with none left the run goes on.
    """

    __tablename__ = "firm_run"
    run_number: int = numbered()
    digest: str
    reserve_until: datetime = moment()
    shards_left: int


class FirmShardRecord(TableRow, table=True):
    """Some clients of such a run, of whom one job reserves: how many orders it has made, and why none."""

    __tablename__ = "firm_shard"
    run_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="run.number")
    shard: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    job_number: int = Field(sa_type=BigInteger)
    client_ids: list[int] = Field(sa_type=JSON)
    reserved: int = 0
    denied: int = 0
    problem: str = ""
    ended_at: datetime | None = moment_or_none()
