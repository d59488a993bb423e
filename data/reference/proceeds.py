"""How much of what a sale of shares brings is usable the same day at each broker, dated.

The figures stand in `seed/proceeds.toml`.
"""

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from data.reference.dated import DatedRow, row_on

_DEFAULT_BROKER = "zerodha"
"""Whose figures the paper broker and unknown brokers use, as for charges."""


class _Credit(DatedRow):
    broker: str
    settled_percent: Decimal


class _ProceedsTables(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    credit: tuple[_Credit, ...]


@cache
def _tables() -> _ProceedsTables:
    text = (files("data.reference.seed") / "proceeds.toml").read_text(encoding="utf-8")
    return _ProceedsTables.model_validate(tomllib.loads(text, parse_float=Decimal))


@lru_cache(maxsize=64)
def credit_bps(on: date, broker: str) -> int:
    """How much of what settled shares are sold for is usable the same day. Raises `RatesNotLoaded`."""
    rows = _tables().credit
    known = broker if any(row.broker == broker for row in rows) else _DEFAULT_BROKER
    row = row_on([row for row in rows if row.broker == known], on, "what sales bring is")
    return int(row.settled_percent * 100)
