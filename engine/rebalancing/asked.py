"""What is asked of models and rebalancing, as lines, options and forms have it typed."""

from pathlib import Path

from msgspec import Struct

from data.errors import BadInput
from data.money import bps_from_percent_text, paise_from_text
from data.records import replace
from data.vocabulary import ModelException, RebalanceTo
from engine.planning.intent import Selection
from engine.rebalancing.model import NO_WISH, ModelRules, Wish

NO_EXCEPTION = "none"
"""Takes an exception back."""


class RulesTyped(Struct, frozen=True):
    """A model's rules as they were typed, each None where it was left out."""

    band: str | None = None
    to: str | None = None
    min_trade: str | None = None
    max_cost: str | None = None
    cash: str | None = None
    avoid_short: bool | None = None
    losses_first: bool | None = None

    @property
    def values(self) -> dict[str, object]:
        """Those that were typed, by their names in `ModelRules`. Raises `BadInput`."""
        values = {
            "band_bps": None if self.band is None else bps_from_percent_text(self.band, "band"),
            "to": None if self.to is None else to_from(self.to),
            "least_paise": None if self.min_trade is None else paise_from_text(self.min_trade, "min trade"),
            "cost_bps": None if self.max_cost is None else bps_from_percent_text(self.max_cost, "max cost"),
            "cash_bps": None if self.cash is None else bps_from_percent_text(self.cash, "cash"),
            "avoid_short": self.avoid_short,
            "losses_first": self.losses_first,
        }
        return {name: value for name, value in values.items() if value is not None}

    def over(self, rules: ModelRules) -> ModelRules:
        """These in the place of those of before. Raises `BadInput`."""
        return replace(rules, **self.values)


def to_from(word: str) -> RebalanceTo:
    """How far what is outside its band is brought back. Raises `BadInput`."""
    try:
        return RebalanceTo(word.strip().lower())
    except ValueError:
        raise BadInput("to", word, f"give {' or '.join(RebalanceTo)}") from None


def exception_from(word: str) -> ModelException | None:
    """What a model does not do for a client in a stock; None takes that back. Raises `BadInput`."""
    told = word.strip().lower().replace("-", "_")
    if told == NO_EXCEPTION:
        return None
    try:
        return ModelException(told)
    except ValueError:
        raise BadInput("exception", word, "give keep, no-buy, no-sell or none") from None


def wish_from(raised: str | None, invest: bool) -> Wish:
    """Cash of each client raised, in rupees as typed, or what is idle invested. Raises `BadInput`."""
    paise = paise_from_text(raised, "raise") if raised is not None else 0
    if paise < 0 or (raised is not None and (not paise or invest)):
        raise BadInput("raise", raised, "give rupees above zero, or invest, not both")
    return Wish(paise, invest)


class RebalanceOf(Struct, frozen=True):
    """Clients that are to be brought to a model, and what is wanted beside its rules."""

    model: str
    selection: Selection = Selection()
    wish: Wish = NO_WISH


class ModelImport(Struct, frozen=True):
    """A file's targets as a model's newest version."""

    file: Path
    name: str


class ModelShown(Struct, frozen=True):
    """A model to be looked at."""

    name: str


class ModelRulesChange(Struct, frozen=True):
    """Other rules for a model; without any its form."""

    name: str
    rules: RulesTyped | None = None


class ModelExceptionChange(Struct, frozen=True):
    """What a model does not do for a client in a stock, None for nothing."""

    name: str
    client_id: int
    key: str
    does: ModelException | None


class ModelRetired(Struct, frozen=True):
    """A model that is to be used no more."""

    name: str


ModelAsked = ModelImport | ModelShown | ModelRulesChange | ModelExceptionChange | ModelRetired
"""What may be asked of one model."""


class AskedRebalance(Struct, frozen=True):
    """Clients to be brought to a model: a plan of it, to be answered."""

    of: RebalanceOf


class AskedModels(Struct, frozen=True):
    """Something of a model; without it all of them."""

    asked: ModelAsked | None = None


AskedOfModels = AskedRebalance | AskedModels
