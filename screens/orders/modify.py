"""Changing a live order: its quantity, limit and trigger in three fields, and a question that takes `y`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from data.errors import BadInput
from data.money import count_from_text, price_from_text, rupees_of
from data.vocabulary import OrderState, RequestState, Side
from engine.refusals import ChangeBeyondLimit
from engine.words import formats
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from engine.words.trading.modify_words import needs_words, short_words
from engine.words.trading.plans import through_words
from screens.desk.depth import depth_levels
from screens.frame.cards.confirm import YesCard
from screens.frame.cards.override import OverrideCard
from screens.frame.dock import Card
from screens.frame.intent_fields import PRICED, STOPS
from screens.frame.shell import Here
from screens.frame.workspace import Framed
from screens.orders.cancel import order_words
from widgets.keyline import KeyHint
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.execution.changes.needs import ChangeNeeds

Wish = tuple[int | None, int | None, int | None]
"""Quantity, limit and trigger as they are asked for; None leaves a value as it is."""


NO_WISH: Wish = (None, None, None)


def can_modify(order: OrderView) -> bool:
    """Whether an order may be changed now: it is live at the broker and no change of it is under way."""
    return order.state is OrderState.OPEN and not order.modifying


OWNER = "modify"
"""Under this name the form follows its price."""

NAMES: tuple[str, ...] = ("quantity", "limit", "trigger")
"""What of an order can be changed, in the order of a `Wish`."""


class ModifyCard(Card[None]):
    """Fields above, what the change blocks more below; Enter leads to a question and never sends."""

    TITLE_WORDS = "Modify an order"

    def __init__(self, order_id: int, wish: Wish = NO_WISH) -> None:
        """The fields hold what is wished already, else what the order has."""
        super().__init__()
        self._order_id = order_id
        self._wished = wish
        self._needs: ChangeNeeds | None = None
        self._complaint = ""
        self._changed = True
        self._looking = False

    @property
    def _order(self) -> OrderView:
        return self.desk.orders.get(self._order_id)

    def compose(self) -> ComposeResult:
        """The order, the fields its type has, the market, and what the change needs."""
        order = self._order
        instrument = self.desk.market.index.get(order.key)
        tick = rupees_of(instrument.tick_paise) if instrument else Decimal("0.05")
        lot = instrument.lot_size if instrument else 1
        quantity, limit, trigger = self._wished
        yield SteadyStatic(id="modify-order")
        with Horizontal(classes="row"):
            yield SteadyStatic("qty")
            yield NumberField(str(quantity or order.quantity), step=lot, id="modify-quantity")
            if order.order_type in PRICED:
                yield SteadyStatic("limit")
                yield NumberField(
                    formats.typed(limit or order.limit_paise), step=tick, decimals=2, id="modify-limit"
                )
            if order.order_type in STOPS:
                yield SteadyStatic("trigger")
                yield NumberField(
                    formats.typed(trigger or order.trigger_paise), step=tick, decimals=2, id="modify-trigger"
                )
        yield SteadyStatic(id="modify-market")
        yield SteadyStatic(id="modify-needs")
        yield SteadyStatic(id="modify-problem")
        yield KeyHint("Tab field  ↑↓ step  Enter review  Esc back, nothing changes", classes="keys")

    @property
    def side(self) -> Side:
        """The side of the order."""
        return self._order.side

    def title(self) -> str:
        """The order by number, side, symbol and client."""
        order = self._order
        client = self.desk.clients.get(order.client_id)
        name = MASK if self.shell.privacy else client.name
        what = f"{order.side.value} {order.tradingsymbol}"
        return f"MODIFY order {order.id}: {what} for {client.code} {name}"

    def on_mount(self) -> None:
        """Follow the price."""
        self._follow({self._order.key})
        self._paint()

    def begin(self) -> None:
        """At the order's own price, which is what is changed most."""
        for name in ("limit", "trigger", "quantity"):
            if fields := self.query(f"#modify-{name}"):
                fields.first(NumberField).focus()
                break

    def on_unmount(self) -> None:
        """Follow the price no more."""
        self._follow(set())

    def _follow(self, keys: set[str]) -> None:
        self.app.run_worker(self.desk.market.follow(keys, OWNER), exit_on_error=False)

    def on_frame(self) -> None:
        """What is typed is looked at, and the order may move meanwhile."""
        self._paint()
        if self._changed and not self._looking:
            self._changed, self._looking = False, True
            self.run_worker(self._look(), exit_on_error=False)

    def _text(self, name: str) -> str | None:
        for field in self.query(f"#modify-{name}").results(NumberField):
            return field.value.strip()
        return None

    def _wish(self) -> Wish:
        """What the fields ask for. Raises `BadInput`."""
        order = self._order
        quantity = count_from_text(self._text("quantity") or "", "quantity")
        return (
            None if quantity == order.quantity else quantity,
            _price(self._text("limit"), "limit", order.limit_paise),
            _price(self._text("trigger"), "trigger", order.trigger_paise),
        )

    async def _look(self) -> None:
        try:
            wish = self._wish()
            self._needs = None
            self._complaint = ""
            if wish != (None, None, None):
                self._needs = await self.desk.orders.change_needs(self._order_id, *wish)
        except BadInput as bad:
            self._needs, self._complaint = None, f"{bad.field}: {bad.expected}"
        finally:
            self._looking = False
            self._paint()

    def _paint(self) -> None:
        """The order as it is, and what the change needs."""
        if not (self.is_mounted and self.is_attached):
            return
        self._say("order", order_words(self.desk, self._order, self.shell.privacy))
        funds = self.desk.funds.of(self._order.client_id)
        cash = MASK if self.shell.privacy else formats.rupees(funds.available_paise)
        masked = self.shell.privacy
        words = needs_words(self._needs, masked) if self._needs else "nothing is changed yet"
        self._say("needs", f"{words} · cash {cash}")
        short = short_words(self._needs, masked)
        self._say("problem", self._complaint or (f"CANNOT SEND: {short}" if short else ""))
        self._say("market", self._market_words())

    def _say(self, name: str, words: str) -> None:
        self.query_one(f"#modify-{name}", SteadyStatic).update(Content(plain(words)))

    def _through_words(self) -> str:
        """What a limit far through the market means; a stop order waits for its trigger first."""
        order, quote = self._order, self.desk.market.quote(self._order.key)
        if quote is None or self._needs is None or order.order_type in STOPS:
            return ""
        try:
            return through_words(order.side, self._wish()[1], quote.last_paise)
        except BadInput:
            return ""

    def _market_words(self) -> str:
        """What a limit far through the market means, the last price with its age, the best of either side."""
        key = self._order.key
        quote = self.desk.market.quote(key)
        age = formats.age(self.desk.market.age(key))
        parts = [words] if (words := self._through_words()) else []
        parts += [f"LTP {formats.price(quote.last_paise if quote else None)} {age}"]
        for best in depth_levels(quote)[:1]:
            for name, price, shares in (
                ("bid", best.bid_paise, best.bid_quantity),
                ("ask", best.ask_paise, best.ask_quantity),
            ):
                many = f" × {formats.volume(shares)}" if shares is not None else ""
                parts.append(f"{name} {formats.price(price)}{many}")
        return " · ".join(parts)

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """Look again with the next frame."""
        self._changed = True
        self._complaint = ""

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter leads to the question."""
        self.run_worker(self.before_further_keys(self._ask()), exclusive=True, exit_on_error=False)

    async def _ask(self, override: str = "") -> None:
        try:
            wish, order = self._wish(), self._order
            self._needs = await self.desk.orders.change_needs(self._order_id, *wish)
        except BadInput as bad:
            self._complaint = f"{bad.field}: {bad.expected}"
            self._paint()
            return
        if not self._needs.covered:
            self._paint()
            return
        before = dict(zip(NAMES, (order.quantity, order.limit_paise, order.trigger_paise), strict=True))
        changes = ", ".join(
            f"{name} {_shown(name, before[name])} to {_shown(name, wanted)}" for name, wanted in _wanted(wish)
        )
        words = order_words(self.desk, order, self.shell.privacy)
        more = needs_words(self._needs, self.shell.privacy)
        lines = [words, changes, more, self._market_words()]
        lines += [f"beyond a soft limit: {override}"] if override else []
        question = YesCard(self.title(), lines, "modifies it")
        self.host.open_card(question, lambda yes: self._answered(yes, wish, order, override), over=self)

    def _answered(self, yes: bool | None, wish: Wish, shown: OrderView, override: str) -> None:
        if yes:
            self.carry_out(self._send(wish, shown, override))

    async def _send(self, wish: Wish, order: OrderView, override: str) -> None:
        try:
            number = await self.desk.orders.modify(self._order_id, *wish, shown=order, override=override)
        except Exception as problem:
            self._complaint = f"not sent: {refusal_words(problem)}"
            self._paint()
            if isinstance(problem, ChangeBeyondLimit) and problem.soft:
                self._ask_why(problem.told)
            return
        self.close()
        ended = await self.desk.orders.change_ended(self._order_id, number)
        what = f"{self.desk.clients.get(order.client_id).code} {order.side.value} {order.tradingsymbol}"
        if ended.state is RequestState.CONFIRMED:
            made = ", ".join(f"{name} {_shown(name, wanted)}" for name, wanted in _wanted(wish))
            self.shell.say(f"modified: {what}, {made}")
        else:
            words = f"not modified: {what}: {ended.state.value.lower()}"
            self.shell.say(f"{words} {ended.detail}".strip(), "error")

    def _ask_why(self, told: str) -> None:
        """Ask for the reason to go beyond a soft limit; with it the question comes again."""
        whose = self.desk.clients.get(self._order.client_id).code

        def typed(reason: str | None) -> None:
            if reason:
                self.run_worker(self._ask(reason), exclusive=True, exit_on_error=False)

        self.host.open_card(OverrideCard(whose, told, "the change"), typed, over=self)

    def here(self) -> Here:
        """The order, its symbol and client."""
        order = self._order
        return Here(order.key, order.client_id, order.id, order.run_number)


def ask_modify(screen: Framed[Any], order: OrderView, wish: Wish = NO_WISH) -> None:
    """Open the form for an order that may be changed, with what is wished already; else say why not."""
    if can_modify(order):
        screen.open_card(ModifyCard(order.id, wish))
    else:
        screen.shell.say("only an open order without a change under way can be modified", "warning")


def _price(text: str | None, field: str, before: int | None) -> int | None:
    """A field's price where it differs from the order's. Raises `BadInput`."""
    if text is None:
        return None
    paise = price_from_text(text, field)
    return None if paise == before else paise


def _wanted(wish: Wish) -> list[tuple[str, int]]:
    """What a wish changes, by name."""
    return [(name, value) for name, value in zip(NAMES, wish, strict=True) if value is not None]


def _shown(name: str, value: int | None) -> str:
    return formats.quantity(value) if name == "quantity" else formats.price(value)
