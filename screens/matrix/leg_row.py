"""A leg of a basket as a row of fields."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from data.errors import BadInput
from data.money import rupees_of
from data.vocabulary import OrderType, Product, Side, SizingKind
from engine.words import formats
from engine.words.trading.plans import SIZING_WORDS
from screens.frame.intent_fields import (
    AS_HELD,
    FIRST_VALUES,
    KINDS,
    PRICED,
    SIZES,
    STOPS,
    suggest_symbols,
    symbol_problem,
    with_limit,
    with_trigger,
)
from screens.matrix.draft import TypedLeg
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.symbolinput import SymbolInput

if TYPE_CHECKING:
    from engine.desk import Desk

FIELDS = ("side", "symbol", "value", "kind", "product", "type", "price", "trigger")
"""The fields of a leg from the left, by their classes."""

HEADS = {
    "number": "",
    "side": "side",
    "symbol": "symbol",
    "value": "size",
    "kind": "of",
    "product": "product",
    "type": "type",
    "price": "price",
    "trigger": "trigger",
}
"""The words above them."""

SHOWN_IN = {
    "limit": "price",
    "price": "price",
    "trigger": "trigger",
    "product": "product",
    "symbol": "symbol",
}
"""In which field something is wrong, by the field that a message names; a size's have names of their own."""


def sizing_choice(kind: SizingKind) -> str:
    """A sizing in the few cells of a leg's field: `% capital`."""
    return SIZING_WORDS[kind].replace("% of ", "% ").removesuffix(" each")


class SideField(ChoiceField):
    """Takes BUY and SELL as they are written: no key of the screens is meant where they stand."""

    left_alone: ClassVar[frozenset[str]] = frozenset()


class LegRow(Horizontal):
    """Side, symbol, size, product, type and prices of one leg; `!` at its number is a warning."""

    @dataclass
    class Touched(Message):
        """The trader changed something in the row; `complaint` says what of it cannot be taken."""

        row: LegRow
        complaint: str = ""

    class GoOn(Message):
        """The trader pressed Enter on a field that holds what it is to hold."""

    def __init__(self, desk: Desk, leg: TypedLeg) -> None:
        super().__init__(classes="leg")
        self._desk = desk
        self._first = leg
        self._side = leg.side
        self._kind = leg.kind
        self._wrong = ""
        self.leaving = False
        """Whether it is being taken out, so that nothing of it counts any more."""

    def compose(self) -> ComposeResult:
        """The fields in one line."""
        yield SteadyStatic(classes="number")
        yield SideField([side.value for side in Side], classes="side")
        yield SymbolInput(
            lambda text: suggest_symbols(self._desk, text),
            placeholder="symbol",
            own_keys="+",
            classes="symbol",
        )
        yield NumberField(decimals=2, own_keys="+", name="size", classes="value")
        yield ChoiceField([""], classes="kind")
        yield ChoiceField([""], classes="product")
        yield ChoiceField([kind.value for kind in KINDS], classes="type")
        yield NumberField(decimals=2, own_keys="+", name="price", classes="price")
        yield NumberField(decimals=2, own_keys="+", name="trigger", classes="trigger")

    def on_mount(self) -> None:
        """As the leg was typed."""
        leg = self._first
        self._choice("side").value = leg.side.value
        self.symbol.set_chosen(leg.key, leg.text)
        self._offer(leg.side, leg.kind, leg.product)
        self._number("value").value = leg.value
        self._choice("type").value = leg.order_type.value
        self._number("price").value, self._number("trigger").value = leg.price, leg.trigger
        self._set_steps()
        self._show_trigger()

    # The parts

    @property
    def symbol(self) -> SymbolInput:
        """The field of the symbol."""
        return self.query_one(SymbolInput)

    def _number(self, name: str) -> NumberField:
        return self.query_one(f".{name}", NumberField)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f".{name}", ChoiceField)

    def field(self, name: str) -> Widget:
        """A field by its class."""
        return self.query_one(f".{name}")

    def focus_field(self, name: str) -> None:
        """Put the focus into a field; into the price where a trigger has no room in this leg."""
        field = self.field(name)
        (field if field.display else self.field("price")).focus()

    def focus_wrong(self, problem: BadInput) -> None:
        """Put the focus into the field in which something is wrong."""
        self.focus_field(SHOWN_IN.get(problem.field, "value"))

    @property
    def focused_field(self) -> str | None:
        """Which of its fields has the focus, None where none has."""
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            return None
        return next(name for name in FIELDS if self.field(name) in focused.ancestors_with_self)

    # Reading

    @property
    def typed(self) -> TypedLeg:
        """What stands in it."""
        chosen = self.symbol.chosen_key
        return TypedLeg(
            self._side,
            chosen if isinstance(chosen, str) else None,
            self.symbol.text,
            self._kind,
            self._number("value").value,
            self._choice("product").value,
            OrderType(self._choice("type").value),
            self._number("price").value,
            self._number("trigger").value,
        )

    # Showing

    def show(self, number: int, problem: BadInput | None) -> None:
        """Say which leg it is, and in which of its fields something is wrong."""
        wrong = "" if problem is None else SHOWN_IN.get(problem.field, "value")
        mark = "!" if wrong else " "
        self.query_one(".number", SteadyStatic).update(Content(f"{number}{mark}"))
        if wrong != self._wrong:
            self._wrong = wrong
            for name in FIELDS:
                self.field(name).set_class(name == wrong, "-wrong")

    # What one answer makes of another

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """On to the size. A price that was typed is one of the symbol before."""
        event.stop()
        self._number("price").value = self._number("trigger").value = ""
        if self._choice("type").value in PRICED or self._choice("type").value in STOPS:
            self._choice("type").value = OrderType.MARKET.value
            self._show_trigger()
        self._set_steps()
        focused = self.screen.focused
        if focused is not None and event.field in focused.ancestors:
            self._number("value").focus()
        self.post_message(self.Touched(self))

    def on_symbol_input_edited(self, event: SymbolInput.Edited) -> None:
        """Another symbol begins."""
        event.stop()
        self.post_message(self.Touched(self))

    def on_symbol_input_unmatched(self, event: SymbolInput.Unmatched) -> None:
        """Say what was meant instead; an empty row leaves it to the form what is missing."""
        event.stop()
        if event.text.strip():
            self.post_message(self.Touched(self, str(symbol_problem(self._desk, event.text).expected)))
        else:
            self.post_message(self.GoOn())

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Each side has its sizings and products, each sizing its figure, each type its prices."""
        event.stop()
        field = event.field
        if field.has_class("side"):
            self._side = Side(event.value)
            kind = SIZES[self._side][0]
            self._offer(self._side, kind, AS_HELD if self._side is Side.SELL else Product.CNC.value)
            self._number("value").value = FIRST_VALUES[kind] if self._side is Side.SELL else ""
        elif field.has_class("kind"):
            self._kind = next(kind for kind in SizingKind if sizing_choice(kind) == event.value)
            self._number("value").value = ""
        elif field.has_class("type"):
            if event.value not in PRICED:
                self._number("price").value = ""
            if event.value not in STOPS:
                self._number("trigger").value = ""
            self._show_trigger()
        self._set_steps()
        self.post_message(self.Touched(self))

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """A price makes a MARKET leg a LIMIT, a trigger a stop."""
        event.stop()
        kind = self._choice("type")
        if event.field.has_class("price") and event.value.strip():
            kind.value = with_limit(kind.value)
        elif event.field.has_class("trigger") and event.value.strip():
            kind.value = with_trigger(kind.value)
        self.post_message(self.Touched(self))

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.post_message(self.GoOn())

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.post_message(self.GoOn())

    def take_last_price(self) -> bool:
        """Make the leg a LIMIT at the last price; whether there is one."""
        key = self.typed.key
        quote = self._desk.market.quote(key) if key else None
        if quote is None:
            return False
        self._choice("type").value = with_limit(self._choice("type").value)
        self._number("price").value = formats.typed(quote.last_paise)
        self.post_message(self.Touched(self))
        return True

    def _offer(self, side: Side, kind: SizingKind, product: str) -> None:
        """What a side may be sized by and traded in, with these chosen."""
        self._side, self._kind = side, kind
        kinds = SIZES[side] if kind in SIZES[side] else (*SIZES[side], kind)
        self._choice("kind").set_options([sizing_choice(one) for one in kinds], sizing_choice(kind))
        products = [one.value for one in Product]
        self._choice("product").set_options([*products, AS_HELD] if side is Side.SELL else products, product)

    def _set_steps(self) -> None:
        """Steps of a tick, of a lot, and of what a size is counted in."""
        instrument = self._desk.market.index.get(self.typed.key) if self.typed.key else None
        value, shares = self._number("value"), self._kind is SizingKind.FIXED_QUANTITY
        value.decimals = 0 if shares else 2
        lot = instrument.lot_size if instrument else 1
        value.step = Decimal(lot if shares else 1_000 if self._kind is SizingKind.FIXED_AMOUNT else 1)
        if instrument is not None:
            self._number("price").step = rupees_of(instrument.tick_paise)
            self._number("trigger").step = rupees_of(instrument.tick_paise)

    def _show_trigger(self) -> None:
        """Only a stop has a trigger."""
        self._number("trigger").display = self._choice("type").value in STOPS
