"""A quantity typed for one line of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message

from data.errors import BadInput
from data.money import count_from_text
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from engine.planning.plan import PlanLine
    from screens.frame.workspace import Framed


class QuantityEdit(Horizontal):
    """Stands in the answer's place while a line's quantity is typed; `line` is None when it is not."""

    @dataclass
    class Typed(Message):
        """Enter was pressed; `quantity` is None where nothing is typed."""

        line: PlanLine
        quantity: int | None

    def __init__(self) -> None:
        super().__init__(id="edit")
        self.line: PlanLine | None = None

    def compose(self) -> ComposeResult:
        """Whose it is, the field, the way out."""
        yield SteadyStatic(id="edit-label")
        yield NumberField(id="edit-quantity")
        yield SteadyStatic("Enter makes the plan anew, Esc leaves it", classes="fact")

    def begin(self, line: PlanLine, lot_size: int) -> None:
        """Ask for the quantity of a line, beginning with the one it has."""
        self.line = line
        field = self.query_one(NumberField)
        field.step = Decimal(lot_size)
        field.value = str(line.quantity or line.wanted)
        self.query_one("#edit-label", SteadyStatic).update(
            Content(f" quantity for {line.code} {line.product.value}")
        )
        self.display = True
        field.focus()

    def end(self) -> None:
        """Ask no more."""
        self.line = None
        self.display = False

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Hand on what was typed, where it is a number."""
        event.stop()
        try:
            quantity = count_from_text(event.value, "quantity") if event.value.strip() else None
        except BadInput as bad:
            cast("Framed[None]", self.screen).shell.say(str(bad), "refused")
            return
        if self.line is not None:
            self.post_message(self.Typed(self.line, quantity))
