# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of rebalancing: model portfolios by version, and what later stages of a run have still to order."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from data.tables.columns import TableRow, moment, where

LEFT = "taken_by IS NULL"
"""What no later run took over, as the index says it."""


class ModelVersion(TableRow, table=True):
    """One version of a model portfolio: targets, rules and exceptions in `body`; the newest counts."""

    __tablename__ = "model_version"
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: dict[str, Any] = Field(sa_type=JSON)
    saved_by: str
    saved_at: datetime = moment()


class StagedLine(TableRow, table=True):
    """A line of a later stage of a run: what is reserved once its turn comes.

    `quantity` is what was confirmed for the day, `later` what waits for cash from the start. `model` is the
    one that it is of, empty for a plan of none. What came to nothing is left to the next plan of that model,
    whose run is `taken_by`.
    """

    __tablename__ = "staged_line"
    run_number: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="run.number")
    leg: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    client_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="client.id")
    model: str
    security: str
    quantity: int = Field(sa_type=BigInteger)
    later: int = Field(sa_type=BigInteger)
    trading_date: date
    state: str
    changed_at: datetime = moment()
    taken_by: int | None = Field(default=None, sa_type=BigInteger)

    __table_args__ = (
        Index("staged_lines_left", "model", **where(LEFT)),
        Index("staged_lines_by_state", "state", "client_id"),
    )
