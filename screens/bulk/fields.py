"""The fields of the bulk form: what they offer, and what one answer makes of another."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from data.money import rupees_of
from data.vocabulary import Drift, OrderType, Product, Side, SizingKind
from engine.planning.intent import MOST_REF, PERCENTAGES
from engine.words import formats
from engine.words.trading.plans import SIZING_WORDS
from screens.bulk.typed import Typed
from screens.frame.intent_fields import (
    AS_HELD,
    FIRST_VALUES,
    KINDS,
    PRICED,
    SIZES,
    STOPS,
    standings,
    suggest_symbols,
    symbol_problem,
    with_limit,
)
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.symbolinput import SymbolInput

if TYPE_CHECKING:
    from engine.planning.intent import Intent
    from screens.frame.workspace import Framed

Field = TypeVar("Field", NumberField, ChoiceField, SteadyInput)


class BulkFields(Vertical):
    """A row a question: symbol, size, product, price, clients; what is typed goes up to the form."""

    def __init__(self) -> None:
        super().__init__()
        self._side = Side.BUY
        self._sized = SIZES[Side.BUY][0]
        self._priced_for: str | None = None
        self._answers: list[NumberField | ChoiceField | SteadyInput] = []

    def compose(self) -> ComposeResult:
        """A row a question, answers beside them."""
        with Horizontal(classes="row"):
            yield SteadyStatic("symbol", classes="label")
            yield SymbolInput(
                lambda text: suggest_symbols(self._screen.desk, text),
                placeholder="symbol or name",
                id="symbol",
            )
            yield SteadyStatic(id="quote", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("size", classes="label")
            yield self._answer(NumberField(id="value", name="size"))
            yield self._answer(ChoiceField([SIZING_WORDS[kind] for kind in SIZES[Side.BUY]], id="kind"))
            yield SteadyStatic(id="size-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("product", classes="label")
            yield self._answer(ChoiceField(["CNC", "MTF", "MIS"], id="product"))
            yield SteadyStatic("validity", classes="label inner", id="validity-label")
            yield self._answer(ChoiceField(standings(self._screen.desk), id="validity"))
            yield SteadyStatic("drift", classes="label inner", id="drift-label")
            yield self._answer(ChoiceField([word.upper() for word in Drift], id="drift"))
            yield SteadyStatic(id="product-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("type", classes="label")
            yield self._answer(ChoiceField([kind.value for kind in KINDS], id="type"))
            yield SteadyStatic("price", classes="label inner")
            yield self._answer(NumberField(decimals=2, id="price"))
            yield SteadyStatic("trigger", classes="label inner", id="trigger-label")
            yield self._answer(NumberField(decimals=2, id="trigger"))
            yield SteadyStatic("shows", classes="label inner", id="disclosed-label")
            yield self._answer(NumberField(id="disclosed"))
            yield SteadyStatic(id="price-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("clients", classes="label")
            yield self._answer(ChoiceField(["all"], id="clients"))
            yield SteadyStatic(id="clients-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("ref", classes="label")
            yield self._answer(SteadyInput(max_length=MOST_REF, compact=True, id="ref"))
            yield SteadyStatic(id="ref-fact", classes="fact")

    def _answer(self, field: Field) -> Field:
        self._answers.append(field)
        return field

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    def choice(self, name: str) -> ChoiceField:
        """The field of this id."""
        return self.query_one(f"#{name}", ChoiceField)

    def number(self, name: str) -> NumberField:
        """The field of this id."""
        return self.query_one(f"#{name}", NumberField)

    @property
    def ref(self) -> SteadyInput:
        """The field of the instruction."""
        return self.query_one("#ref", SteadyInput)

    @property
    def symbol(self) -> SymbolInput:
        """The field of the symbol."""
        return self.query_one(SymbolInput)

    @property
    def key(self) -> str | None:
        """The symbol chosen."""
        chosen = self.symbol.chosen_key
        return chosen if isinstance(chosen, str) else None

    @property
    def _kind(self) -> SizingKind:
        return next(kind for kind, words in SIZING_WORDS.items() if words == self.choice("kind").value)

    # Filling

    def clear(self, side: Side, key: str | None) -> None:
        """As a fresh form of a side begins, with a symbol."""
        self._side = side
        self._set_symbol(key)
        self._set_products(AS_HELD if side is Side.SELL else Product.CNC.value)
        self._set_size(SIZES[side][0])
        self.choice("type").value = OrderType.MARKET.value
        self.choice("validity").value = "DAY"
        self.choice("drift").value = Drift.DESK.upper()
        self.number("price").value = self.number("trigger").value = self.number("disclosed").value = ""
        self.ref.value = ""

    def fill(self, intent: Intent) -> None:
        """As this intent would have been typed."""
        self._side = intent.side
        self._set_symbol(intent.key)
        self._set_products(AS_HELD if intent.product is None else intent.product.value)
        kind, value = intent.sizing.kind, intent.sizing.value
        self._set_size(kind)
        shares = kind is SizingKind.FIXED_QUANTITY
        self.number("value").value = str(value) if shares else formats.percent(value)
        self.choice("type").value = intent.order_type.value
        self.choice("validity").value = intent.standing
        self.choice("drift").value = intent.drift.upper()
        self.number("price").value = formats.typed(intent.limit_paise)
        self.number("trigger").value = formats.typed(intent.trigger_paise)
        self.number("disclosed").value = str(intent.disclosed_quantity or "")
        self.ref.value = intent.ref

    def _set_symbol(self, key: str | None) -> None:
        instrument = self._screen.desk.market.index.get(key) if key else None
        if instrument is not None and not instrument.tradable:
            instrument = None
        self.symbol.set_chosen(
            instrument.key if instrument else None, instrument.tradingsymbol if instrument else ""
        )
        self._symbol_changed()

    def _symbol_changed(self) -> None:
        self._priced_for = self.key
        instrument = self._screen.desk.market.index.get(self.key) if self.key else None
        if instrument is not None:
            self.number("price").step = self.number("trigger").step = rupees_of(instrument.tick_paise)
        self._set_size_step()

    def _set_products(self, chosen: str) -> None:
        words = [product.value for product in Product]
        self.choice("product").set_options([AS_HELD, *words] if self._side is Side.SELL else words, chosen)

    def _set_size(self, kind: SizingKind) -> None:
        kinds = SIZES[self._side] if kind in SIZES[self._side] else (*SIZES[self._side], kind)
        self.choice("kind").set_options([SIZING_WORDS[each] for each in kinds], SIZING_WORDS[kind])
        self.number("value").value = FIRST_VALUES[kind]
        self._sized = kind
        self._set_size_step()

    def _set_size_step(self) -> None:
        value, kind = self.number("value"), self._kind
        instrument = self._screen.desk.market.index.get(self.key) if self.key else None
        value.decimals = 0 if kind is SizingKind.FIXED_QUANTITY else 2
        lot = instrument.lot_size if instrument else 1
        value.step = Decimal({SizingKind.FIXED_QUANTITY: lot, SizingKind.FIXED_AMOUNT: 1_000}.get(kind, 1))

    def take_price(self, paise: int) -> None:
        """A LIMIT order, or a stop order's limit, at this price."""
        self.choice("type").value = with_limit(self.choice("type").value)
        self.number("price").value = formats.typed(paise)

    # Reading

    def values(self) -> dict[str, str]:
        """What stands in each field."""
        return {field.id or "": field.value for field in self._answers} | {"symbol": self.key or ""}

    def typed(self) -> Typed:
        """The answers. Raises `BadInput` where no symbol is chosen."""
        if self.key is None:
            raise symbol_problem(self._screen.desk, self.symbol.text)
        return Typed(
            side=self._side,
            key=self.key,
            sizing=self._kind,
            value=self.number("value").value,
            order_type=OrderType(self.choice("type").value),
            product=self.choice("product").value,
            price=self.number("price").value,
            trigger=self.number("trigger").value,
            validity=self.choice("validity").value,
            drift=self.choice("drift").value,
            disclosed=self.number("disclosed").value,
            ref=self.ref.value,
        )

    # What one answer makes of another

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """On to the size. A price that was typed is one of the symbol before."""
        if str(event.key) != self._priced_for:
            self.number("price").value = self.number("trigger").value = ""
        self._symbol_changed()
        focused = self._screen.focused
        if focused is not None and event.field in focused.ancestors:
            self.number("value").focus()

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Each sizing has its own figure; a percentage typed by hand stays one of another base."""
        if event.field.id == "kind":
            before, typed = self._sized, self.number("value").value
            self._set_size(self._kind)
            if {before, self._kind} <= PERCENTAGES and typed != FIRST_VALUES[before]:
                self.number("value").value = typed
        if event.field.id == "type" and event.value not in PRICED:
            self.number("price").value = ""
        if event.field.id == "type" and event.value not in STOPS:
            self.number("trigger").value = ""
        if event.field.id == "type" and event.value != OrderType.LIMIT.value:
            self.number("disclosed").value = ""

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """A price makes a MARKET order a LIMIT, and a stop order without a limit one with it."""
        if event.field.id == "price" and event.value.strip():
            self.choice("type").value = with_limit(self.choice("type").value)

    # Showing

    def paint(self) -> None:
        """The symbol's price; the trigger where the type has one."""
        desk, key = self._screen.desk, self.key
        stops = self.choice("type").value in STOPS
        self.number("trigger").display = self.query_one("#trigger-label").display = stops
        limit = self.choice("type").value == OrderType.LIMIT.value
        self.number("disclosed").display = self.query_one("#disclosed-label").display = limit
        quote = desk.market.quote(key) if key else None
        if key is None:
            words = ""
        elif quote is None:
            words = f"{key} · no price yet"
        else:
            words = (
                f"{key} · LTP {formats.price(quote.last_paise)} {formats.age(desk.market.age(key))}  "
                f"{formats.price(quote.bid_paise or None)}/{formats.price(quote.ask_paise or None)}"
            )
        self.query_one("#quote", SteadyStatic).update(Content(words))
