"""An order's life: attempts, requests, fills, postings and audit rows, in the order they happened."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from data.vocabulary import OPEN_REQUESTS, OrderState
from engine.events import Event, OrderChanged
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.life import Happened, Happening, life_lines, request_words
from engine.words.trading.orders import flagged_why, origin_words, state_words, terms_words
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.times import market_stamp, market_time
from screens.frame.workspace import Workspace
from screens.orders.cancel import ask_cancel
from screens.orders.modify import ask_modify, can_modify
from screens.orders.settle import ask_absent, ask_adopt_order
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.life import RequestView


def _style(line: Happened) -> str | None:
    """How a line looks: what was asked for and what came of it stand out, the audit steps back."""
    match line.kind:
        case Happening.ATTEMPT:
            return "strong" if line.loud else None
        case Happening.REQUEST:
            return "warn" if line.loud else None
        case Happening.FILL:
            return "up"
        case Happening.AUDIT:
            return "dim"
        case Happening.MONEY:
            return None


class OrderScreen(Workspace):
    """One order from intent to last posting; it follows the order while it lives."""

    CSS_PATH = Path(__file__).with_name("orders.tcss")
    AUTO_FOCUS = "#life"
    TITLE_WORDS = "An order's life"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("order.cancel", "order.modify", "take_over", "order.absent", "evidence", "close")
    ]

    def __init__(self, order_id: int) -> None:
        super().__init__()
        self._order_id = order_id
        self._lines: dict[int, Happened] = {}
        self._open: list[RequestView] = []
        self._stale = True

    def compose_body(self) -> ComposeResult:
        """The order in a few lines, then its life."""
        with Pane("order-pane"):
            yield SteadyStatic(id="order-facts")
        with Pane("life-pane"):
            yield LiveGrid(
                [
                    Column(
                        "at", "time", 12, lambda line: _moment(self.desk, line), sort=lambda line: line.at
                    ),
                    Column("kind", "what", 7, lambda line: line.kind, style=_style),
                    Column("words", "", 20, self._words, style=_style, flex=True, most=LINE_CELLS),
                ],
                monotonic=self.shell.monotonic,
                markable=False,
                hint="reading…",
                id="life",
            )

    def _words(self, line: Happened) -> str:
        return MASK if self.shell.privacy and line.kind is Happening.MONEY else line.words

    def on_mount(self) -> None:
        """Listen, and read."""
        self.listen(self._desk_event)
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, OrderChanged) and self._order_id in event.order_ids:
            self._stale = True

    @property
    def _order(self) -> OrderView:
        return self.desk.orders.get(self._order_id)

    def on_frame(self) -> None:
        """Read again after the order changed; how long a doubt lasts grows by itself."""
        if self._order.state is OrderState.UNKNOWN:
            self._paint()
            self.refresh_bindings()
        if self._stale:
            self._stale = False
            self.run_worker(partial(self._read), exclusive=True, exit_on_error=False, group="life")

    def redraw(self) -> None:
        """The facts now, the lines with the next frame."""
        if self.is_mounted:
            self._stale = True
            self._paint()

    async def _read(self) -> None:
        try:
            life = await self.desk.orders.life(self._order_id)
        except Exception as problem:
            self.shell.say(f"order {self._order_id}: {problem}", "error")
            return
        self._lines = dict(enumerate(life_lines(life)))
        self._open = [row for row in life.requests if row.state in OPEN_REQUESTS]
        self.query_one(LiveGrid).set_rows(self._lines)
        self.query_one("#life-pane", Pane).set_title("Its life", [formats.counted(len(self._lines), "line")])
        self._paint()
        self.refresh_bindings()

    def _paint(self) -> None:
        order = self._order
        client = self.desk.clients.get(order.client_id)
        name = MASK if self.shell.privacy else plain(client.name)
        average = f" at {formats.price(order.average_paise)}" if order.filled_quantity else ""
        blocked = MASK if self.shell.privacy else formats.amount(order.blocked_paise)
        origin = origin_words(order)
        lines = [
            f" {order.side.value} {formats.quantity(order.quantity)} {order.tradingsymbol} "
            f"{order.product.value} "
            f"{terms_words(order.order_type, order.limit_paise, order.trigger_paise, order.standing)}  "
            f"reserved at {formats.price(order.reserve_price_paise)}",
            f" {state_words(order)}  filled {formats.quantity(order.filled_quantity)}{average}  "
            f"blocked {blocked}",
            f" broker's number {order.broker_order_id or formats.DASH}  tag {order.tag or formats.DASH}",
        ]
        title = f"Order {order.id} · {client.code} {name}"
        self.query_one("#order-pane", Pane).set_title(title, [state_words(order), origin, order.broker])
        why = flagged_why(order)
        if why and order.state is not OrderState.UNKNOWN:
            lines.append(f" the broker says: {why}")
        lines += [f" open: {request_words(row)}" for row in self._open]
        lines += self._doubt_lines(order)
        self.query_one("#order-facts", SteadyStatic).update(Content("\n".join(plain(line) for line in lines)))

    def _doubt_lines(self, order: OrderView) -> list[str]:
        """An order in doubt: why, since when, what reads have shown, and what the trader can do."""
        doubt = self.desk.orders.doubt(order.id)
        if doubt is None:
            return []
        now, sent = self.desk.clock.now(), order.sent_at or order.created_at
        until = max(0.0, (doubt.next_read - now).total_seconds())
        lines = [
            f" IN DOUBT for {formats.age((now - sent).total_seconds())}, "
            f"since {market_time(self.desk, sent)}: {order.sub_status or 'no answer'}. It is not sent again.",
            f" evidence: {doubt.evidence or order.reason_text or 'none yet'}; next read in {until:.0f} s",
        ]
        if doubt.raised:
            theirs = self.desk.orders.external(order.client_id)
            ours = "the broker shows no live order that is not ours"
            if theirs:
                ours = f"v it is one of the broker's live orders that are not ours ({len(theirs)})"
            lines.append(f" RAISED TO YOU: {order.reason_text}")
            lines.append(f"   {ours}   l it never arrived")
        return lines

    def here(self) -> Here:
        """This order, its symbol and client."""
        order = self._order
        return Here(order.key, order.client_id, order.id, order.run_number)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The lines of the life."""
        key = grid.cursor_key
        row = self._lines.get(key) if isinstance(key, int) else None
        return Table(f"order-{self._order_id}", tuple(grid.columns), tuple(self._lines.values()), row)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a live order can be cancelled, only an open one changed, only a raised doubt settled."""
        order = self._order
        if action == "cancel_here":
            return order.live
        if action == "modify_here":
            return can_modify(order)
        if action in ("take_over", "never_arrived"):
            doubt = self.desk.orders.doubt(order.id)
            raised = doubt is not None and doubt.raised
            return raised and (action == "never_arrived" or bool(self.desk.orders.external(order.client_id)))
        return super().check_action(action, parameters)

    def action_cancel_here(self) -> None:
        """Cancel it; asks for `y`."""
        ask_cancel(self, [self._order])

    def action_modify_here(self) -> None:
        """Change it; a form, then `y`."""
        ask_modify(self, self._order)

    def action_take_over(self) -> None:
        """It is one of the broker's orders."""
        ask_adopt_order(self, self._order)

    def action_never_arrived(self) -> None:
        """It never reached the broker."""
        ask_absent(self, self._order)

    def action_evidence(self) -> None:
        """What proves it, as a folder."""
        self.shell.run_command(f"evidence {self._order_id}")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def _moment(desk: Desk, line: Happened) -> str:
    """The time of day with milliseconds, which is how lines of one second stay in their order."""
    return f"{market_stamp(desk, line.at)}.{desk.shown_at(line.at).microsecond // 1000:03d}"
