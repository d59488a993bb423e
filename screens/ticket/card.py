"""The ticket: one order for one client, from the fields over what it needs to the review that takes `y`."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput
from data.records import replace
from data.vocabulary import AlternativeKind, Product, Reason, Side
from engine.planning.intent import MOST_REF
from engine.words import formats
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from engine.words.trading.plans import alternative
from engine.words.trading.reasons import INSIST_WORDS
from engine.words.trading.tickets import money_words, problem_lines, standing_words
from screens.frame.cards.override import ask_override
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.draft import Draft
from screens.frame.shell import Here
from screens.ticket.fields import OWN_KEYS, OrderFields
from screens.ticket.review import ReviewCard
from screens.ticket.what_if import WhatIfCard
from widgets.keyline import KeyHint
from widgets.numberfield import NumberField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import clip, plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan, PlanLine

KEYS = "Tab field  ↑↓ step  ←→ choose  @ last price  w what-if  Enter review  Esc close"

_OF_FIELDS = ("quantity", "price", "trigger", "limit", "client", "symbol", "disclosed", "ref")
"""Fields whose complaint ends with what is typed next."""

TICKETS = count(1)
"""Each ticket follows its price under a number of its own, since every workspace may have one open."""


class TicketCard(Card[None]):
    """Fields above, what the order needs below, live; Enter leads to the review and never sends."""

    TITLE_WORDS = "Order ticket"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.affordable", "plan.mtf", "plan.again", "plan.what_if", "price.last")
    ]

    def __init__(
        self,
        side: Side,
        key: str | None = None,
        client_id: int | None = None,
        key_proposed: bool = False,
        product: str | None = None,
        draft: Draft | None = None,
    ) -> None:
        """`key_proposed` says that the symbol is a guess, which typing is to replace.

        A sell begins with `product`, of which the client has some. A `draft` is put back, whatever else is
        given.
        """
        super().__init__()
        self._draft = draft
        self._side = side
        self._opened_on = (key, client_id, key_proposed)
        self._product = product
        self._owner = f"ticket {next(TICKETS)}"
        self._followed: str | None = None
        self._plan: Plan | None = None
        self._changed = True
        self._previewing = False
        self._asking = False
        self._complaint = ""
        self._insists, self._override = False, ""
        self._told_by: int | None = None
        """The client whose instruction stands proposed."""

    def compose(self) -> ComposeResult:
        """The fields, the money, what is in the way."""
        yield OrderFields(self.desk, self._side, lambda: self.shell.privacy)
        with Horizontal(classes="row"):
            yield SteadyStatic(id="money")
            yield SteadyStatic("ref", id="ref-label")
            yield SteadyInput(max_length=MOST_REF, compact=True, id="ref")
        yield KeyHint(id="problem")
        yield KeyHint(KEYS, classes="keys")

    @property
    def side(self) -> Side:
        """The side of the order."""
        return self._side

    @property
    def fields(self) -> OrderFields:
        """What is typed."""
        return self.query_one(OrderFields)

    @property
    def _line(self) -> PlanLine | None:
        """The one line of what was looked at last."""
        return self._plan.lines[0] if self._plan else None

    # Beginning and ending

    def on_mount(self) -> None:
        """The row it was opened on."""
        self.run_worker(self.desk.market.read_names(), exit_on_error=False)
        key, client_id, _ = self._opened_on
        self.fields.set_client(client_id)
        self.fields.set_symbol(key)
        if self._product is not None:
            self.fields.set_product(self._product)
        if self._draft is not None:
            self.fields.put_back(self._draft.typed)
        self._follow()
        self._propose_ref()
        self._paint()

    def begin(self) -> None:
        """What is missing has the focus."""
        self.fields.next_open(proposed=self._opened_on[2])

    def on_unmount(self) -> None:
        """Follow the price no more."""
        follow = partial(self.desk.market.follow, set(), self._owner)
        self.app.run_worker(follow, exit_on_error=False)

    def action_close(self) -> None:
        """Forget what was typed; `.` brings it back."""
        if self.fields.is_begun:
            latest = next((run.number for run in self.desk.runs.all()), 0)
            self.shell.remember(self._as_draft(sent=False, after_run=latest))
        self.close()

    def _as_draft(self, sent: bool, after_run: int) -> Draft:
        fields = self.fields
        return Draft(self._side, fields.key, fields.client_id, fields.typed, sent, after_run)

    def _follow(self) -> None:
        """Follow the price of the symbol."""
        key = self.fields.key
        if key != self._followed:
            self._followed = key
            self.run_worker(
                partial(self.desk.market.follow, {key} if key else set(), self._owner),
                group="follow",
                exclusive=True,
                exit_on_error=False,
            )

    # The instruction

    @property
    def _ref(self) -> Input:
        return self.query_one("#ref", Input)

    def _propose_ref(self) -> None:
        """The client's instruction of a moment ago, once a client is chosen."""
        client_id = self.fields.client_id
        if client_id == self._told_by:
            return
        self._told_by = client_id
        needed = client_id is not None and not self.desk.clients.get(client_id).discretionary
        self._ref.placeholder = "needed" if needed else "call, mail"
        self.run_worker(self._look_up_ref(client_id), group="ref", exclusive=True, exit_on_error=False)

    async def _look_up_ref(self, client_id: int | None) -> None:
        ref = "" if client_id is None else await self.desk.plans.instruction(client_id)
        if client_id == self._told_by and self.is_attached:
            with self.prevent(Input.Changed):
                self._ref.value = ref
            self._changed = True

    def _intent(self) -> Intent:
        """What the ticket says. Raises `BadInput`."""
        intent = self.fields.intent(self._insists)
        return replace(intent, ref=self._ref.value.strip(), override=self._override)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The instruction is part of the order."""
        event.stop()
        self._touched()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.post_message(OrderFields.GoOn())

    # What the trader does

    def on_order_fields_touched(self, event: OrderFields.Touched) -> None:
        """Look at it with the next frame."""
        event.stop()
        self._touched(event.complaint)

    def _touched(self, complaint: str = "") -> None:
        self._changed = True
        self._complaint, self._insists, self._override = complaint, False, ""
        self._follow()
        self._propose_ref()
        self._paint()

    def on_order_fields_go_on(self, event: OrderFields.GoOn) -> None:
        """Enter leads to the review."""
        event.stop()
        if not self._asking:
            self._asking = True
            self.run_worker(self.before_further_keys(self._review()), exit_on_error=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use on this ticket is absent."""
        if not self.is_mounted:
            return True
        if action == "affordable":
            return self._line is not None and alternative(self._line, AlternativeKind.AFFORDABLE) is not None
        if action == "send_again":
            return self._left_out is not None
        if action == "what_if":
            return self._line is not None and self._line.wanted > 0
        if action == "toggle_mtf":
            instrument = self.fields.instrument
            offered = instrument is not None and instrument.mtf_margin_bps is not None
            return offered and self._side is Side.BUY
        return True

    def action_affordable(self) -> None:
        """Take the quantity the client can afford."""
        way = alternative(self._line, AlternativeKind.AFFORDABLE) if self._line else None
        if way is not None:
            self.fields.number("quantity").value = str(way.quantity)
            self._touched()

    def action_toggle_mtf(self) -> None:
        """By MTF, with the quantity it allows; or back to CNC."""
        product = self.fields.choice("product")
        way = alternative(self._line, AlternativeKind.MTF) if self._line else None
        if way is not None:
            self.fields.number("quantity").value = str(way.quantity)
        lent = product.value == Product.MTF.value
        product.value = Product.CNC.value if lent else Product.MTF.value
        self._touched()

    def action_what_if(self) -> None:
        """What the order would leave of its client; sends nothing."""
        if self._plan is not None:
            found = self.desk.plans.what_if(self._plan, self._plan.lines[0])
            self.host.open_card(WhatIfCard(found), over=self)

    @property
    def _left_out(self) -> Reason | None:
        """Why the order is refused, where the trader may insist against that."""
        reason = None if self._line is None else self._line.reason
        return reason if reason in INSIST_WORDS else None

    def action_send_again(self) -> None:
        """Insist that it goes, beyond a soft limit for a typed reason; any change takes it back."""
        line = self._line
        if line is not None and line.reason is Reason.OVER_SOFT_LIMIT:
            ask_override(self.host, [line], self._overridden, over=self)
        else:
            self._touched()
            self._insists = True

    def _overridden(self, reason: str) -> None:
        self._override, self._changed = reason, True

    def action_last_price(self) -> None:
        """A LIMIT order at the last price."""
        if self.fields.take_last_price():
            self._touched()
        else:
            self.shell.say("no price yet", "warning")

    # Review

    async def _review(self) -> None:
        try:
            intent = self._intent()
            self._plan = await self.desk.plans.preview(intent)
            if self._plan.orders:
                plan = await self.desk.plans.freeze(intent)
                self.host.open_card(ReviewCard(plan), self._reviewed, over=self)
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
        self.shell.remember(self._as_draft(sent=True, after_run=run_number))
        self.close()

    # Showing

    def on_frame(self) -> None:
        """The price moves, and what is typed is looked at."""
        if self.desk.market.take_dirty(self._owner):
            self._changed = True
        self._paint()
        if self._changed and not self._previewing:
            self._changed = False
            self._previewing = True
            self.run_worker(self._preview(), exit_on_error=False)

    async def _preview(self) -> None:
        try:
            self._plan = await self.desk.plans.preview(self._intent())
            if self._complaint.startswith(_OF_FIELDS):
                self._complaint = ""
        except BadInput as bad:
            self._plan = None
            fields = self.fields
            if fields.number("quantity").value and fields.client_id is not None and fields.key is not None:
                self._complaint = f"{bad.field}: {bad.expected}"
        finally:
            self._previewing = False
            self._paint()
            if self.is_attached:
                self.host.refresh_bindings()

    def title(self) -> str:
        """Side, symbol and client."""
        instrument = self.fields.instrument
        what = instrument.tradingsymbol if instrument else "…"
        again = f" · {self._draft.words}" if self._draft else ""
        whom, client_id = "…", self.fields.client_id
        if client_id is not None:
            client = self.desk.clients.get(client_id)
            whom = f"{client.code} {MASK if self.shell.privacy else client.name}"
        return f"{self._side.value} {what} for {whom}{again}"

    def _paint(self) -> None:
        if not (self.is_mounted and self.is_attached):
            return
        desk, fields, masked = self.desk, self.fields, self.shell.privacy
        narrow = self.screen.has_class("-narrow")
        fields.say("quote", self._quote_words())
        held = fields.held()
        fields.say("standing", standing_words(held, self._live_orders(), narrow))
        funds = desk.funds.of(fields.client_id) if fields.client_id is not None else None
        money = money_words(self._side, self._plan, funds, held, masked, narrow)
        self.query_one("#money", SteadyStatic).update(Content(money))
        problem = self.query_one("#problem", SteadyStatic)
        problem.update(Content("\n".join(self._problems(problem.size.width))))
        insists = "A" if self._left_out else ""
        for field in self.query(NumberField):
            field.own_keys = OWN_KEYS + insists

    def _live_orders(self) -> list[OrderView]:
        """The client's live orders of the symbol, once both are chosen."""
        client_id, key = self.fields.client_id, self.fields.key
        if client_id is None or key is None:
            return []
        return self.desk.orders.all(live=True, client_id=client_id, key=key)

    def _problems(self, width: int) -> list[str]:
        """What is in the way, and the way out: a text that may take both lines, or two of one line each."""
        lines = problem_lines(self._line, self._side, self.shell.privacy, width)
        if self._complaint:
            lines = [self._complaint, *lines]
        if (left_out := self._left_out) is not None:
            lines = [*lines[:1], " · ".join([*lines[1:], INSIST_WORDS[left_out]])]
        elif self._insists:
            lines.append("the same again, on purpose")
        lines = [plain(line) for line in lines]
        if len(lines) < 2 or not width:
            return lines
        return [clip(line, width) for line in (lines[0], lines[-1])]

    def _quote_words(self) -> str:
        key = self.fields.key
        if key is None:
            return ""
        quote = self.desk.market.quote(key)
        age = formats.age(self.desk.market.age(key))
        words = f"LTP {formats.price(quote.last_paise if quote else None)} {age}"
        if quote is None:
            return words
        return f"{words}  {formats.price(quote.bid_paise or None)}/{formats.price(quote.ask_paise or None)}"

    def here(self) -> Here:
        """The ticket's symbol and client."""
        return Here(key=self.fields.key, client_id=self.fields.client_id)
