"""The fields of the ticket: what is in them, what they begin with, and the order they ask for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from data.errors import BadInput
from data.money import count_from_text, rupees_of
from data.vocabulary import OrderType, Product, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing, standing_from
from engine.words import formats
from engine.words.formats import MASK
from screens.frame.intent_fields import (
    KINDS,
    PRICED,
    STOPS,
    client_problem,
    prices_from,
    standings,
    suggest_symbols,
    symbol_problem,
    with_limit,
    with_trigger,
)
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.symbolinput import SymbolInput

if TYPE_CHECKING:
    from data.reference.instruments import Instrument
    from engine.desk import Desk

OWN_KEYS = "amw"
"""Letters that are keys of the ticket in its number fields too."""

MORE = "more"
"""The one word of the stop behind which fields stand that there is no room for."""


CHOICES = ("product", "type", "validity")
NUMBERS = ("quantity", "price", "trigger", "disclosed")
"""The fields behind client and symbol, by their names."""


class OrderFields(Vertical):
    """Client, symbol, quantity, product, type, prices and validity of one order."""

    @dataclass
    class Touched(Message):
        """The trader changed something; `complaint` says what of it cannot be taken."""

        complaint: str = ""

    class GoOn(Message):
        """The trader pressed Enter on a field that holds what it is to hold."""

    def __init__(self, desk: Desk, side: Side, masked: Callable[[], bool]) -> None:
        super().__init__()
        self._desk = desk
        self._side = side
        self._masked = masked
        self._proposed = ""

    def compose(self) -> ComposeResult:
        """Two lines."""
        with Horizontal(classes="row"):
            yield SteadyStatic("client")
            yield SymbolInput(self._suggest_clients, placeholder="code", id="client")
            yield SteadyStatic("symbol")
            yield SymbolInput(
                lambda text: suggest_symbols(self._desk, text), placeholder="symbol", id="symbol"
            )
            yield SteadyStatic(id="quote")
        with Horizontal(classes="row"):
            yield SteadyStatic("qty")
            yield NumberField(own_keys=OWN_KEYS, id="quantity")
            yield SteadyStatic("product", classes="label")
            yield ChoiceField([product.value for product in Product], id="product")
            yield SteadyStatic("type", classes="label")
            yield ChoiceField([kind.value for kind in KINDS], id="type")
            yield SteadyStatic("price")
            yield NumberField(decimals=2, own_keys=OWN_KEYS, id="price")
            yield ChoiceField(standings(self._desk), id="validity")
            yield SteadyStatic("trigger", classes="more waits")
            yield NumberField(decimals=2, own_keys=OWN_KEYS, id="trigger", classes="more waits")
            yield SteadyStatic("shows", classes="more shows")
            yield NumberField(own_keys=OWN_KEYS, id="disclosed", classes="more shows")
            yield ChoiceField([MORE], id="more")
            yield SteadyStatic(id="standing")

    # The parts

    def number(self, name: str) -> NumberField:
        """A number field by its name."""
        return self.query_one(f"#{name}", NumberField)

    def choice(self, name: str) -> ChoiceField:
        """A choice by its name."""
        return self.query_one(f"#{name}", ChoiceField)

    def finder(self, name: str) -> SymbolInput:
        """The field of the client or of the symbol."""
        return self.query_one(f"#{name}", SymbolInput)

    def say(self, name: str, words: str) -> None:
        """Say something beside the fields."""
        self.query_one(f"#{name}", SteadyStatic).update(Content(words))

    @property
    def key(self) -> str | None:
        """The symbol's key, once one is chosen."""
        chosen = self.finder("symbol").chosen_key
        return chosen if isinstance(chosen, str) else None

    @property
    def client_id(self) -> int | None:
        """The client, once one is chosen."""
        chosen = self.finder("client").chosen_key
        return chosen if isinstance(chosen, int) else None

    @property
    def instrument(self) -> Instrument | None:
        """The symbol, once one is chosen."""
        return self._desk.market.index.get(self.key) if self.key else None

    def held(self) -> dict[str, int]:
        """Shares free to sell of the symbol, by product."""
        instrument = self.instrument
        if instrument is None or self.client_id is None:
            return {}
        return {
            held.product.value: self._desk.holdings.free_to_sell(held)
            for held in self._desk.holdings.of(self.client_id)
            if held.security == instrument.security and held.quantity
        }

    def _suggest_clients(self, text: str) -> list[tuple[Hashable, str]]:
        return [
            (client.id, f"{client.code} {MASK if self._masked() else client.name}")
            for client in self._desk.clients.search(text)
        ]

    # Filling

    def set_client(self, client_id: int | None) -> None:
        """Put a client into its field."""
        code = "" if client_id is None else self._desk.clients.get(client_id).code
        self.finder("client").set_chosen(client_id, code)
        self._settle_product()

    def set_symbol(self, key: str | None) -> None:
        """Put a symbol into its field, where it can be traded."""
        instrument = self._desk.market.index.get(key) if key else None
        if instrument is not None and not instrument.tradable:
            instrument = None
        self.finder("symbol").set_chosen(
            instrument.key if instrument else None, instrument.tradingsymbol if instrument else ""
        )
        self._begin_symbol()

    def _begin_symbol(self) -> None:
        """Steps of its tick and lot, and nothing of the prices of another one."""
        if (instrument := self.instrument) is not None:
            self.number("price").step = rupees_of(instrument.tick_paise)
            self.number("trigger").step = rupees_of(instrument.tick_paise)
            self.number("quantity").step = Decimal(instrument.lot_size)
        self.number("price").value = self.number("trigger").value = self.number("disclosed").value = ""
        self.choice("type").value = OrderType.MARKET.value
        self._settle_product()
        self._show_more()

    def _settle_product(self) -> None:
        """A sell begins with the product of which the client has most."""
        held = self.held()
        if self._side is Side.SELL and held:
            self.choice("product").value = max(held, key=lambda product: held[product])
        self._propose()

    def set_product(self, product: str) -> None:
        """A sell of a holding is a sell of its product, not of the one of which the client has most."""
        if self._side is Side.SELL and product in self.held():
            self.choice("product").value = product
            self._propose()

    def _propose(self) -> None:
        """A sell proposes all that is free of the product, as long as nothing else was typed."""
        quantity = self.number("quantity")
        if self._side is Side.SELL and quantity.value == self._proposed:
            free = self.held().get(self.choice("product").value, 0)
            quantity.value = self._proposed = str(free) if free else ""

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields of how many, of what kind and at which price, by their names."""
        return {
            **{name: self.choice(name).value for name in CHOICES},
            **{name: self.number(name).value for name in NUMBERS},
        }

    @property
    def is_begun(self) -> bool:
        """Whether the trader typed a number, beyond what the fields began with."""
        typed = self.typed
        return any(typed[name] not in ("", self._proposed) for name in NUMBERS)

    def put_back(self, typed: Mapping[str, str]) -> None:
        """Put back what stood in the fields; one that nothing is said of keeps what it begins with."""
        for name in CHOICES:
            if typed.get(name) in self.choice(name).options:
                self.choice(name).value = typed[name]
        for name in NUMBERS:
            if name in typed:
                self.number(name).value = typed[name]
        self._show_more()

    def take_last_price(self) -> bool:
        """Make it a LIMIT order at the last price; whether there is one."""
        quote = self._desk.market.quote(self.key) if self.key else None
        if quote is None:
            return False
        self.choice("type").value = with_limit(self.choice("type").value)
        self.number("price").value = formats.typed(quote.last_paise)
        self._show_more()
        return True

    def next_open(self, proposed: bool = False) -> None:
        """Focus what is still to be said; a symbol that is merely `proposed` is, and typing replaces it."""
        if self.client_id is None:
            self.finder("client").focus()
        elif self.key is None or proposed:
            self.finder("symbol").focus()
        else:
            self.number("quantity").focus()

    # Reading

    def intent(self, again: bool) -> Intent:
        """What the fields say. Raises `BadInput` naming the field that does not do."""
        if self.client_id is None:
            raise client_problem(self._desk, self.finder("client").text)
        if self.key is None:
            raise symbol_problem(self._desk, self.finder("symbol").text)
        typed = self.number("quantity").value
        if not typed.strip():
            raise BadInput("quantity", typed, "give a number of shares above zero")
        quantity = count_from_text(typed, "quantity")
        order_type = OrderType(self.choice("type").value)
        limit, trigger = prices_from(order_type, self.number("price").value, self.number("trigger").value)
        validity, after_market = standing_from(self.choice("validity").value)
        client = self._desk.clients.get(self.client_id)
        return Intent(
            side=self._side,
            key=self.key,
            sizing=Sizing(SizingKind.FIXED_QUANTITY, quantity),
            order_type=order_type,
            product=Product(self.choice("product").value),
            limit_paise=limit,
            trigger_paise=trigger,
            selection=Selection(client_ids=(client.id,), title=client.code),
            validity=validity,
            after_market=after_market,
            again=again,
            disclosed_quantity=count_from_text(self.number("disclosed").value or "0", "disclosed"),
        )

    # What the trader does

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """On to what is still open."""
        event.stop()
        if event.field.id == "symbol":
            self._begin_symbol()
        else:
            self._settle_product()
        focused = self.screen.focused
        if focused is not None and event.field in focused.ancestors:
            self.next_open()
        self.post_message(self.Touched())

    def on_symbol_input_unmatched(self, event: SymbolInput.Unmatched) -> None:
        """Say what was meant instead."""
        event.stop()
        problem = symbol_problem if event.field.id == "symbol" else client_problem
        bad = problem(self._desk, event.text)
        self.post_message(self.Touched(f"{bad.field} {event.text}: {bad.expected}".replace(" : ", ": ")))

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """A price makes a MARKET order a LIMIT, a trigger makes it a stop order, and a stop keeps both."""
        event.stop()
        kind = self.choice("type")
        if event.field.id == "price" and event.value.strip():
            kind.value = with_limit(kind.value)
            self._show_more()
        elif event.field.id == "trigger" and event.value.strip():
            kind.value = with_trigger(kind.value)
            self._show_more()
        self.post_message(self.Touched())

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """A LIMIT begins at the last price; a stop's limit and trigger are the trader's to choose."""
        event.stop()
        if event.field.id == "type":
            if event.value not in PRICED:
                self.number("price").value = ""
            elif event.value == OrderType.LIMIT.value:
                self.take_last_price()
            if event.value not in STOPS:
                self.number("trigger").value = ""
            if event.value != OrderType.LIMIT.value:
                self.number("disclosed").value = ""
            self._show_more()
        elif event.field.id == "product":
            self._propose()
        self.post_message(self.Touched())

    def _show_more(self, wanted: bool = False) -> None:
        """Show what stands behind the stop, where a stop order needs it or it is wanted.

        A stop order stands for the day, so that there is no validity to choose.
        """
        stops = self.choice("type").value in STOPS
        self.set_class(self.choice("type").value == OrderType.LIMIT.value, "-limit")
        if stops:
            self.choice("validity").value = "DAY"
        self.choice("validity").display = not stops
        self.set_class(stops or wanted or bool(self.number("disclosed").value), "-more")

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.post_message(self.GoOn())

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter goes on; on the stop it shows what stands behind it."""
        event.stop()
        if event.field.id == "more":
            self._show_more(wanted=True)
            self.number("disclosed" if self.has_class("-limit") else "trigger").focus()
        else:
            self.post_message(self.GoOn())
