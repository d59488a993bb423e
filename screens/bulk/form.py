"""The form of a bulk intent: one symbol, many clients, and what it would come to right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from data.errors import BadInput
from data.money import bps_from_percent_text, count_from_text, paise_from_text, rupees_of
from data.vocabulary import OrderType, Product, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing, standing_from
from engine.words import formats
from engine.words.formats import counted
from engine.words.forms import was_words
from engine.words.plans import REVERSE_OF, SIZING_WORDS, figures_line, run_named_by, skipped_words, wish_words
from screens.frame.commands import bindings
from screens.frame.intent_fields import (
    AS_HELD,
    FIRST_VALUES,
    KINDS,
    MARKED,
    PERCENTAGES,
    PRICED,
    SIZES,
    STOPS,
    marked_title,
    prices_from,
    shown_title,
    standings,
    suggest_symbols,
    symbol_problem,
    with_limit,
)
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.symbolinput import SymbolInput
from widgets.text import plain

if TYPE_CHECKING:
    from screens.frame.workspace import Framed

PREVIEW_EVERY_S = 2.0
"""Seconds between two previews that only the price asks for; what is typed is previewed on the next frame."""


class BulkForm(Vertical, can_focus=True):
    """Side, symbol, size, product, price and clients. Enter in any field asks for the plan.

    The form itself has the focus until Tab, Enter or the mouse goes into its fields, so that a digit meant
    for a workspace changes no size.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "enter_fields", "edit", key_display="Tab", id="form.edit"),
        Binding("shift+tab", "enter_fields", "edit", show=False, id="form.edit_back"),
        Binding("enter", "plan", "go on", key_display="Enter", id="form.plan"),
        *bindings("price.last", "close"),
    ]

    @dataclass
    class Ready(Message):
        """The trader wants the plan of this intent."""

        intent: Intent

    @dataclass
    class Left(Message):
        """The trader goes back; the form keeps what it holds."""

    def __init__(self) -> None:
        super().__init__(id="form")
        self.side = Side.BUY
        self._sized = SIZES[Side.BUY][0]
        self._selections: dict[str, Selection | None] = {}
        self._base: Intent | None = None
        self._begun_on: tuple[Side, str | None, tuple[int, ...], tuple[int, ...]] | None = None
        self._draft = False
        self._changed = True
        self._previewed_at = float("-inf")
        self._previewing = False
        self._filled = 0
        self._priced_for: str | None = None
        self._filled_with: dict[str, str] = {}
        self._left_field: Widget | None = None

    def compose(self) -> ComposeResult:
        """A row a question, answers beside them, the figures below."""
        yield SteadyStatic(id="form-title")
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
            yield NumberField(id="value")
            yield ChoiceField([SIZING_WORDS[kind] for kind in SIZES[Side.BUY]], id="kind")
            yield SteadyStatic(id="size-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("product", classes="label")
            yield ChoiceField(["CNC", "MTF", "MIS"], id="product")
            yield SteadyStatic("validity", classes="label inner", id="validity-label")
            yield ChoiceField(standings(self._screen.desk), id="validity")
            yield SteadyStatic(id="product-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("type", classes="label")
            yield ChoiceField([kind.value for kind in KINDS], id="type")
            yield SteadyStatic("price", classes="label inner")
            yield NumberField(decimals=2, id="price")
            yield SteadyStatic("trigger", classes="label inner", id="trigger-label")
            yield NumberField(decimals=2, id="trigger")
            yield SteadyStatic(id="price-fact", classes="fact")
        with Horizontal(classes="row"):
            yield SteadyStatic("clients", classes="label")
            yield ChoiceField(["all"], id="clients")
            yield SteadyStatic(id="clients-fact", classes="fact")
        yield SteadyStatic(id="preview")
        yield SteadyStatic(id="preview-problem")
        yield SteadyStatic(id="form-hint")

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    def _number(self, name: str) -> NumberField:
        return self.query_one(f"#{name}", NumberField)

    @property
    def key(self) -> str | None:
        """The symbol chosen."""
        chosen = self.query_one(SymbolInput).chosen_key
        return chosen if isinstance(chosen, str) else None

    # Filling

    marked: tuple[int, ...] = ()
    """The marked clients the form was begun with; `B` and `S` within it carry them on."""

    shown: tuple[int, ...] = ()
    """The clients that a group or filter left in view where the form was begun, carried on likewise."""

    def begin(
        self, side: Side, key: str | None, client_ids: Sequence[int], shown: Sequence[int] = ()
    ) -> None:
        """An empty wish for a side, with the symbol and the clients that were under the trader's hands.

        What was typed since the form was last begun in the same place, and has become no plan, stays. Nothing
        else is remembered, so that no figure of another wish slips into this one; `.` brings the last back.
        """
        begun_on = (side, key, tuple(client_ids), tuple(shown))
        if self._draft and begun_on == self._begun_on:
            self.leave_fields()
            return
        self._begun_on, self._draft = begun_on, False
        self._base = None
        self.side = side
        self._set_symbol(key)
        self._set_products(AS_HELD if side is Side.SELL else Product.CNC.value)
        self._set_size(SIZES[side][0])
        self._choice("type").value = OrderType.MARKET.value
        self._choice("validity").value = "DAY"
        self._number("price").value = self._number("trigger").value = ""
        self._set_clients(client_ids, None, shown)
        self._after_fill()

    def fill(self, intent: Intent) -> None:
        """The form as this intent would have been typed, its changes by hand included."""
        self._begun_on, self._draft = None, False
        self._base = intent
        self.side = intent.side
        self._set_symbol(intent.key)
        self._set_products(AS_HELD if intent.product is None else intent.product.value)
        kind, value = intent.sizing.kind, intent.sizing.value
        self._set_size(kind)
        shares = kind is SizingKind.FIXED_QUANTITY
        self._number("value").value = str(value) if shares else formats.percent(value)
        self._choice("type").value = intent.order_type.value
        self._choice("validity").value = intent.standing
        limit = intent.limit_paise
        self._number("price").value = formats.typed(limit)
        trigger = intent.trigger_paise
        self._number("trigger").value = formats.typed(trigger)
        self._set_clients((), intent.selection)
        self._after_fill()

    def _after_fill(self) -> None:
        self._changed = True
        # What is shown or still being looked at is another wish's; it must not stand under this one.
        self._filled += 1
        self._show_preview("", "")
        self._filled_with = self._values()
        self._left_field = None
        self.run_worker(self._screen.desk.market.read_names(), exit_on_error=False)
        if self.key is None:
            self.query_one(SymbolInput).leaves_digits = True
            self.query_one(SymbolInput).focus()
        else:
            self.focus()
        self.paint()

    def _values(self) -> dict[str, str]:
        """What stands in each field."""
        fields = (*self.query(NumberField), *self.query(ChoiceField))
        return {field.id or "": field.value for field in fields} | {"symbol": self.key or ""}

    def leave_fields(self) -> None:
        """Take the focus out of the fields, as when the trader comes back by a workspace's digit."""
        focused = self._screen.focused
        if focused is not None and self in focused.ancestors:
            self._left_field = focused
        self.focus()

    def _set_symbol(self, key: str | None) -> None:
        instrument = self._screen.desk.market.index.get(key) if key else None
        if instrument is not None and not instrument.tradable:
            instrument = None
        self.query_one(SymbolInput).set_chosen(
            instrument.key if instrument else None, instrument.tradingsymbol if instrument else ""
        )
        self._symbol_changed()

    def _symbol_changed(self) -> None:
        self._priced_for = self.key
        instrument = self._screen.desk.market.index.get(self.key) if self.key else None
        if instrument is not None:
            self._number("price").step = self._number("trigger").step = rupees_of(instrument.tick_paise)
        self._set_size_step()
        self._changed = True

    def _set_products(self, chosen: str) -> None:
        words = [product.value for product in Product]
        self._choice("product").set_options([AS_HELD, *words] if self.side is Side.SELL else words, chosen)

    def _set_size(self, kind: SizingKind) -> None:
        kinds = SIZES[self.side] if kind in SIZES[self.side] else (*SIZES[self.side], kind)
        self._choice("kind").set_options([SIZING_WORDS[each] for each in kinds], SIZING_WORDS[kind])
        self._number("value").value = FIRST_VALUES[kind]
        self._sized = kind
        self._set_size_step()

    def _set_size_step(self) -> None:
        value, kind = self._number("value"), self._kind
        instrument = self._screen.desk.market.index.get(self.key) if self.key else None
        value.decimals = 0 if kind is SizingKind.FIXED_QUANTITY else 2
        lot = instrument.lot_size if instrument else 1
        value.step = Decimal({SizingKind.FIXED_QUANTITY: lot, SizingKind.FIXED_AMOUNT: 1_000}.get(kind, 1))

    @property
    def _kind(self) -> SizingKind:
        return next(kind for kind, words in SIZING_WORDS.items() if words == self._choice("kind").value)

    def _set_clients(self, marked: Sequence[int], given: Selection | None, shown: Sequence[int] = ()) -> None:
        """Whom it may be for. What was given, is marked or alone shown stands first and says so in words."""
        desk = self._screen.desk
        clients = desk.clients.all()
        options: dict[str, Selection | None] = {}
        if given is not None and (given.client_ids or given.groups or given.brokers):
            # Whom it is for, which stays true once another size has made it an ordinary plan.
            run = run_named_by(given.title)
            options[f"{len(given.client_ids)} of {run}" if run else given.title] = given
        self.marked = tuple(marked)
        if given is not None and MARKED in given.title:
            self.marked = given.client_ids
        self.shown = tuple(shown)
        if given is not None and given.title == shown_title(len(given.client_ids), len(clients)):
            self.shown = given.client_ids
        if marked:
            title = marked_title(len(marked), len(clients))
            options[title] = Selection(client_ids=tuple(marked), title=title)
        if shown:
            title = shown_title(len(shown), len(clients))
            options[title] = Selection(client_ids=tuple(shown), title=title)
        if self.side is Side.SELL:
            options["holders"] = None
        options[f"all ({len(clients)})"] = Selection()
        for group in desk.clients.groups():
            size = sum(group in client.groups for client in clients)
            options[f"group {group} ({size})"] = Selection(groups=(group,), title=f"group {group} ({size})")
        brokers = sorted({client.broker for client in clients})
        for broker in brokers if len(brokers) > 1 else []:
            size = sum(client.broker == broker for client in clients)
            options[f"at {broker} ({size})"] = Selection(brokers=(broker,), title=f"at {broker} ({size})")
        self._selections = options
        words = list(options)
        everyone = given is not None and not (given.client_ids or given.groups or given.brokers)
        self._choice("clients").set_options(words, f"all ({len(clients)})" if everyone else words[0])

    @property
    def _holders(self) -> tuple[int, ...]:
        """Clients with anything of the symbol, in the order of their codes."""
        desk = self._screen.desk
        instrument = desk.market.index.get(self.key) if self.key else None
        if instrument is None:
            return ()
        held = {h.client_id for h in desk.holdings.all() if h.security == instrument.security and h.quantity}
        return tuple(client.id for client in desk.clients.all() if client.id in held)

    # Reading

    def intent(self) -> Intent:
        """What the form says. Raises `BadInput` naming the field that does not do."""
        if self.key is None:
            raise symbol_problem(self._screen.desk, self.query_one(SymbolInput).text)
        kind, text = self._kind, self._number("value").value
        if not text.strip():
            raise BadInput("size", text, f"give a number for {SIZING_WORDS[kind]}")
        if kind is SizingKind.FIXED_QUANTITY:
            value = count_from_text(text, "quantity")
        elif kind is SizingKind.FIXED_AMOUNT:
            value = paise_from_text(text, "amount")
        else:
            value = bps_from_percent_text(text, "size")
        order_type = OrderType(self._choice("type").value)
        limit, trigger = prices_from(order_type, self._number("price").value, self._number("trigger").value)
        product = self._choice("product").value
        validity, after_market = standing_from(self._choice("validity").value)
        made = Intent(
            side=self.side,
            key=self.key,
            sizing=Sizing(kind, value),
            order_type=order_type,
            product=None if product == AS_HELD else Product(product),
            limit_paise=limit,
            trigger_paise=trigger,
            selection=self._selection(),
            validity=validity,
            after_market=after_market,
        )
        return self._with_changes(made)

    def _selection(self) -> Selection:
        chosen = self._selections[self._choice("clients").value]
        if chosen is not None:
            return chosen
        holders = self._holders
        if not holders:
            raise BadInput("clients", "holders", "nobody holds it; choose other clients with ← →")
        return Selection(client_ids=holders, title=f"holders ({len(holders)})")

    def _with_changes(self, made: Intent) -> Intent:
        """Changes by hand last as long as what they were made for, and so does the name of a reversal."""
        base = self._base
        if base is None or base.selection != made.selection:
            return made
        same = (base.side, base.key, base.product, base.sizing) == (
            made.side,
            made.key,
            made.product,
            made.sizing,
        )
        if same:
            return replace(made, line_changes=base.line_changes)
        if not run_named_by(made.selection.title):
            return made
        title = counted(len(made.selection.client_ids), "client")
        return replace(made, selection=replace(made.selection, title=title))

    @property
    def _keeps(self) -> bool:
        """Whether the fields still are those whose quantities, changes by hand and name were given."""
        now, given = self._values(), self._filled_with
        return all(now[name] == given.get(name) for name in ("value", "kind", "product", "symbol", "clients"))

    def settle(self, intent: Intent) -> None:
        """What was typed has become a plan, and is no draft any more."""
        self._base = intent
        self._draft = False

    # What the trader does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab goes into the fields once; from there on it goes from one to the next."""
        return self.has_focus if action == "enter_fields" else True

    def action_enter_fields(self) -> None:
        """Into the field that was left, else into the size."""
        finder = self.query_one(SymbolInput).query_one(Input)
        # At once: `focus` waits for its turn, and a digit typed right behind Tab would not.
        self._screen.set_focus(self._left_field or (finder if self.key is None else self._number("value")))

    def action_plan(self) -> None:
        """Ask for the plan."""
        self._ask()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever went from field to field types into them."""
        symbol = self.query_one(SymbolInput)
        if symbol not in event.widget.ancestors:
            symbol.leaves_digits = False

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """On to the size. A price that was typed is one of the symbol before."""
        event.stop()
        if str(event.key) != self._priced_for:
            self._number("price").value = self._number("trigger").value = ""
        self._symbol_changed()
        focused = self._screen.focused
        if focused is not None and event.field in focused.ancestors:
            self._number("value").focus()
        self.post_message(self.SymbolChosen(str(event.key)))
        self.paint()

    def on_symbol_input_unmatched(self, event: SymbolInput.Unmatched) -> None:
        """Say what was meant instead."""
        event.stop()
        self._screen.shell.say(str(symbol_problem(self._screen.desk, event.text)), "warning")

    @dataclass
    class SymbolChosen(Message):
        """Another symbol's price is needed."""

        key: str

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Each sizing has its own figure; a percentage typed by hand stays one of another base."""
        event.stop()
        if event.field.id == "kind":
            before, typed = self._sized, self._number("value").value
            self._set_size(self._kind)
            if {before, self._kind} <= PERCENTAGES and typed != FIRST_VALUES[before]:
                self._number("value").value = typed
        if event.field.id == "type" and event.value not in PRICED:
            self._number("price").value = ""
        if event.field.id == "type" and event.value not in STOPS:
            self._number("trigger").value = ""
        self._changed = self._draft = True
        self.paint()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """A price makes a MARKET order a LIMIT, and a stop order without a limit one with it."""
        event.stop()
        if event.field.id == "price" and event.value.strip():
            self._choice("type").value = with_limit(self._choice("type").value)
        self._changed = self._draft = True

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def _ask(self) -> None:
        try:
            self.post_message(self.Ready(self.intent()))
        except BadInput as bad:
            self._screen.shell.say(str(bad), "warning")

    def action_last_price(self) -> None:
        """A LIMIT order at the last price."""
        quote = self._screen.desk.market.quote(self.key) if self.key else None
        if quote is None:
            self._screen.shell.say("no price yet", "warning")
            return
        self._choice("type").value = with_limit(self._choice("type").value)
        self._number("price").value = formats.typed(quote.last_paise)
        self._changed = True

    def action_close(self) -> None:
        """Go back; the form keeps what it holds."""
        self.post_message(self.Left())

    # Showing

    def on_frame(self) -> None:
        """The price, and the preview of what was typed since."""
        self.paint()
        now = self._screen.shell.monotonic()
        if not self._previewing and (self._changed or now - self._previewed_at >= PREVIEW_EVERY_S):
            self._changed = False
            self._previewed_at = now
            self._previewing = True
            self.run_worker(self._preview(), exit_on_error=False)

    async def _preview(self) -> None:
        filled = self._filled
        try:
            plan = await self._screen.desk.plans.preview(self.intent())
        except BadInput as bad:
            if filled == self._filled:
                self._show_preview("", f"{bad.field}: {bad.expected}")
        else:
            if filled != self._filled:
                return
            masked = "•••" if self._screen.shell.privacy else ""
            brief = self.size.width < 100
            eta = "" if brief else f" · ETA {plan.eta_s} s"
            self._show_preview(
                f"at the price now: {figures_line(plan, brief, masked)}{eta}",
                skipped_words(plan, brief) if plan.skipped_lines else "",
            )
        finally:
            self._previewing = False

    def _show_preview(self, figures: str, problem: str) -> None:
        self.query_one("#preview", SteadyStatic).update(Content(plain(figures)))
        self.query_one("#preview-problem", SteadyStatic).update(Content(plain(problem)))

    def paint(self) -> None:
        """Title, price, and the facts beside the fields."""
        desk, side = self._screen.desk, self.side
        self.set_class(side is Side.BUY, "-buy")
        self.set_class(side is Side.SELL, "-sell")
        self.query_one("#form-title", SteadyStatic).update(Content(f" {side.value} {self._called()}"))
        stops = self._choice("type").value in STOPS
        self._number("trigger").display = self.query_one("#trigger-label").display = stops
        key = self.key
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
        self._paint_fact("size-fact", self._was("value", "kind"), self._size_words())
        self._paint_fact("product-fact", self._was("product", "validity"), "")
        self._paint_fact("price-fact", self._was("type", "price", "trigger"), "@ takes the last price")
        self._paint_clients()
        tab = "Tab edits, digits go to the workspaces" if self.has_focus else "Tab next field"
        self.query_one("#form-hint", SteadyStatic).update(
            Content(
                f"Enter makes the plan; nothing is sent before typed words.  {tab}{self._changes_words()}"
            )
        )

    def _called(self) -> str:
        """What the plan would be called: a reversal or a repair, as long as its quantities are its own."""
        wish = self._base
        if wish is None or not self._keeps:
            return "for many clients"
        if wish.line_changes and wish.selection.title.startswith(REVERSE_OF):
            return wish_words(wish)
        return wish.selection.title if run_named_by(wish.selection.title) else "for many clients"

    def _size_words(self) -> str:
        if self._base is not None and self._base.line_changes and self._called().startswith("what "):
            return "each client's own; another size makes it an ordinary plan"
        return "←→ choose  ↑↓ step"

    def _changes_words(self) -> str:
        changes = len(self._base.line_changes) if self._base else 0
        if not changes:
            return ""
        if not self._keeps:
            return (
                f"\n{changes} lines changed by hand are left out: they were made for what stood here before"
            )
        return f"\n{changes} lines were changed by hand and stay so while the rest does"

    def _was(self, *names: str) -> str:
        return was_words(self._values(), self._filled_with, names)

    def _paint_fact(self, name: str, was: str, hint: str) -> None:
        fact = self.query_one(f"#{name}", SteadyStatic)
        fact.set_class(bool(was), "warn")
        fact.update(Content(plain(was or hint)))

    def _paint_clients(self) -> None:
        chosen, was = self._choice("clients").value, self._was("clients")
        marked = MARKED in chosen
        shown = bool(self.shown) and chosen == shown_title(
            len(self.shown), len(self._screen.desk.clients.all())
        )
        if chosen == "holders":
            words = f"{len(self._holders)} clients hold it"
        elif marked:
            words = "only the marked clients; ← → for all or a group"
        elif shown:
            words = "only the clients that were in view; ← → for all or a group"
        else:
            words = "← → marked, groups, brokers"
        self._paint_fact(
            "clients-fact", f"{words} · {was}" if was else words if marked or shown else "", words
        )
