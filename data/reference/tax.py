"""How a sale of listed shares is taxed: dated rows, by the day of the sale, and India's financial years."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from data.clock import EARLIEST, LATEST
from data.errors import BadInput
from data.reference.dated import DatedRow, RowT, row_on
from data.vocabulary import GainTerm

_YEAR = re.compile(r"(\d{4})-(\d{2})")


class FinancialYear(Struct, frozen=True, order=True):
    """The year from 1 April to 31 March, named by both: `2026-27`."""

    begins_in: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.begins_in, 4, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.begins_in + 1, 3, 31)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.begins_in}-{(self.begins_in + 1) % 100:02d}"


def year_of(day: date) -> FinancialYear:
    """The financial year of a day."""
    return FinancialYear(day.year if day.month >= 4 else day.year - 1)


def year_from_text(text: str) -> FinancialYear:
    """`2026-27` as a financial year. Raises `BadInput`."""
    found = _YEAR.fullmatch(text.strip())
    known = found is not None and EARLIEST.year <= int(found[1]) < LATEST.year
    if found is None or not known or int(found[2]) != (int(found[1]) + 1) % 100:
        raise BadInput("year", text, "give a financial year such as 2026-27")
    return FinancialYear(int(found[1]))


class GainRates(Struct, frozen=True):
    """The rates of a day's sales in basis points, and what of a year's long-term gains is free."""

    short_term_bps: int
    long_term_bps: int
    long_term_exempt_paise: int
    source: str


def gain_rates(sold_on: date) -> GainRates:
    """What gains of shares sold on a day are taxed at. Raises `BadInput` for a day before the rows."""
    row = _on(_tables().gains, sold_on)
    return GainRates(
        int(row.short_term_percent * 100),
        int(row.long_term_percent * 100),
        int(row.long_term_exempt_rupees * 100),
        row.source,
    )


def long_from(bought_on: date, sold_on: date) -> date:
    """The first day on which a sale of shares bought then is long-term, by the rows of the day of a sale.

    Raises `BadInput` for a day before the rows.
    """
    months = _on(_tables().holding, sold_on).long_term_beyond_months
    year, month = divmod(bought_on.year * 12 + bought_on.month - 1 + months, 12)
    last = _same_day(year, month + 1, bought_on.day)
    return date.fromordinal(last.toordinal() + 1)


def gain_term(bought_on: date, sold_on: date) -> GainTerm:
    """Whether shares out of a demat account were held for long. Raises `BadInput` as `long_from`."""
    return GainTerm.LONG_TERM if sold_on >= long_from(bought_on, sold_on) else GainTerm.SHORT_TERM


def stt_is_expense(term: GainTerm, sold_on: date) -> bool:
    """Whether securities transaction tax lessens a gain of this kind."""
    row = _on(_tables().expense, sold_on)
    return row.stt_of_speculation if term is GainTerm.SPECULATIVE else row.stt_of_capital_gains


def is_grandfathered(bought_on: date, sold_on: date) -> bool:
    """Whether shares may cost more than was paid for them: what they were worth when gains became taxed."""
    return bought_on < _on(_tables().grandfathered, sold_on).bought_before


def _same_day(year: int, month: int, day: int) -> date:
    """The day of this number in a month, or the month's last."""
    for number in range(day, 27, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    return date(year, month, day)


# --- the rows -----------------------------------------------------------------------------------------------


class _Holding(DatedRow):
    long_term_beyond_months: int


class _Gains(DatedRow):
    short_term_percent: Decimal
    long_term_percent: Decimal
    long_term_exempt_rupees: Decimal


class _Expense(DatedRow):
    stt_of_capital_gains: bool
    stt_of_speculation: bool


class _Grandfathered(DatedRow):
    bought_before: date


class _TaxTables(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    holding: tuple[_Holding, ...]
    gains: tuple[_Gains, ...]
    expense: tuple[_Expense, ...]
    grandfathered: tuple[_Grandfathered, ...]


@cache
def _tables() -> _TaxTables:
    text = (files("data.reference.seed") / "tax.toml").read_text(encoding="utf-8")
    return _TaxTables.model_validate(tomllib.loads(text, parse_float=Decimal))


def _on(rows: Sequence[RowT], on: date) -> RowT:
    return row_on(rows, on, "how sales are taxed is")
