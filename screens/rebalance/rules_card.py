"""By what a model is kept: band, least trade, costs, cash, gains; Enter keeps it as the next version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from data.vocabulary import RebalanceTo
from engine.rebalancing.asked import RulesTyped
from engine.rebalancing.model import check_rules
from engine.words.formats import typed
from engine.words.trading.rebalancing import rules_words
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.rebalancing.model import Model, ModelRules

ROWS = 4

TAKE, AVOID = "taken", "avoided"
"""What becomes of sales that would bring a short-term gain."""

PRO_RATA, LOSSES = "pro rata", "losses first"
"""Of which stocks a sector's sales are."""


class RulesCard(FormCard[str]):
    """A model's rules as fields; returns the model's name once they are kept."""

    TITLE_WORDS = "A model's rules"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """The rules as they are, and what they would be in words."""
        rules = self._model.rules
        with Horizontal(classes="row"):
            yield SteadyStatic("band %")
            yield _field("band", f"{rules.band_bps / 100:g}")
            yield SteadyStatic("to")
            yield ChoiceField([one.value for one in RebalanceTo], rules.to.value, id="rule-to")
            yield SteadyStatic("min trade")
            yield _field("least", typed(rules.least_paise))
            yield SteadyStatic("costs ≤ %")
            yield _field("cost", f"{rules.cost_bps / 100:g}")
            yield SteadyStatic("cash %")
            yield _field("cash", f"{rules.cash_bps / 100:g}")
        with Horizontal(classes="row"):
            yield SteadyStatic("short-term gains")
            yield ChoiceField([TAKE, AVOID], AVOID if rules.avoid_short else TAKE, id="rule-short")
            yield SteadyStatic("sales of a sector")
            yield ChoiceField([PRO_RATA, LOSSES], LOSSES if rules.losses_first else PRO_RATA, id="rule-sales")
        yield SteadyStatic(classes="would")
        yield SteadyStatic(
            "Tab next  ← → choose  Enter keeps it as the next version  Esc back", classes="keys -always"
        )

    def title(self) -> str:
        """Of which model."""
        return f"RULES of {self._model.title}"

    def begin(self) -> None:
        """In the band."""
        self.query_one("#rule-band", Input).focus()
        self.say()

    def _typed(self) -> ModelRules:
        """The rules as they stand in the fields. Raises `BadInput`."""
        band, least, cost, cash = (
            self.query_one(f"#rule-{name}", Input).value.strip() for name in ("band", "least", "cost", "cash")
        )
        rules = RulesTyped(
            band,
            self.query_one("#rule-to", ChoiceField).value,
            least,
            cost,
            cash,
            self.query_one("#rule-short", ChoiceField).value == AVOID,
            self.query_one("#rule-sales", ChoiceField).value == LOSSES,
        ).over(self._model.rules)
        check_rules(rules)
        return rules

    def comes_to(self) -> str:
        """The rules in words."""
        return rules_words(self._typed())

    def entered(self, field: Widget) -> None:
        """Keep them."""
        self.keep(self._kept())

    async def _kept(self) -> None:
        made = await self.desk.models.set_rules(self._model.name, self._typed())
        self.shell.say(f"{made.title}: {rules_words(made.rules)}")
        self.close(made.name)


def _field(name: str, value: str) -> SteadyInput:
    return SteadyInput(value, id=f"rule-{name}", max_length=9, compact=True, select_on_focus=False)
