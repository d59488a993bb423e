"""Rows of tables that hold from one day to another, and which of them holds on a day."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from data.errors import BadInput


class RatesNotLoaded(BadInput):
    """No row of a table covers the asked date."""


class DatedRow(BaseModel):
    """A row that holds from a day on, up to another where that is known, and where it is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effective_from: date
    effective_to: date | None = None
    source: str

    def covers(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


RowT = TypeVar("RowT", bound=DatedRow)


def row_on(rows: Sequence[RowT], on: date, what: str) -> RowT:
    """The row that holds on a day. Raises `RatesNotLoaded`; `what` are words such as `rates are`."""
    for row in rows:
        if row.covers(on):
            return row
    first = min(row.effective_from for row in rows)
    raise RatesNotLoaded("date", on.isoformat(), f"{what} known from {first:%d %b %Y}")
