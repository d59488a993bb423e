"""A model portfolio: targets by sector and by stock within, by what rules it is kept, and exceptions."""

from datetime import datetime

from msgspec import Struct, convert, to_builtins

from data.errors import BadInput
from data.json_values import JsonObject
from data.money import BPS
from data.vocabulary import ModelException, RebalanceTo

MOST_STOCKS = 100
"""More stocks than that make more legs of both sides than a plan has."""

WHOLE = BPS * BPS
"""What a stock's target is a part of: basis points of a sector, that is basis points of the portfolio."""


class Target(Struct, frozen=True):
    """One stock's part: its sector's part of what is invested, and its own of the sector, in basis points.

    `security` is what the key named when the version was kept, empty in those that did not tell it.
    """

    key: str
    sector: str
    sector_bps: int
    within_bps: int
    security: str = ""

    @property
    def weight(self) -> int:
        """Its part of what is invested, of `WHOLE`."""
        return self.sector_bps * self.within_bps

    @property
    def weight_bps(self) -> int:
        """The same in basis points, rounded half up."""
        return (2 * self.weight + BPS) // (2 * BPS)


class ModelRules(Struct, frozen=True):
    """By what a model is kept.

    A sector, or a stock, further than `band_bps` of what is invested from its target is brought back. A
    trade is worth `least_paise` at least, and its charges, the depository's fee with them, are at most
    `cost_bps` of it. `cash_bps` of the portfolio stays in cash. `avoid_short` sells no shares of which the
    oldest would bring a short-term gain; `losses_first` takes a sector's sales from stocks that bring losses
    first.
    """

    band_bps: int = 300
    to: RebalanceTo = RebalanceTo.EDGE
    least_paise: int = 5_000_00
    cost_bps: int = 50
    cash_bps: int = 200
    avoid_short: bool = False
    losses_first: bool = False


class Wish(Struct, frozen=True):
    """What is wanted beside the model's own rules: so much cash raised, or what is idle invested."""

    raise_paise: int = 0
    invest: bool = False


NO_WISH = Wish()


class ClientException(Struct, frozen=True):
    """What a model does not do for one client in one stock."""

    client_id: int
    key: str
    does: ModelException


class Model(Struct, frozen=True):
    """One version of a model, who saved it and when. `retired` ones are kept for what was done by them."""

    name: str
    version: int
    targets: tuple[Target, ...]
    rules: ModelRules
    exceptions: tuple[ClientException, ...]
    saved_by: str
    saved_at: datetime
    retired: bool = False

    @property
    def title(self) -> str:
        """Its name and version, such as `Balanced v3`."""
        return f"{self.name} v{self.version}"

    @property
    def sectors(self) -> dict[str, int]:
        """The sectors with their targets in basis points, as they first stand."""
        return {target.sector: target.sector_bps for target in self.targets}


def check_rules(rules: ModelRules) -> None:
    """Refuse rules by which nothing could be kept. Raises `BadInput`."""
    for name, value, most in (
        ("band", rules.band_bps, BPS),
        ("cash", rules.cash_bps, BPS - 1),
        ("cost", rules.cost_bps, BPS),
    ):
        if not 0 <= value <= most:
            raise BadInput(name, f"{value / 100:g} %", f"give 0 to {most / 100:g} %")
    if rules.least_paise < 0:
        raise BadInput("min trade", rules.least_paise / 100, "give rupees, 0 or more")


class ModelBody(Struct, frozen=True):
    """A model's version as it is stored, without what its row tells."""

    targets: tuple[Target, ...]
    rules: ModelRules
    exceptions: tuple[ClientException, ...]
    retired: bool


def body_of(model: Model) -> JsonObject:
    """A model's version as JSON."""
    return to_builtins(ModelBody(model.targets, model.rules, model.exceptions, model.retired))


def model_of(name: str, version: int, body: JsonObject, saved_by: str, saved_at: datetime) -> Model:
    """The model of a stored version. Raises `ValidationError` for a body that is none."""
    told = convert(body, ModelBody)
    return Model(name, version, told.targets, told.rules, told.exceptions, saved_by, saved_at, told.retired)
