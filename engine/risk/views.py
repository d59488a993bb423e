"""Risk as screens and commands read it: money in paise, ratios in basis points, losses at risk positive."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from engine.risk.dispersion import Place, RunCost, RunPart


class Concentration(Struct, frozen=True):
    """The parts of a portfolio that its largest share, and its five largest, make up."""

    top_key: str = ""
    top_bps: int | None = None
    top_five_bps: int | None = None


class Breaches(Struct, frozen=True):
    """On how many closed days more was lost than had been at risk, of how many that can be compared."""

    days: int = 0
    at_95: int = 0
    at_99: int = 0


class ClientRisk(Struct, frozen=True):
    """A client's risk by its positions of now; `var95_paise` and the like are None where days are too few.

    `lacking` are the shares that have too few closes, by key.
    """

    client_id: int
    value_paise: int
    todays_pnl_paise: int
    unrealised_paise: int
    var95_paise: int | None
    var99_paise: int | None
    beta_bps: int | None
    concentration: Concentration
    breaches: Breaches
    lacking: tuple[str, ...] = ()


class RiskView(Struct, frozen=True):
    """The risk of some clients together, and of each.

    `days` are those whose moves the value at risk is of, from `first` to `last`; `left_out` the clients it
    does not count, since their shares have too few closes. `best` and `worst` are the clients whose day
    brought most and least. `index` is what beta is held against, `drawdown_paise` how far what days brought
    together stands under its highest.
    """

    day: date
    clients: tuple[ClientRisk, ...]
    total_value_paise: int
    todays_pnl_paise: int
    unrealised_paise: int
    profitable: int
    losing: int
    average_value_paise: int
    best: ClientRisk | None
    worst: ClientRisk | None
    var95_paise: int | None
    var99_paise: int | None
    beta_bps: int | None
    days: int
    first: date | None
    last: date | None
    index: str
    left_out: tuple[int, ...]
    concentration: Concentration
    breaches: Breaches
    drawdown_paise: int


class RunDispersion(Struct, frozen=True):
    """What a run's clients got beside each other, the costliest first.

    `total` is what they paid together beyond the price planned at and for what was not filled. `seed` and
    `start` are those of its rotation, None of a run that did not keep them; `places` stand in the order of
    sending. `final` says that the close of its day is known, so that unfilled parts count.
    """

    number: int
    title: str
    day: date
    parts: tuple[RunPart, ...]
    places: tuple[Place, ...]
    seed: int | None
    start: int | None
    slippage_paise: int
    notional_paise: int
    final: bool


class DispersionView(Struct, frozen=True):
    """A day's runs, and what runs have cost each client since the month began, the costliest first."""

    day: date
    since: date
    runs: tuple[RunDispersion, ...]
    month: tuple[RunCost, ...]

    @property
    def always_late(self) -> Sequence[RunCost]:
        """The clients that were among the last in every run of the month."""
        return [one for one in self.month if one.always_late]


class DayCosts(Struct, frozen=True):
    """What a day's runs cost each client beside their averages, and those of its month since `since`."""

    since: date
    of_day: tuple[RunCost, ...] = ()
    month: tuple[RunCost, ...] = ()
    """The costliest first."""
