"""The ticket: one order for one client, from the fields over what it needs to the review that takes `y`."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from data.errors import BadInput
from data.money import count_from_text, rupees_of
from data.vocabulary import AlternativeKind, OrderType, Product, Reason, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing, standing_from
from engine.words import formats
from engine.words.formats import MASK
from engine.words.plans import alternative
from engine.words.refusals import refusal_words
from engine.words.tickets import money_words, problem_lines
from screens.frame.commands import bindings
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
)
from screens.frame.workspace import Dialog, Here
from screens.ticket.review import ReviewScreen
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.symbolinput import SymbolInput
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.plan import Plan, PlanLine

OWNER = "ticket"
"""Under this name the ticket follows its price."""

OWN_KEYS = "am"
"""Letters that are keys of the ticket in its number fields too."""


class TicketScreen(Dialog[None]):
    """Fields above, what the order needs below, live; Enter leads to the review and never sends."""

    CSS_PATH = Path(__file__).with_name("ticket.tcss")
    AUTO_FOCUS = ""
    TITLE_WORDS = "Order ticket"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.affordable", "plan.mtf", "plan.again", "price.last")
    ]

    def __init__(self, side: Side, key: str | None = None, client_id: int | None = None) -> None:
        super().__init__()
        self._side = side
        self._opened_on = (key, client_id)
        self._plan: Plan | None = None
        self._changed = True
        self._previewing = False
        self._asking = False
        self._complaint = ""
        self._proposed = ""
        self._insists = False

    def compose_body(self) -> ComposeResult:
        """The fields, the money, what is in the way."""
        with Vertical(id="ticket", classes="-buy" if self._side is Side.BUY else "-sell"):
            yield SteadyStatic(id="ticket-title")
            with Horizontal(classes="row"):
                yield SteadyStatic("client")
                yield SymbolInput(self._suggest_clients, placeholder="client code", id="client")
                yield SteadyStatic("symbol")
                yield SymbolInput(
                    lambda text: suggest_symbols(self.desk, text), placeholder="symbol", id="symbol"
                )
                yield SteadyStatic(id="ticket-quote")
            with Horizontal(classes="row"):
                yield SteadyStatic("qty")
                yield NumberField(own_keys=OWN_KEYS, id="quantity")
                yield SteadyStatic("product")
                yield ChoiceField([product.value for product in Product], id="product")
                yield SteadyStatic("type")
                yield ChoiceField([kind.value for kind in KINDS], id="type")
                yield SteadyStatic("price")
                yield NumberField(decimals=2, own_keys=OWN_KEYS, id="price")
                yield ChoiceField(standings(self.desk), id="validity")
                yield SteadyStatic("trigger", id="trigger-label")
                yield NumberField(decimals=2, own_keys=OWN_KEYS, id="trigger")
            yield SteadyStatic(id="money")
            yield SteadyStatic(id="problem")
            yield SteadyStatic(
                "Tab field  ↑↓ step  ←→ choose  @ last price  Enter review  Esc close", id="help"
            )

    # The parts

    @property
    def _line(self) -> PlanLine | None:
        """The one line of what was looked at last."""
        return self._plan.lines[0] if self._plan else None

    def _number(self, name: str) -> NumberField:
        return self.query_one(f"#{name}", NumberField)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    def _finder(self, name: str) -> SymbolInput:
        return self.query_one(f"#{name}", SymbolInput)

    @property
    def _key(self) -> str | None:
        chosen = self._finder("symbol").chosen_key
        return chosen if isinstance(chosen, str) else None

    @property
    def _client_id(self) -> int | None:
        chosen = self._finder("client").chosen_key
        return chosen if isinstance(chosen, int) else None

    def _suggest_clients(self, text: str) -> list[tuple[Hashable, str]]:
        masked = self.shell.privacy
        return [
            (client.id, f"{client.code} {MASK if masked else client.name}")
            for client in self.desk.clients.search(text)
        ]

    # Filling

    def on_mount(self) -> None:
        """The row it was opened on; what is missing has the focus."""
        self.run_worker(self.desk.market.read_names(), exit_on_error=False)
        key, client_id = self._opened_on
        self._set_client(client_id)
        self._set_symbol(key)
        if self._client_id is None:
            self._finder("client").focus()
        elif self._key is None:
            self._finder("symbol").focus()
        else:
            self._number("quantity").focus()
        self._paint()

    def _set_client(self, client_id: int | None) -> None:
        code = "" if client_id is None else self.desk.clients.get(client_id).code
        self._finder("client").set_chosen(client_id, code)
        self._settle_product()

    def _set_symbol(self, key: str | None) -> None:
        instrument = self.desk.market.index.get(key) if key else None
        if instrument is not None and not instrument.tradable:
            instrument = None
        self._finder("symbol").set_chosen(
            instrument.key if instrument else None, instrument.tradingsymbol if instrument else ""
        )
        self._symbol_changed()

    def _symbol_changed(self) -> None:
        instrument = self.desk.market.index.get(self._key) if self._key else None
        if instrument is not None:
            self._number("price").step = rupees_of(instrument.tick_paise)
            self._number("trigger").step = rupees_of(instrument.tick_paise)
            self._number("quantity").step = Decimal(instrument.lot_size)
        self._number("price").value = self._number("trigger").value = ""
        self._choice("type").value = OrderType.MARKET.value
        self._settle_product()
        self.run_worker(
            partial(self.desk.market.follow, {self._key} if self._key else set(), OWNER),
            group="follow",
            exclusive=True,
            exit_on_error=False,
        )

    def _settle_product(self) -> None:
        """A sell begins with the product of which the client has most."""
        self._changed = True
        held = self._held()
        if self._side is Side.SELL and held:
            self._choice("product").value = max(held, key=lambda product: held[product])
        self._propose()

    def _propose(self) -> None:
        """A sell proposes all that is free of the product, as long as nothing else was typed."""
        quantity = self._number("quantity")
        if self._side is Side.SELL and quantity.value == self._proposed:
            free = self._held().get(self._choice("product").value, 0)
            quantity.value = self._proposed = str(free) if free else ""

    def _held(self) -> dict[str, int]:
        """Shares free to sell of the symbol, by product."""
        instrument = self.desk.market.index.get(self._key) if self._key else None
        if instrument is None or self._client_id is None:
            return {}
        return {
            h.product.value: self.desk.holdings.free_to_sell(h)
            for h in self.desk.holdings.of(self._client_id)
            if h.security == instrument.security and h.quantity
        }

    def on_unmount(self) -> None:
        """Follow the price no more."""
        self.app.run_worker(partial(self.desk.market.follow, set(), OWNER), exit_on_error=False)

    # Reading

    def _intent(self) -> Intent:
        """What the fields say. Raises `BadInput` naming the field that does not do."""
        if self._client_id is None:
            raise client_problem(self.desk, self._finder("client").text)
        if self._key is None:
            raise symbol_problem(self.desk, self._finder("symbol").text)
        typed = self._number("quantity").value
        if not typed.strip():
            raise BadInput("quantity", typed, "give a number of shares above zero")
        quantity = count_from_text(typed, "quantity")
        order_type = OrderType(self._choice("type").value)
        limit, trigger = prices_from(order_type, self._number("price").value, self._number("trigger").value)
        validity, after_market = standing_from(self._choice("validity").value)
        return Intent(
            side=self._side,
            key=self._key,
            sizing=Sizing(SizingKind.FIXED_QUANTITY, quantity),
            order_type=order_type,
            product=Product(self._choice("product").value),
            limit_paise=limit,
            trigger_paise=trigger,
            selection=Selection(
                client_ids=(self._client_id,), title=self.desk.clients.get(self._client_id).code
            ),
            validity=validity,
            after_market=after_market,
            again=self._insists,
        )

    # What the trader does

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """On to what is still open."""
        event.stop()
        self._complaint, self._insists = "", False
        if event.field.id == "symbol":
            self._symbol_changed()
        else:
            self._settle_product()
        if self.focused is not None and event.field in self.focused.ancestors:
            if self._key is None:
                self._finder("symbol").focus()
            elif self._client_id is None:
                self._finder("client").focus()
            else:
                self._number("quantity").focus()
        self._paint()

    def on_symbol_input_unmatched(self, event: SymbolInput.Unmatched) -> None:
        """Say what was meant instead."""
        event.stop()
        problem = symbol_problem if event.field.id == "symbol" else client_problem
        bad = problem(self.desk, event.text)
        self._complaint = f"{bad.field} {event.text}: {bad.expected}".replace(" : ", ": ")
        self._paint()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """A price makes a MARKET order a LIMIT, and a stop order without a limit one with it."""
        kind = self._choice("type")
        if event.field.id == "price" and event.value.strip():
            kind.value = with_limit(kind.value)
        self._touched()

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """A LIMIT begins at the last price; a stop's limit and trigger are the trader's to choose."""
        if event.field.id == "type":
            if event.value not in PRICED:
                self._number("price").value = ""
            elif event.value == OrderType.LIMIT.value:
                self.action_last_price()
            if event.value in STOPS:
                self._choice("validity").value = "DAY"
            else:
                self._number("trigger").value = ""
        elif event.field.id == "product":
            self._propose()
        self._touched()

    def _touched(self) -> None:
        self._changed = True
        self._complaint, self._insists = "", False
        self._paint()

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter leads to the review."""
        self._ask()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter leads to the review."""
        self._ask()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use on this ticket is absent."""
        if not self.is_mounted:
            return True
        if action == "affordable":
            return self._line is not None and alternative(self._line, AlternativeKind.AFFORDABLE) is not None
        if action == "send_again":
            return self._is_duplicate
        if action == "toggle_mtf":
            instrument = self.desk.market.index.get(self._key) if self._key else None
            offered = instrument is not None and instrument.mtf_margin_bps is not None
            return offered and self._side is Side.BUY
        return True

    def action_affordable(self) -> None:
        """Take the quantity the client can afford."""
        way = alternative(self._line, AlternativeKind.AFFORDABLE) if self._line else None
        if way is not None:
            self._number("quantity").value = str(way.quantity)
            self._touched()

    def action_toggle_mtf(self) -> None:
        """By MTF, with the quantity it allows; or back to CNC."""
        product = self._choice("product")
        way = alternative(self._line, AlternativeKind.MTF) if self._line else None
        if way is not None:
            self._number("quantity").value = str(way.quantity)
        lent = product.value == Product.MTF.value
        product.value = Product.CNC.value if lent else Product.MTF.value
        self._touched()

    @property
    def _is_duplicate(self) -> bool:
        """Whether the order is refused because the same was sent a moment ago."""
        return self._line is not None and self._line.reason is Reason.DUPLICATE_INTENT

    def action_send_again(self) -> None:
        """Insist that the same order goes again; a change of any field takes it back."""
        self._touched()
        self._insists = True

    def action_last_price(self) -> None:
        """A LIMIT order at the last price."""
        quote = self.desk.market.quote(self._key) if self._key else None
        if quote is None:
            self.shell.say("no price yet", "warning")
            return
        self._choice("type").value = with_limit(self._choice("type").value)
        self._number("price").value = formats.typed(quote.last_paise)
        self._touched()

    # Review

    def _ask(self) -> None:
        if not self._asking:
            self._asking = True
            self.run_worker(self.before_further_keys(self._review()), exit_on_error=False)

    async def _review(self) -> None:
        try:
            intent = self._intent()
            self._plan = await self.desk.plans.preview(intent)
            if self._plan.orders:
                plan = await self.desk.plans.freeze(intent)
                self.app.push_screen(ReviewScreen(plan), self._reviewed)
        except BadInput as bad:
            self._complaint = f"{bad.field}: {bad.expected}"
        except Exception as problem:
            self._complaint = refusal_words(problem) or type(problem).__name__
        finally:
            self._asking = False
            self._paint()

    def _reviewed(self, run_number: int | None) -> None:
        if run_number is None:
            self._changed = True
            return
        self.dismiss(None)

    # Showing

    def on_frame(self) -> None:
        """The price moves, and what is typed is looked at."""
        if self.desk.market.take_dirty(OWNER):
            self._changed = True
        self._paint()
        if self._changed and not self._previewing:
            self._changed = False
            self._previewing = True
            self.run_worker(self._preview(), exit_on_error=False)

    async def _preview(self) -> None:
        try:
            self._plan = await self.desk.plans.preview(self._intent())
            if self._complaint.startswith(("quantity", "price", "trigger", "limit", "client", "symbol")):
                self._complaint = ""
        except BadInput as bad:
            self._plan = None
            typed = bool(self._number("quantity").value)
            if typed and self._client_id is not None and self._key is not None:
                self._complaint = f"{bad.field}: {bad.expected}"
        finally:
            self._previewing = False
            self._paint()
            self.refresh_bindings()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._paint()

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        desk, masked = self.desk, self.shell.privacy
        # There is room for the trigger or for the validity; a stop order stands for the day.
        stops = self._choice("type").value in STOPS
        self._choice("validity").display = not stops
        self._number("trigger").display = self.query_one("#trigger-label").display = stops
        instrument = desk.market.index.get(self._key) if self._key else None
        client = desk.clients.get(self._client_id) if self._client_id is not None else None
        what = instrument.tradingsymbol if instrument else "…"
        name = MASK if masked else plain(client.name) if client else ""
        whom = f"{client.code} {name}" if client else "…"
        style = "$side-buy bold" if self._side is Side.BUY else "$side-sell bold"
        self.query_one("#ticket-title", SteadyStatic).update(
            Content.assemble((f"{self._side.value} {what} for {whom}", style), f"   {desk.mode}")
        )
        quote = desk.market.quote(self._key) if self._key else None
        words = ""
        if self._key is not None:
            age = formats.age(desk.market.age(self._key))
            words = f"LTP {formats.price(quote.last_paise if quote else None)} {age}"
            if quote is not None:
                bid, ask = formats.price(quote.bid_paise or None), formats.price(quote.ask_paise or None)
                words += f"  {bid}/{ask}"
        self.query_one("#ticket-quote", SteadyStatic).update(Content(words))
        funds = desk.funds.of(client.id) if client else None
        money = money_words(self._side, self._plan, funds, self._held(), masked)
        self.query_one("#money", SteadyStatic).update(Content(money))
        lines = problem_lines(self._line, self._side, masked)
        if self._complaint:
            lines = [self._complaint, *lines]
        if self._is_duplicate:
            lines.append("  A  the same again, on purpose")
        elif self._insists:
            lines.append("the same again, on purpose")
        for field in self.query(NumberField):
            field.own_keys = OWN_KEYS + "A" * self._is_duplicate
        self.query_one("#problem", SteadyStatic).update(Content("\n".join(plain(line) for line in lines)))

    def here(self) -> Here:
        """The ticket's symbol and client."""
        return Here(key=self._key, client_id=self._client_id) if self.is_mounted else Here()
