"""The trader's word where no reading decides: an order in doubt, or books that differ from the broker's.

Each takes a reason, which the audit keeps, and then a typed word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from engine.words import formats
from engine.words.breaks import break_words
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.dock import Card, wrapped_rows
from screens.frame.times import market_time
from screens.frame.workspace import Framed
from screens.orders.cancel import order_words
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from brokers.contract import BrokerOrder
    from engine.book.views import ClientView, OrderView

MOST_BREAKS = 10
"""Differences named one by one before the rest is only counted."""

MOST_THEIRS = 5
"""Orders of the broker seen at once."""


class ReasonCard(Card[None]):
    """Asks why, and for one of the broker's orders where there is something to choose; then for a word.

    `settle` gets the reason and the number of the chosen order, empty where none is to be chosen.
    """

    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "A reason"

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        word: str,
        settle: Callable[[str, str], Awaitable[str]],
        theirs: Sequence[BrokerOrder] = (),
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)
        self._word = word
        self._settle = settle
        self._theirs = {order.broker_order_id: order for order in theirs}

    def rows_at(self, width: int) -> int:
        """Its lines, the broker's orders under their head, the reason and the keys."""
        theirs = min(len(self._theirs), MOST_THEIRS) + 1 if self._theirs else 0
        return wrapped_rows(self._lines, width) + theirs + 2

    def compose(self) -> ComposeResult:
        """What it is about, the broker's orders to choose from, the reason."""
        yield SteadyStatic(Content("\n".join(plain(line) for line in self._lines)), id="question")
        if self._theirs:
            yield LiveGrid(self._columns(), monotonic=self.shell.monotonic, markable=False, id="theirs")
        with Horizontal(classes="row"):
            yield SteadyStatic("reason, for the audit:")
            yield SteadyInput(id="reason", max_length=200, compact=True, select_on_focus=False)
        yield KeyHint(
            f"Enter asks for the word {self._word}"
            f"{'   Tab to the orders and back' if self._theirs else ''}   Esc goes back, nothing changes",
            classes="keys -always",
        )

    def title(self) -> str:
        """What it is about."""
        return self._title

    def begin(self) -> None:
        """Where there are several orders the choice comes first."""
        several = len(self._theirs) > 1
        self.screen.set_focus(self.query_one(LiveGrid) if several else self.query_one("#reason", Input))

    def _columns(self) -> list[Column]:
        return [
            Column("id", "broker's number", 20, lambda row: row.broker_order_id, flex=True),
            Column("side", "side", 4, lambda row: row.side.value),
            Column("quantity", "qty", 7, lambda row: formats.quantity(row.quantity), "right"),
            Column("symbol", "symbol", 10, lambda row: row.tradingsymbol),
            Column("price", "price", 10, lambda row: formats.price(row.price_paise), "right"),
            Column("status", "status", 10, lambda row: row.status_text, priority=1),
            Column("at", "placed", 8, lambda row: market_time(self.desk, row.placed_at), priority=2),
        ]

    def on_mount(self) -> None:
        """Show the orders."""
        for grid in self.query(LiveGrid):
            grid.set_rows(self._theirs)

    @property
    def _chosen(self) -> str:
        for grid in self.query(LiveGrid):
            return str(grid.cursor_key or "")
        return ""

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """From the choice to the reason."""
        event.stop()
        self.query_one("#reason", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The reason filters no rows."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason leads to the word."""
        event.stop()
        reason, chosen = event.value.strip(), self._chosen
        if not reason:
            self.shell.say("give a reason: how is it known?", "refused")
            return
        lines = [*self._lines, *([f"the broker's order {chosen}"] if chosen else []), reason]
        question = WordsCard(self._title, lines, self._word)
        self.host.open_card(question, lambda yes: self._answered(yes, reason, chosen), over=self)

    def _answered(self, yes: bool | None, reason: str, chosen: str) -> None:
        if yes:
            self.carry_out(self._settled(reason, chosen))

    async def _settled(self, reason: str, chosen: str) -> None:
        try:
            words = await self._settle(reason, chosen)
        except Exception as problem:
            self.shell.say(f"nothing has changed: {refusal_words(problem)}", "error")
            return
        self.shell.say(words)
        self.close()


def ask_adopt_order(screen: Framed[Any], order: OrderView) -> None:
    """Ask which of the broker's orders an order in doubt is, and why."""
    desk = screen.desk
    theirs = desk.orders.external(order.client_id)
    if not theirs:
        screen.shell.say("the broker shows no live order of this client that is not ours", "warning")
        return

    async def settle(reason: str, chosen: str) -> str:
        now = await desk.orders.adopt(order.id, chosen, reason)
        return f"order {order.id} is the broker's {chosen}: {now.state.value}"

    words = order_words(screen.desk, order, screen.shell.privacy)
    title = f"ADOPT: order {order.id} is one of the broker's"
    screen.open_card(ReasonCard(title, [words], "adopt", settle, theirs))


def ask_absent(screen: Framed[Any], order: OrderView) -> None:
    """Ask how it is known that an order in doubt never reached the broker."""
    desk = screen.desk

    async def settle(reason: str, chosen: str) -> str:
        now = await desk.orders.declare_absent(order.id, reason)
        return f"order {order.id}: {now.state.value}"

    money = MASK if screen.shell.privacy else formats.amount(order.blocked_paise)
    title = f"ABSENT: order {order.id} never arrived at the broker"
    lines = [order_words(screen.desk, order, screen.shell.privacy), f"₹{money} is freed"]
    screen.open_card(ReasonCard(title, lines, "absent", settle))


def ask_adopt_figures(screen: Framed[Any], client: ClientView) -> None:
    """Ask why the broker's figures of a client are right."""
    desk = screen.desk
    found = desk.reconcile.breaks(client.id)

    async def settle(reason: str, chosen: str) -> str:
        done = await desk.reconcile.adopt(client.id, reason)
        return f"{client.code}: {len(done.differences or ())} of the broker's figures taken over"

    most = max(2, min(MOST_BREAKS, screen.size.height // 2 - 6))
    words = [MASK if screen.shell.privacy else break_words(one) for one in found[:most]]
    if len(found) > most:
        words.append(f"and {len(found) - most} more")
    name = MASK if screen.shell.privacy else client.name
    title = f"ADOPT the broker's figures of {client.code} {name}, as read then"
    screen.open_card(ReasonCard(title, words, "adopt", settle))
