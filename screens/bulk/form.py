"""The form of a bulk intent: one symbol, many clients, and what it would come to right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from data.errors import BadInput
from data.records import replace
from data.vocabulary import Drift, Side
from engine.planning.intent import Intent, Selection
from engine.planning.titles import holders_title
from engine.words.formats import counted
from engine.words.forms import was_words
from engine.words.trading.client_terms import multipliers_words
from engine.words.trading.plans import REVERSE_OF, run_named_by, wish_words
from screens.bulk.beside import FormClients, SymbolRuns
from screens.bulk.fields import BulkFields
from screens.bulk.presets import PresetsCard
from screens.bulk.preview import Preview
from screens.bulk.typed import with_changes
from screens.bulk.whom import NOBODY_YET, holders_of, whom, whom_words
from screens.desk.depth import DepthPane
from screens.frame.commands import bindings
from screens.frame.intent_fields import symbol_problem
from screens.frame.pane import Pane
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.symbolinput import SymbolInput
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from screens.frame.workspace import Framed


class BulkForm(Vertical, can_focus=True):
    """Side, symbol, size, product, price and clients. Enter in any field asks for the plan.

    The form itself has the focus until Tab, Enter or the mouse goes into its fields, so that a digit meant
    for a workspace changes no size.
    """

    FOCUS_ON_CLICK = False
    """Whether a click beside its fields, as on a key that it names, takes the focus out of them."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "enter_fields", "edit", key_display="Tab", id="form.edit"),
        Binding("shift+tab", "enter_fields", "edit", show=False, id="form.edit_back"),
        Binding("enter", "plan", "go on", key_display="Enter", id="form.plan"),
        *bindings("price.last", "intent.presets", "close"),
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
        self._whom = NOBODY_YET
        self._base: Intent | None = None
        self._begun_on: tuple[Side, str | None, tuple[int, ...], tuple[int, ...]] | None = None
        self._draft = False
        self._filled_with: dict[str, str] = {}
        self._left_field: Widget | None = None

    def compose(self) -> ComposeResult:
        """A row a question, answers beside them, the figures below."""
        with Pane("form-pane"):
            yield BulkFields()
            yield Preview(self.intent)
            yield KeyHint(id="form-hint")
        yield FormClients(self._screen.shell)
        with Vertical(id="form-beside"):
            yield DepthPane(self._screen.desk, id="form-symbol", with_line=True)
            yield SymbolRuns(self._screen.shell)

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    @property
    def fields(self) -> BulkFields:
        """What is typed into."""
        return self.query_one(BulkFields)

    @property
    def key(self) -> str | None:
        """The symbol chosen."""
        return self.fields.key

    # Filling

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked clients the form was begun with; `B` and `S` within it carry them on."""
        return self._whom.marked

    @property
    def shown(self) -> tuple[int, ...]:
        """The clients that a group or filter left in view where the form was begun, carried on likewise."""
        return self._whom.shown

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
        self.fields.clear(side, key)
        self._set_clients(client_ids, None, shown)
        self._after_fill()

    def fill(self, intent: Intent) -> None:
        """The form as this intent would have been typed, its changes by hand included."""
        self._begun_on, self._draft = None, False
        self._base = intent
        self.side = intent.side
        self.fields.fill(intent)
        self._set_clients((), intent.selection)
        self._after_fill()

    def _after_fill(self) -> None:
        self.query_one(Preview).forget()
        self._filled_with = self.fields.values()
        self._left_field = None
        self.run_worker(self._screen.desk.market.read_names(), exit_on_error=False)
        if self.key is None:
            self.fields.symbol.leaves_digits = True
            self.fields.symbol.focus()
        else:
            self.focus()
        self.paint()

    def leave_fields(self) -> None:
        """Take the focus out of the fields, as when the trader comes back by a workspace's digit."""
        focused = self._screen.focused
        if focused is not None and self in focused.ancestors:
            self._left_field = focused
        self.focus()

    def _set_clients(self, marked: Sequence[int], given: Selection | None, shown: Sequence[int] = ()) -> None:
        self._whom = whom(self._screen.desk, self.side, marked, shown, given)
        self.fields.choice("clients").set_options(list(self._whom.options), self._whom.first)

    # Reading

    def intent(self) -> Intent:
        """What the form says. Raises `BadInput` naming the field that does not do."""
        made = self.fields.typed().intent()
        return with_changes(replace(made, selection=self._selection()), self._base)

    def _selection(self) -> Selection:
        chosen = self._whom.options[self.fields.choice("clients").value]
        if chosen is not None:
            return chosen
        holders = holders_of(self._screen.desk, self.key)
        if not holders:
            raise BadInput("clients", "holders", "nobody holds it; choose other clients with ← →")
        return Selection(client_ids=holders, title=holders_title(len(holders)))

    @property
    def _keeps(self) -> bool:
        """Whether the fields still are those whose quantities, changes by hand and name were given."""
        now, given = self.fields.values(), self._filled_with
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
        fields = self.fields
        first = fields.number("value") if self.key is not None else fields.symbol.query_one(Input)
        # At once: `focus` waits for its turn, and a digit typed right behind Tab would not.
        self._screen.set_focus(self._left_field or first)

    def action_plan(self) -> None:
        """Ask for the plan."""
        self._ask()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever went from field to field types into them."""
        symbol = self.fields.symbol
        if symbol not in event.widget.ancestors:
            symbol.leaves_digits = False

    def on_symbol_input_chosen(self, event: SymbolInput.Chosen) -> None:
        """Its price is needed, and what is wished changes."""
        event.stop()
        self.query_one(Preview).outdated = True
        self.post_message(self.SymbolChosen(str(event.key)))
        self.paint()

    def on_symbol_input_unmatched(self, event: SymbolInput.Unmatched) -> None:
        """Say what was meant instead."""
        event.stop()
        self._screen.shell.say(str(symbol_problem(self._screen.desk, event.text)), "refused")

    @dataclass
    class SymbolChosen(Message):
        """Another symbol's price is needed."""

        key: str

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Something else is wished."""
        event.stop()
        self.query_one(Preview).outdated = self._draft = True
        self.paint()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """Something else is wished."""
        event.stop()
        self.query_one(Preview).outdated = self._draft = True

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Something else is wished."""
        event.stop()
        self.query_one(Preview).outdated = self._draft = True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def _ask(self) -> None:
        try:
            self.post_message(self.Ready(self.intent()))
        except BadInput as bad:
            self._screen.shell.say(str(bad), "refused")

    def action_last_price(self) -> None:
        """A LIMIT order at the last price."""
        quote = self._screen.desk.market.quote(self.key) if self.key else None
        if quote is None:
            self._screen.shell.say("no price yet", "warning")
            return
        self.fields.take_price(quote.last_paise)
        self.query_one(Preview).outdated = True

    def action_presets(self) -> None:
        """Bring a saved wish back, or keep this one under a name."""
        self.run_worker(self._presets(), exclusive=True, group="presets", exit_on_error=False)

    async def _presets(self) -> None:
        try:
            wish: Intent | None = self.intent()
        except BadInput:
            wish = None
        card = PresetsCard(await self._screen.desk.presets.all(), wish)

        def answered(yes: bool | None) -> None:
            if yes and card.chosen is not None:
                self.fill(card.chosen)
                self.post_message(self.SymbolChosen(card.chosen.key))

        self._screen.open_card(card, answered)

    def action_close(self) -> None:
        """Go back; the form keeps what it holds."""
        self.post_message(self.Left())

    # Showing

    def on_frame(self) -> None:
        """The price, and the preview of what was typed since."""
        self.paint()
        preview = self.query_one(Preview)
        preview.look()
        if preview.answered:  # the order of the clients is the plan's
            self.query_one(FormClients).on_frame(self.key, self._chosen(), preview.plan)
        self.query_one(DepthPane).show(self.key)
        self.query_one(SymbolRuns).on_frame(self.key)

    def runs_changed(self) -> None:
        """Runs of the symbol may have come further."""
        self.query_one(SymbolRuns).heard()

    def _chosen(self) -> list[ClientView]:
        """Whom it is for as it stands; nobody where that does not do."""
        try:
            return self._screen.desk.plans.select(self._selection())
        except BadInput:
            return []

    def paint(self) -> None:
        """Title, price, and the facts beside the fields."""
        side = self.side
        self.set_class(side is Side.BUY, "-buy")
        self.set_class(side is Side.SELL, "-sell")
        self.query_one("#form-pane", Pane).set_title(f"{side.value} {self._called()}")
        self.fields.paint()
        self._paint_fact("size-fact", self._was("value", "kind"), self._size_words())
        terms = filter(None, (self._was("product", "validity"), self._limit_words()))
        self._paint_fact("product-fact", " · ".join(terms), "")
        price_hint = " · ".join(filter(None, (self.query_one(Preview).protected, "@ last price")))
        self._paint_fact("price-fact", self._was("type", "price", "trigger"), price_hint)
        self._paint_clients()
        self._paint_fact("ref-fact", "", "the client's instruction, kept 15 minutes")
        tab = "Tab edits; digits go to the workspaces" if self.has_focus else "Tab next field"
        self.query_one("#form-hint", SteadyStatic).update(
            Content(f"Enter plans, typed words send.  {tab}{self._changes_words()}")
        )

    def _called(self) -> str:
        """What the plan would be called: a reversal or a repair, as long as its quantities are its own."""
        wish = self._base
        if wish is None or not self._keeps:
            return "for many clients"
        if wish.line_changes and wish.selection.title.startswith(REVERSE_OF):
            return wish_words(wish)
        return wish.selection.title if run_named_by(wish.selection.title) else "for many clients"

    def _limit_words(self) -> str:
        """What it means that the price may move as far as it will."""
        return "no drift limit" if self.fields.choice("drift").value == Drift.NONE.upper() else ""

    def _size_words(self) -> str:
        if self._base is not None and self._base.line_changes and self._called().startswith("what "):
            return "each its own until changed"
        return " · ".join(filter(None, ("←→ choose  ↑↓ step", multipliers_words(self._chosen()))))

    def _changes_words(self) -> str:
        changes = len(self._base.line_changes) if self._base else 0
        if not changes or self._called().startswith("what "):
            return ""
        if not self._keeps:
            return f"\n{counted(changes, 'line')} changed by hand left out: made for what stood here before"
        return f"\n{counted(changes, 'line')} changed by hand, kept while the rest changes"

    def _was(self, *names: str) -> str:
        return was_words(self.fields.values(), self._filled_with, names)

    def _paint_fact(self, name: str, was: str, hint: str) -> None:
        fact = self.query_one(f"#{name}", SteadyStatic)
        fact.set_class(bool(was), "warn")
        fact.update(Content(plain(was or hint)))

    def _paint_clients(self) -> None:
        chosen, was = self.fields.choice("clients").value, self._was("clients")
        words, narrowed = whom_words(self._screen.desk, self._whom, chosen, self.key)
        warned = words if narrowed else ""
        self._paint_fact("clients-fact", f"{words} · {was}" if was else warned, words)
