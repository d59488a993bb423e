"""The trader's word where no reading decides: an order in doubt, or books that differ from the broker's.

Each takes a reason, which the audit keeps, and then a typed word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from engine.words import formats
from engine.words.breaks import break_words
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from screens.frame.commands import bindings
from screens.frame.confirm import WordsCard
from screens.frame.times import market_time
from screens.frame.workspace import Dialog, Framed
from screens.orders.cancel import order_words
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from brokers.contract import BrokerOrder
    from engine.book.views import ClientView, OrderView

MOST_BREAKS = 10
"""Differences named one by one before the rest is only counted."""


class ReasonScreen(Dialog[None]):
    """Asks why, and for one of the broker's orders where there is something to choose; then for a word.

    `settle` gets the reason and the number of the chosen order, empty where none is to be chosen.
    """

    CSS_PATH = Path(__file__).with_name("settle.tcss")
    AUTO_FOCUS = "#reason"
    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "A reason"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(
        self,
        lines: Sequence[str],
        word: str,
        settle: Callable[[str, str], Awaitable[str]],
        theirs: Sequence[BrokerOrder] = (),
    ) -> None:
        super().__init__()
        self._lines = list(lines)
        self._word = word
        self._settle = settle
        self._theirs = {order.broker_order_id: order for order in theirs}

    def compose_body(self) -> ComposeResult:
        """What it is about, the broker's orders to choose from, the reason."""
        yield SteadyStatic(Content("\n".join(plain(line) for line in self._lines)), id="question")
        if self._theirs:
            yield LiveGrid(self._columns(), monotonic=self.shell.monotonic, markable=False, id="theirs")
        yield SteadyStatic("reason, for the audit:", classes="hint")
        yield SteadyInput(id="reason", max_length=200, compact=True, select_on_focus=False)
        yield SteadyStatic(
            f"Enter asks for the word {self._word}"
            f"{'   Tab to the orders and back' if self._theirs else ''}   Esc goes back, nothing changes",
            classes="hint",
        )

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
        """Show the orders; where there are several the choice comes first."""
        for grid in self.query(LiveGrid):
            grid.set_rows(self._theirs)
            if len(self._theirs) > 1:
                grid.focus()

    @property
    def _chosen(self) -> str:
        for grid in self.query(LiveGrid):
            return str(grid.cursor_key or "")
        return ""

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """From the choice to the reason."""
        self.query_one("#reason", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason leads to the word."""
        reason, chosen = event.value.strip(), self._chosen
        if not reason:
            self.shell.say("give a reason: how is it known?", "warning")
            return
        lines = [*self._lines, *([f"the broker's order {chosen}"] if chosen else []), reason]
        question = WordsCard(self.TITLE_WORDS, lines, self._word)
        self.open_card(question, lambda yes: self._answered(yes, reason, chosen))

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
        self.dismiss(None)


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
    lines = [f"Order {order.id} is this order at the broker:", "", f"  {words}"]
    screen.app.push_screen(ReasonScreen(lines, "adopt", settle, theirs))


def ask_absent(screen: Framed[Any], order: OrderView) -> None:
    """Ask how it is known that an order in doubt never reached the broker."""
    desk = screen.desk

    async def settle(reason: str, chosen: str) -> str:
        now = await desk.orders.declare_absent(order.id, reason)
        return f"order {order.id}: {now.state.value}"

    money = MASK if screen.shell.privacy else formats.amount(order.blocked_paise)
    lines = [
        f"Order {order.id} never arrived at the broker; ₹{money} is freed:",
        "",
        f"  {order_words(screen.desk, order, screen.shell.privacy)}",
    ]
    screen.app.push_screen(ReasonScreen(lines, "absent", settle))


def ask_adopt_figures(screen: Framed[Any], client: ClientView) -> None:
    """Ask why the broker's figures of a client are right."""
    desk = screen.desk
    found = desk.reconcile.breaks(client.id)

    async def settle(reason: str, chosen: str) -> str:
        done = await desk.reconcile.adopt(client.id, reason)
        return f"{client.code}: {len(done.differences or ())} of the broker's figures taken over"

    words = ["  " + (MASK if screen.shell.privacy else break_words(one)) for one in found[:MOST_BREAKS]]
    if len(found) > MOST_BREAKS:
        words.append(f"  and {len(found) - MOST_BREAKS} more")
    name = MASK if screen.shell.privacy else client.name
    lines = [f"Take over the broker's figures of {client.code} {name}, as read then:", "", *words]
    screen.app.push_screen(ReasonScreen(lines, "adopt", settle))
