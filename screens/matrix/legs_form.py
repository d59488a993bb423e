"""The form of a basket: its legs in one line, for whom, and how a client's legs go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from data.errors import BadInput
from data.vocabulary import PerClient, Side
from engine.planning.intent import Intent
from engine.planning.leg_words import intent_of, legs_from_words, words_of_legs
from screens.bulk.whom import NOBODY_YET, whom
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.planning.baskets import Basket
    from screens.frame.workspace import Framed

TOGETHER = {"ALL OR NONE": PerClient.ALL, "IN ORDER": PerClient.IN_ORDER}
"""How a client's legs go together, by the words of the choice."""

NO_BASKET = "—"
"""Stands for legs that are typed, where a saved basket could be chosen."""


class LegsForm(Vertical):
    """Takes `buy RELIANCE:15% TCS:20%`, for whom, and how; Enter in any of them asks for the plan."""

    @dataclass
    class Ready(Message):
        """The trader wants the plan of this intent."""

        intent: Intent

    @dataclass
    class Edited(Message):
        """Something in it was changed, so that a plan that shows is another's."""

    def __init__(self) -> None:
        super().__init__(id="legs-form")
        self._whom = NOBODY_YET
        self._saved: dict[str, Basket] = {}

    def compose(self) -> ComposeResult:
        """The legs, then the terms that are one for all of them."""
        with Horizontal(classes="row"):
            yield SteadyStatic("legs", classes="label")
            yield SteadyInput(
                placeholder="buy RELIANCE:15% TCS:20% INFY:25%   sell SBIN:100%   ITC:10@412.50",
                compact=True,
                select_on_focus=False,
                id="legs",
            )
        with Horizontal(classes="row", id="terms"):
            yield SteadyStatic("clients", classes="label")
            yield ChoiceField(["all"], id="clients")
            yield SteadyStatic("legs of a client", classes="label")
            yield ChoiceField(list(TOGETHER), id="together")
            yield SteadyStatic("saved", classes="label")
            yield ChoiceField([NO_BASKET], id="saved")
        yield SteadyStatic(id="legs-problem")

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    @property
    def line(self) -> Input:
        """Where the legs are typed."""
        return self.query_one("#legs", Input)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    def begin(self, marked: Sequence[int] = (), intent: Intent | None = None) -> None:
        """The clients to choose from, and the legs of an intent where one is given."""
        given = None if intent is None else intent.selection
        self._whom = whom(self._screen.desk, Side.BUY, marked, (), given)
        self._choice("clients").set_options(list(self._whom.options), self._whom.first)
        if intent is not None:
            self.line.value = "" if intent.listed else words_of_legs(intent.legs)
            self._choice("together").value = next(
                word for word, how in TOGETHER.items() if how is intent.per_client
            )
        self._say_problem("")

    async def load_saved(self) -> None:
        """The saved baskets to choose from."""
        self._saved = {basket.name: basket for basket in await self._screen.desk.baskets.all()}
        self._choice("saved").set_options([NO_BASKET, *self._saved])

    def intent(self) -> Intent:
        """What the form says. Raises `BadInput`."""
        legs = legs_from_words(self.line.value.split(), self._screen.desk.market.index)
        chosen = self._whom.options.get(self._choice("clients").value)
        wanted = replace(intent_of(legs), per_client=TOGETHER[self._choice("together").value])
        return wanted if chosen is None else replace(wanted, selection=chosen)

    def submit(self) -> None:
        """Ask for the plan, or say what is wrong with the legs."""
        try:
            intent = self.intent()
        except BadInput as problem:
            self._say_problem(str(problem))
            self.line.focus()
        else:
            self._say_problem("")
            self.post_message(self.Ready(intent))

    def _say_problem(self, words: str) -> None:
        problem = self.query_one("#legs-problem", SteadyStatic)
        problem.update(Content(plain(words)))
        problem.display = bool(words)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.submit()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.submit()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A plan that shows is another's than what stands here."""
        event.stop()
        if event.input.has_focus:
            self._say_problem("")
            self.post_message(self.Edited())

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """A saved basket fills the legs."""
        event.stop()
        basket = self._saved.get(event.value) if event.field.id == "saved" else None
        if basket is not None:
            self.line.value = words_of_legs(basket.legs)
            self._choice("together").value = next(
                word for word, how in TOGETHER.items() if how is basket.per_client
            )
        self.post_message(self.Edited())
