"""The margin trading facility by broker: interest, pledges, when more money is called for; dated rows.

The rows stand in `seed/mtf.toml`. Interest is of a client's whole loan and runs on calendar days. Each day's
is rounded up to the paisa, so that an estimate is never short.
"""

import tomllib
from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, model_validator

from data.errors import BadInput
from data.money import ceil_div
from data.vocabulary import CorporateAction, InterestForm, MissedPledge, MtfLevel, MtfRuleKind

_SCALE = 10**12
"""Rates are integers of this denominator: a percentage with ten decimals stays exact."""

_DAYS_A_YEAR = 365

_DEFAULT_BROKER = "zerodha"
"""Whose rows the paper broker and unknown brokers go by."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Tier(_Model):
    above_rupees: Decimal
    percent: Decimal


class _Interest(_Model):
    form: InterestForm
    tiers: tuple[_Tier, ...] = ()
    slab_rupees: Decimal = Decimal(0)
    slab_fee_rupees: Decimal = Decimal(0)

    @model_validator(mode="after")
    def _is_whole(self) -> "_Interest":
        slabs = self.form is InterestForm.RUPEES_A_SLAB
        if slabs != (self.slab_rupees > 0) or slabs == bool(self.tiers):
            raise ValueError(f"{self.form.value} takes {'slab_rupees' if slabs else 'tiers'} alone")
        return self


class PledgeTerms(_Model):
    """When a broker asks a client to pledge what was bought on margin, and until when that day it waits.

    With a DDPI or a power of attorney the client need not accept where `ddpi_accepts`.
    """

    asked_at: time
    accept_by: time
    ddpi_accepts: bool
    missed: MissedPledge
    verified: bool


class SaleRule(_Model):
    """What a broker holds against a client on margin; `percent_bps` says how much of what `kind` names."""

    level: MtfLevel
    kind: MtfRuleKind
    percent: Decimal
    verified: bool
    source: str

    @property
    def percent_bps(self) -> int:
        """The percentage in basis points."""
        return int((self.percent * 100).to_integral_exact())


class MtfTerms(_Model):
    """A broker's terms from a day on, until a later row of the same broker."""

    broker: str
    effective_from: date
    source: str
    interest: _Interest
    pledge: PledgeTerms
    rules: tuple[SaleRule, ...]
    ends_before: tuple[CorporateAction, ...]
    left_list_days: int | None = None


class MtfTermsNotLoaded(BadInput):
    """No row covers the asked date."""


@cache
def _rows() -> tuple[MtfTerms, ...]:
    text = (files("data.reference.seed") / "mtf.toml").read_text(encoding="utf-8")
    return tuple(MtfTerms.model_validate(row) for row in tomllib.loads(text, parse_float=Decimal)["terms"])


@lru_cache(maxsize=256)
def mtf_terms(broker: str, on: date) -> MtfTerms:
    """A broker's terms on a day. Raises `MtfTermsNotLoaded` for a day before the first row."""
    rows = _rows()
    known = {row.broker for row in rows}
    of_broker = [row for row in rows if row.broker == (broker if broker in known else _DEFAULT_BROKER)]
    standing = [row for row in of_broker if row.effective_from <= on]
    if not standing:
        first = min(row.effective_from for row in of_broker)
        raise MtfTermsNotLoaded("date", on.isoformat(), f"MTF terms are known from {first:%d %b %Y}")
    return max(standing, key=lambda row: row.effective_from)


def interest_a_day(broker: str, on: date, loan_paise: int) -> int:
    """What a day of a loan costs at a broker, in paise, rounded up; never falls when the loan grows.

    A tier's percentage is of the part of the loan above its bound and up to the next one.
    Raises `BadInput` for a loan below zero.
    """
    if loan_paise < 0:
        raise BadInput("loan", loan_paise, "give paise of zero or more")
    interest = mtf_terms(broker, on).interest
    if interest.form is InterestForm.RUPEES_A_SLAB:
        return ceil_div(loan_paise, _paise(interest.slab_rupees)) * _paise(interest.slab_fee_rupees)
    a_year = interest.form is InterestForm.PERCENT_A_YEAR
    return ceil_div(_of_tiers(interest.tiers, loan_paise), _SCALE * (_DAYS_A_YEAR if a_year else 1))


def interest_between(broker: str, after: date, until: date, loan_paise: int) -> int:
    """What a loan costs that stood from one day's close to the opening of another, in paise.

    Each calendar day behind `after`, up to `until` itself, counts by the rate of that day.
    """
    days = (until - after).days
    return sum(interest_a_day(broker, after + timedelta(days=n), loan_paise) for n in range(1, days + 1))


def _of_tiers(tiers: Sequence[_Tier], loan_paise: int) -> int:
    """The sum over the tiers of their parts of a loan, each times its rate, over `_SCALE`."""
    ordered = sorted(tiers, key=lambda tier: tier.above_rupees)
    bounds = [_paise(tier.above_rupees) for tier in ordered]
    total = 0
    for place, tier in enumerate(ordered):
        top = bounds[place + 1] if place + 1 < len(bounds) else loan_paise
        total += max(0, min(loan_paise, top) - bounds[place]) * _fraction(tier.percent)
    return total


def _paise(rupees: Decimal) -> int:
    return int((rupees * 100).to_integral_exact())


def _fraction(percent: Decimal) -> int:
    return int((percent * _SCALE / 100).to_integral_exact())
