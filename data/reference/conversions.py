"""Until when a broker converts positions: dated rows of a table."""

import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from data.clock import IST
from data.vocabulary import Product

INTRADAY_END = "intraday_end"
"""As long as intraday positions stand, instead of a time of day."""


class _CutOff(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: str = ""
    from_product: Product = Field(alias="from")
    to_product: Product = Field(alias="to")
    effective_from: date
    effective_to: date | None = None
    until: str
    source: str


@cache
def _cut_offs() -> tuple[_CutOff, ...]:
    text = (files("data.reference.seed") / "conversions.toml").read_text(encoding="utf-8")
    return tuple(_CutOff.model_validate(row) for row in tomllib.loads(text)["cut_off"])


def conversion_until(
    broker: str, products: tuple[Product, Product], on: date, intraday_end: datetime | None
) -> datetime | None:
    """Until when a broker converts from one product to another on a day; None where no row says so.

    `intraday_end` is when it squares intraday positions off.
    """
    found = [
        row
        for row in _cut_offs()
        if (row.from_product, row.to_product) == products
        and row.broker in ("", broker)
        and row.effective_from <= on
        and (row.effective_to is None or on <= row.effective_to)
    ]
    if not found:
        return None
    row = max(found, key=lambda one: (one.broker == broker, one.effective_from))
    if row.until == INTRADAY_END:
        return intraday_end
    return datetime.combine(on, time.fromisoformat(row.until), IST).astimezone(UTC)
