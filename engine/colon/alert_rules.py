"""What rules of alerts are made of: measures, what each counts in and is of, and conditions over them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from data.vocabulary import Measure, RuleState

DESK = 0
"""Stands for the whole desk where otherwise a client would."""


class MeasureUnit(StrEnum):
    """What a measure counts in, and in what its figures are kept."""

    PRICE = "price"
    """Paise."""
    MONEY = "money"
    """Paise; a typed percentage is basis points."""
    PERCENT = "percent"
    """Basis points."""
    COUNT = "count"
    TIME = "time"
    """Milliseconds."""
    YES = "yes"
    """It is so or not."""


class About(StrEnum):
    """What a measure is of."""

    SYMBOL = "symbol"
    SYMBOL_OR_CLIENTS = "symbol or clients"
    CLIENTS = "clients"
    """Each of them by itself."""
    TOGETHER = "clients together"
    SHARES = "clients' shares of a symbol"
    CONNECTION = "connection"
    DESK = "desk"


class MeasureForm(Struct, frozen=True):
    """What a measure counts in, what it is of, and what it is in words."""

    unit: MeasureUnit
    about: About
    says: str


FORMS: Mapping[Measure, MeasureForm] = {
    Measure.PRICE: MeasureForm(MeasureUnit.PRICE, About.SYMBOL, "SYMBOL price: the last price"),
    Measure.CHANGE: MeasureForm(MeasureUnit.PERCENT, About.SYMBOL, "SYMBOL change: % since the close before"),
    Measure.VOLUME: MeasureForm(MeasureUnit.COUNT, About.SYMBOL, "SYMBOL volume: shares traded today"),
    Measure.CIRCUIT: MeasureForm(
        MeasureUnit.YES, About.SYMBOL_OR_CLIENTS, "circuit touched: of a SYMBOL, or of what clients hold"
    ),
    Measure.PNL: MeasureForm(MeasureUnit.MONEY, About.TOGETHER, "net day P&L, in ₹ or % of the opening"),
    Measure.CASH: MeasureForm(MeasureUnit.MONEY, About.CLIENTS, "a client's available money"),
    Measure.PORTFOLIO: MeasureForm(MeasureUnit.MONEY, About.CLIENTS, "portfolio, in ₹ or % of the capital"),
    Measure.MTF: MeasureForm(MeasureUnit.PERCENT, About.CLIENTS, "% of the MTF limit used"),
    Measure.SHARES: MeasureForm(MeasureUnit.COUNT, About.SHARES, "SYMBOL shares: held by a client"),
    Measure.WEIGHT: MeasureForm(
        MeasureUnit.PERCENT, About.SHARES, "% of a client's portfolio in a SYMBOL, or in its largest"
    ),
    Measure.FEED: MeasureForm(MeasureUnit.TIME, About.DESK, "feed silent for, in seconds"),
    Measure.SESSION: MeasureForm(MeasureUnit.YES, About.CLIENTS, "a client's session has ended"),
    Measure.REJECTED: MeasureForm(MeasureUnit.COUNT, About.CLIENTS, "orders accepted, then rejected, today"),
    Measure.REJECTS: MeasureForm(MeasureUnit.PERCENT, About.TOGETHER, "% of the orders of 5 min rejected"),
    Measure.UNKNOWN: MeasureForm(MeasureUnit.COUNT, About.TOGETHER, "orders in doubt"),
    Measure.BREAKS: MeasureForm(MeasureUnit.COUNT, About.TOGETHER, "differences from the broker's books"),
    Measure.DRIFT: MeasureForm(MeasureUnit.PERCENT, About.DESK, "% a run's price has left its plan's"),
    Measure.LATENCY: MeasureForm(MeasureUnit.TIME, About.CONNECTION, "95 of 100 calls answered within"),
    Measure.ERRORS: MeasureForm(MeasureUnit.PERCENT, About.CONNECTION, "% of the calls of 5 min that failed"),
    Measure.HALTED: MeasureForm(MeasureUnit.YES, About.DESK, "the desk is halted"),
}
"""Every measure."""


class AlertCondition(Struct, frozen=True):
    """A measure of something against a figure, which is in what the measure counts in.

    `client_ids` is None for all of them. A `percent` of money is in basis points. A measure that is so or not
    is asked for being so. With `each` the clients are looked at one by one.
    """

    measure: Measure
    key: str = ""
    client_ids: tuple[int, ...] | None = None
    connection: str = ""
    above: bool = True
    limit: int = 1
    percent: bool = False
    each: bool = False
    whom: str = ""
    """The client words, as typed."""

    @property
    def is_of_clients(self) -> bool:
        """Whether it looks at figures of clients."""
        about = FORMS[self.measure].about
        if about is About.SYMBOL_OR_CLIENTS:
            return not self.key
        return about in (About.CLIENTS, About.TOGETHER, About.SHARES)

    @property
    def unit(self) -> MeasureUnit:
        """What its figure counts in."""
        return MeasureUnit.PERCENT if self.percent else FORMS[self.measure].unit

    def meets(self, value: int | None) -> bool:
        """Whether a figure of now is beyond the limit; what is not known is not."""
        return value is not None and (value >= self.limit if self.above else value <= self.limit)


class AlertReading(Struct, frozen=True):
    """A condition that came true as its alert keeps it, with the figure that came; None is not known."""

    measure: Measure
    key: str = ""
    whom: str = ""
    connection: str = ""
    above: bool = True
    limit: int = 1
    percent: bool = False
    value: int | None = None

    @property
    def unit(self) -> MeasureUnit:
        """What its figures count in."""
        return MeasureUnit.PERCENT if self.percent else FORMS[self.measure].unit


class AlertRule(Struct, frozen=True):
    """What is to be told: any of the parts, of which all conditions hold.

    `again_s` is the least time between two times, None of a rule that is for once. `line` is how it is typed.
    """

    parts: tuple[tuple[AlertCondition, ...], ...]
    line: str
    again_s: float | None = None
    note: str = ""

    def looks_at(self, scope: frozenset[int] | None) -> frozenset[int] | None:
        """The clients that it looks at, of those that may be seen (None for all); None for all there are."""
        found: set[int] = set()
        for one in self.conditions:
            if not one.is_of_clients:
                continue
            ids = scope if one.client_ids is None else frozenset(one.client_ids)
            if ids is None:
                return None
            found |= ids
        return frozenset(found)

    @property
    def conditions(self) -> tuple[AlertCondition, ...]:
        """All of them."""
        return tuple(one for part in self.parts for one in part)


Figures = Mapping[int, int | None]
"""What a condition reads: of each client, or of `DESK`."""


class AlertRuleView(Struct, frozen=True):
    """A rule as screens and commands see it; `problem` says why it waits for nothing, empty where it does.

    `readings` are what its conditions read now. It is of `client_ids`, None for all there are, none at all
    where it looks at no client.
    """

    number: int
    line: str
    by: str
    at: datetime
    state: RuleState
    fired: int
    fired_at: datetime | None
    rule: AlertRule | None = None
    problem: str = ""
    readings: Sequence[tuple[AlertCondition, Figures]] = ()
    client_ids: frozenset[int] | None = None
