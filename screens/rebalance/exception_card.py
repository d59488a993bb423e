"""What a model does not do for one client in one stock; Enter keeps it as the model's next version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal

from data.vocabulary import ModelException
from engine.rebalancing.asked import NO_EXCEPTION, exception_from
from engine.words.trading.rebalancing import EXCEPTION_WORDS
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.rebalancing.model import Model

ROWS = 3

OFFERED = (NO_EXCEPTION, *(one.value.replace("_", "-") for one in ModelException))
"""What may be excepted, as it is typed."""


class ExceptionCard(FormCard[str]):
    """Chooses among the exceptions; returns the model's name once it is kept."""

    TITLE_WORDS = "An exception of a model"

    def __init__(self, model: Model, client_id: int, key: str) -> None:
        super().__init__()
        self._model, self._client_id, self._key = model, client_id, key
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """The choice, and what it says."""
        with Horizontal(classes="row"):
            yield SteadyStatic("exception")
            yield ChoiceField(OFFERED, _word(self._now), id="exception")
        yield SteadyStatic(classes="would")
        yield SteadyStatic(
            "← → choose  Enter keeps it as the model's next version  Esc back", classes="keys -always"
        )

    @property
    def _now(self) -> ModelException | None:
        place = self._client_id, self._key
        found = (one.does for one in self._model.exceptions if (one.client_id, one.key) == place)
        return next(found, None)

    @property
    def _whose(self) -> str:
        return f"{self.desk.clients.code_of(self._client_id)} {self._key.partition(':')[2]}"

    def title(self) -> str:
        """Of which client in which stock."""
        return f"EXCEPTION of {self._whose} in {self._model.title}"

    def begin(self) -> None:
        """In the choice."""
        self.query_one(ChoiceField).focus()
        self.say()

    @property
    def _does(self) -> ModelException | None:
        return exception_from(self.query_one(ChoiceField).value)

    def comes_to(self) -> str:
        """What is done with the stock."""
        does = self._does
        return f"{self._whose}: {'traded as the model says' if does is None else EXCEPTION_WORDS[does]}"

    def entered(self, field: Widget) -> None:
        """Keep it."""
        self.keep(self._kept())

    async def _kept(self) -> None:
        does = self._does
        made = await self.desk.models.set_exception(self._client_id, self._model.name, self._key, does)
        self.shell.say(f"{made.title}: {self._whose} {EXCEPTION_WORDS[does] if does else 'as all others'}")
        self.close(made.name)


def _word(does: ModelException | None) -> str:
    return NO_EXCEPTION if does is None else does.value.replace("_", "-")
