"""The form of a rule of alerts: up to two conditions, once or repeating, with what it means and reads now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from data.vocabulary import Measure
from engine.colon.alert_lines import ABOVE, AND, BELOW, NOTE, ONCE, OR, REPEAT, alert_rule_from
from engine.colon.alert_rules import FORMS, MeasureUnit
from engine.colon.splitting import words_of
from engine.words.alerts import rule_words
from engine.words.colon import problem_words
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.colon.alert_rules import AlertRule, AlertRuleView

ALONE = "no more"
"""What stands where there is one condition."""
PLACES = ("1", "2")
"""The conditions that the form has fields for."""
LONGEST = 120
AGAIN = "10m"


def has_room(rule: AlertRuleView) -> bool:
    """Whether the form shows all of a rule: it has two conditions at most."""
    return sum(word in (AND, OR) for word in rule.line.partition(f" {NOTE} ")[0].split()) < len(PLACES)


class AlertForm(FormCard[None]):
    """What is to be told, field by field, with the line that says the same; Enter in the last keeps it."""

    TITLE_WORDS = "Rule of alerts"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, rule: AlertRuleView | None = None, key: str | None = None) -> None:
        super().__init__()
        self._rule = rule
        self._key = key
        self.rows = 7

    def compose(self) -> ComposeResult:
        """A line a condition, how often, and what it comes to."""
        yield from self._condition("1")
        yield from self._condition("2")
        with Horizontal(classes="row"):
            yield SteadyStatic("tell")
            yield ChoiceField([ONCE, REPEAT], id="how")
            yield SteadyStatic("apart at least", classes="label", id="apart")
            yield SteadyInput(AGAIN, compact=True, max_length=5, id="again")
            yield SteadyStatic("note")
            yield SteadyInput(compact=True, max_length=80, id="alert-note")
        yield SteadyStatic(id="alert-would", classes="would")
        yield SteadyStatic(id="alert-line", classes="keys -always")
        yield SteadyStatic(
            "Tab field  ←→ choose  Enter goes on, in note keeps it  more conditions :alert  Esc back",
            classes="keys -always",
        )

    def _condition(self, place: str) -> ComposeResult:
        """The fields of one condition, the second behind what joins it."""
        with Horizontal(classes="row"):
            if place == "1":
                yield SteadyStatic("when")
            else:
                yield ChoiceField([ALONE, AND, OR], id="joined")
            yield SteadyInput(compact=True, max_length=LONGEST, id=f"of-{place}", classes="of")
            yield ChoiceField([measure.value for measure in Measure], id=f"measure-{place}")
            yield ChoiceField([ABOVE, BELOW], id=f"side-{place}")
            yield SteadyInput(compact=True, max_length=20, id=f"limit-{place}", classes="limit")

    def title(self) -> str:
        """Which rule it is."""
        number = "A NEW RULE" if self._rule is None else f"RULE {self._rule.number}"
        return f"{number} · tell me when a figure comes"

    def begin(self) -> None:
        """With what stands there in the fields, in the first of them."""
        if self._rule is not None:
            self._fill(words_of(self._rule.line))
        elif self._key:
            self._input("of-1").value = self._key.partition(":")[2]
        self._input("limit-1" if self._key and self._rule is None else "of-1").focus()
        self.say()

    def _input(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    def _fill(self, words: list[str]) -> None:
        """Put the words of a rule into the fields."""
        if NOTE in words:
            at = words.index(NOTE)
            self._input("alert-note").value, words = " ".join(words[at + 1 :]), words[:at]
        if REPEAT in words:
            at = words.index(REPEAT)
            self._choice("how").value = REPEAT
            self._input("again").value, words = " ".join(words[at + 1 :]) or AGAIN, words[:at]
        words = [word for word in words if word != ONCE]
        joint = next((at for at, word in enumerate(words) if word in (AND, OR)), len(words))
        self._fill_condition("1", words[:joint])
        if joint < len(words):
            self._choice("joined").value = words[joint]
            self._fill_condition("2", words[joint + 1 :])

    def _fill_condition(self, place: str, words: list[str]) -> None:
        measures = {measure.value for measure in Measure}
        at = next((at for at, word in enumerate(words) if word in measures), len(words) - 1)
        self._input(f"of-{place}").value = " ".join(words[:at])
        self._choice(f"measure-{place}").value = words[at]
        if len(words) > at + 2:
            self._choice(f"side-{place}").value = words[at + 1]
            self._input(f"limit-{place}").value = words[at + 2]

    # --- what it comes to ---

    def _words(self) -> Iterator[str]:
        """The words that the fields come to."""
        yield from self._condition_words("1")
        if (joined := self._choice("joined").value) != ALONE:
            yield joined
            yield from self._condition_words("2")
        if self._choice("how").value == REPEAT:
            yield from (REPEAT, self._input("again").value.strip() or AGAIN)
        if note := self._input("alert-note").value.strip():
            yield from (NOTE, note)

    def _condition_words(self, place: str) -> Iterator[str]:
        measure = self._choice(f"measure-{place}").value
        yield from words_of(self._input(f"of-{place}").value)
        yield measure
        if FORMS[Measure(measure)].unit is not MeasureUnit.YES:
            yield self._choice(f"side-{place}").value
            yield from words_of(self._input(f"limit-{place}").value)

    def _read(self) -> AlertRule:
        """The rule that the fields come to. Raises `BadInput`."""
        return alert_rule_from(list(self._words()), self.shell.known())

    def paint(self) -> None:
        """Besides, the line that says the same; of what does not count there is no field."""
        for place in PLACES:
            counts = FORMS[Measure(self._choice(f"measure-{place}").value)].unit is not MeasureUnit.YES
            there = place == "1" or self._choice("joined").value != ALONE
            self._choice(f"side-{place}").display = self._input(f"limit-{place}").display = counts and there
            self._input(f"of-{place}").display = self._choice(f"measure-{place}").display = there
        repeats = self._choice("how").value == REPEAT
        self._input("again").display = repeats
        self.query_one("#apart").set_class(not repeats, "-once")
        try:
            line = f":alert {self._read().line}"
        except (TradedeskError, LookupError):
            line = self._says()
        self.query_one("#alert-line", SteadyStatic).update(Content(plain(line)))
        super().paint()

    def comes_to(self) -> str:
        """What the rule means, and what its figures read now."""
        rule = self._read()
        read = enumerate(self.desk.alert_rules.reads(rule))
        return rule_words(rule, {place: list(figures.values()) for place, (_, figures) in read})

    def wrong_words(self, problem: Exception) -> str:
        """The word that is wrong: the form makes a line of its fields."""
        return problem_words(problem) if isinstance(problem, BadInput) else super().wrong_words(problem)

    def _says(self) -> str:
        """What the measure that is chosen is."""
        return FORMS[Measure(self._choice("measure-1").value)].says

    def entered(self, field: Widget) -> None:
        """To the next field; from the last keep the rule."""
        if field.id == "alert-note":
            self.keep(self._keep())
        else:
            super().entered(field)

    async def _keep(self) -> None:
        rule = self._read()
        if self._rule is None:
            (number,) = await self.desk.alert_rules.add(rule)
        else:
            number = self._rule.number
            await self.desk.alert_rules.edit(number, rule)
        self.shell.say(f"rule {number}: {rule_words(rule)}")
        self.close()
