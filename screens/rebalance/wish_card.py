"""The form of a rebalance: for whom, and cash that is raised or invested; Enter makes the plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from data.errors import BadInput
from data.vocabulary import Side
from engine.planning.intent import Selection
from engine.rebalancing.asked import RebalanceOf, wish_from
from engine.words.formats import typed
from engine.words.trading.rebalancing import wish_words
from screens.bulk.whom import NOBODY_YET, whom, whom_words
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from textual.widget import Widget

ROWS = 3

AS_IT_IS, RAISE, INVEST = "as it is", "raise", "invest idle"
"""What is to become of each client's cash, beside the model's own rules."""


class WishCard(FormCard[RebalanceOf]):
    """Returns whom to bring to the model, and how. Nothing is sent before the plan's own answer."""

    TITLE_WORDS = "A rebalance"

    def __init__(self, of: RebalanceOf, marked: Sequence[int]) -> None:
        """As it was asked for last; `marked` are the clients that were marked where it opens."""
        super().__init__()
        self._of, self._marked = of, tuple(marked)
        self._whom = NOBODY_YET
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """Whom, their cash, and what it asks for."""
        wish = self._of.wish
        cash = RAISE if wish.raise_paise else INVEST if wish.invest else AS_IT_IS
        with Horizontal(classes="row"):
            yield SteadyStatic("clients")
            yield ChoiceField([""], id="rebalance-clients")
            yield SteadyStatic("cash")
            yield ChoiceField([AS_IT_IS, RAISE, INVEST], cash, id="rebalance-cash")
            yield SteadyStatic("₹ each", classes="of-raise")
            yield SteadyInput(
                typed(wish.raise_paise or None),
                id="rebalance-raise",
                classes="of-raise",
                max_length=12,
                compact=True,
                select_on_focus=False,
            )
        yield SteadyStatic(classes="would")
        yield SteadyStatic("← → choose  Tab next  Enter makes the plan  Esc back", classes="keys -always")

    def title(self) -> str:
        """To which model."""
        return f"REBALANCE to {self._of.model}"

    def begin(self) -> None:
        """In whom it is for."""
        self._whom = whom(self.desk, Side.BUY, self._marked, (), self._of.selection)
        clients = self.query_one("#rebalance-clients", ChoiceField)
        clients.set_options(list(self._whom.options), self._whom.first)
        clients.focus()
        self.say()

    def _typed(self) -> RebalanceOf:
        """What the fields ask for. Raises `BadInput`."""
        chosen = self._whom.options.get(self.query_one("#rebalance-clients", ChoiceField).value)
        cash = self.query_one("#rebalance-cash", ChoiceField).value
        raised = self.query_one("#rebalance-raise", Input).value.strip() if cash == RAISE else None
        return RebalanceOf(self._of.model, chosen or Selection(), wish_from(raised, cash == INVEST))

    def wrong_words(self, problem: Exception) -> str:
        """Which field is wrong, and what it takes."""
        return f"{problem.field}: {problem.expected}" if isinstance(problem, BadInput) else str(problem)

    def comes_to(self) -> str:
        """How many clients, and what is wanted of their cash."""
        return " · ".join(filter(None, (self._whom_words()[0], wish_words(self._typed().wish))))

    def _whom_words(self) -> tuple[str, bool]:
        chosen = self.query_one("#rebalance-clients", ChoiceField).value
        return whom_words(self.desk, self._whom, chosen, None)

    def paint(self) -> None:
        """With the amount where cash is raised; a line about whom that warns is as loud as a wrong field."""
        raises = self.query_one("#rebalance-cash", ChoiceField).value == RAISE
        for part in self.query(".of-raise"):
            part.display = raises
        super().paint()
        if self._whom_words()[1]:
            self.query_one(self.SAYS).add_class("-problem")

    def entered(self, field: Widget) -> None:
        """Make the plan."""
        try:
            asked = self._typed()
        except BadInput as wrong:
            self.say(self.wrong_words(wrong))
        else:
            self.close(asked)
