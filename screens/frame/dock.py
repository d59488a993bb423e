"""The dock: forms and questions at the bottom of a screen, over which everything else goes on.

It is part of the screen that it stands on and no screen of its own: what is above it keeps painting line by
line, as without it. It is modal: the bindings of what is above end at it, and the focus cannot leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from data.vocabulary import Side
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import AtDesk
from widgets.livegrid import LiveGrid
from widgets.text import clip, plain

if TYPE_CHECKING:
    from engine.events import Event
    from screens.frame.shell import Here

Answer = TypeVar("Answer")
Result = TypeVar("Result")

TITLE_ROWS = 1
"""Rows of the dock above its cards: the line with the title."""
TALL_ROWS = 12
"""Rows of a first card from which on the screen above has to make room."""
BESIDE_CARD = 4
"""Cells of a line that frame and air take."""
EDGE_ROWS = 1
"""Rows below them, where there is room for a whole frame."""


class Card(AtDesk, Widget, Generic[Answer], can_focus=True, inherit_bindings=False):
    """One form or question of the dock. `close` ends it with an answer, or with none.

    The card itself takes the focus where none of its fields can, so that no key goes anywhere else.
    """

    DISCARDS_EARLY_KEYS: ClassVar[bool] = False
    """Whether keys typed before the first paint are forgotten, as a review must."""

    ONLY_YES: ClassVar[bool] = False
    """Whether it takes the keys that it binds itself alone, and none of those that cards share."""

    TITLE_WORDS: ClassVar[str] = ""
    """What the help calls it."""

    HEARS: ClassVar[tuple[type[Event], ...]] = ()
    """The desk's events behind which it fills itself anew."""

    answered: Callable[[Answer | None], object] = staticmethod(lambda _: None)
    """Called with what it closes with, None where it was left."""

    rows = 0
    """Lines it has to show, for which the dock is made as it opens; without them it has its own height."""

    FOCUS_ON_CLICK = False
    """Whether a click beside its fields takes the focus out of them."""

    _end_hearing: Callable[[], None] = staticmethod(lambda: None)
    _has_heard = False

    last_focus: Widget | None = None
    """What had the focus when another card was laid over this one."""

    def rows_at(self, width: int) -> int:
        """`rows` where it has so many cells in a line."""
        return self.rows

    @property
    def is_modal(self) -> bool:
        """Whether bindings end at it already, and not at the dock."""
        return self.ONLY_YES

    @property
    def host(self) -> DockHost[Any]:
        """The screen it stands on."""
        return cast("DockHost[Any]", self.screen)

    def on_mount(self) -> None:
        """It can be seen: let it begin."""
        if self.HEARS:
            self._end_hearing = self.desk.events.subscribe(self._heard)
        self.host.card_is_up(self)

    def on_unmount(self) -> None:
        """Hear no more."""
        self._end_hearing()

    def _heard(self, event: Event) -> None:
        self._has_heard = self._has_heard or isinstance(event, self.HEARS)

    # Hooks

    @property
    def side(self) -> Side | None:
        """Whose colour its frame has."""
        return None

    def title(self) -> str:
        """The line above it."""
        return self.TITLE_WORDS

    def begin(self) -> None:
        """Put the focus where it is to begin; on the card itself by default."""
        self.screen.set_focus(self)

    def on_frame(self) -> None:
        """As often as the app paints, while it is the card that is seen."""
        if self._has_heard:
            self._has_heard = False
            self.refill()

    def refill(self) -> None:
        """Show what is so by now, at the next frame behind an event of `HEARS`."""

    def here(self) -> Here | None:
        """What it is about."""
        return None

    def action_close(self) -> None:
        """Esc."""
        self.close()

    # What cards do

    def close(self, answer: Answer | None = None) -> None:
        """End with an answer, once; work that ends late may ask for it again."""
        if self.is_attached:
            self.host.close_card(self, answer)


def wrapped_rows(lines: Sequence[str], width: int) -> int:
    """Lines that these take where they are broken between words."""
    return sum(len(wrap(line, max(1, width))) or 1 for line in lines)


def is_short(screen: Screen[Any]) -> bool:
    """Whether there is no room on a screen for the whole frame."""
    return screen.has_class("-narrow") or screen.has_class("-short")


class DockTitle(Widget):
    """The upper edge of the dock: what is asked at its left end, the mode at its right one."""

    def __init__(self) -> None:
        super().__init__(id="dock-title")
        self._words = ("", "")

    def show(self, title: str, mode: str) -> None:
        """Say something else, where it is something else."""
        if self._words != (title, mode):
            self._words = title, mode
            self.refresh()

    def render(self) -> Content:
        """One line as wide as the dock, with corners where the frame has sides."""
        title, mode = self._words
        left, right = "──" if is_short(self.screen) else "╭╮"
        end = f" {mode} ─{right}"
        start = f"{left}─ {clip(plain(title), self.size.width - cell_len(end) - 5)} "
        return Content(start + "─" * (self.size.width - cell_len(start) - cell_len(end)) + end)


class Dock(Widget, inherit_bindings=False):
    """Holds the cards, of which the last one laid down is seen. Its height stays while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("pane.next", "pane.previous", "close", "depth", "trades", "privacy", "redraw", "picture"),
        *bindings("help"),
        Binding("f3", "app.workspace('orders')", "Orders", show=False, id="dock.orders"),
        Binding("f4", "app.workspace('desk')", "Desk", show=False, id="dock.desk"),
    ]

    def __init__(self, first: Card[Any]) -> None:
        super().__init__()
        self.cards = [first]
        """The cards that are open, the one that is seen last."""

    @property
    def is_modal(self) -> bool:
        """Bindings of what is around it do not work while it is open."""
        return True

    @property
    def card(self) -> Card[Any]:
        """The card that is seen."""
        return self.cards[-1]

    def compose(self) -> ComposeResult:
        """The title, and room for the cards."""
        yield DockTitle()
        with Container(id="dock-cards"):
            yield self.cards[0]

    def on_mount(self) -> None:
        """As high as what is asked for first needs, within what the style sheet has as least and most."""
        rows = self._rows_for(self.card)
        host = self.card.host
        host.set_class(self.card.rows >= TALL_ROWS, "-docked-tall", update=host.MAKES_ROOM)
        self.styles.height = rows
        self.set_class(rows > self._rows_around, "-sized")

    @property
    def _rows_around(self) -> int:
        return TITLE_ROWS + (0 if is_short(self.screen) else EDGE_ROWS)

    def _rows_for(self, card: Card[Any]) -> int:
        return card.rows_at(self.screen.size.width - BESIDE_CARD) + self._rows_around

    def lay(self, card: Card[Any]) -> None:
        """Lay a card over the one that is seen."""
        self.card.last_focus = self.screen.focused
        if (rows := self._rows_for(card)) > self.outer_size.height:
            self.styles.height = rows
        self.cards.append(card)
        self.query_one("#dock-cards").mount(card)

    def show(self) -> None:
        """Show the last card alone, under its title and in its colour."""
        for card in self.cards:
            card.display = card is self.card
        self.set_class(self.card.side is Side.BUY, "-buy")
        self.set_class(self.card.side is Side.SELL, "-sell")
        self.paint_title()

    def paint_title(self) -> None:
        """Say what the card that is seen says of itself."""
        for title in self.query(DockTitle):
            title.show(self.card.title(), self.card.desk.mode)

    @on(LiveGrid.Opened)
    @on(LiveGrid.Highlighted)
    @on(LiveGrid.Marked)
    @on(LiveGrid.Sorted)
    def keep_to_card(self, event: Message) -> None:
        """What a card's rows tell is the card's: the screen around it would take it for its own rows'."""
        event.stop()

    def action_next_pane(self, step: int) -> None:
        """The next or previous field."""
        if step > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_close(self) -> None:
        """Go back."""
        self.card.action_close()


class DockHost(AtDesk, Screen[Result], inherit_bindings=False):
    """A screen on which a dock may open. While it is open the focus stays in it."""

    MAKES_ROOM: ClassVar[bool] = False
    """Whether its style sheet takes panes away for a dock; where not, none of its parts is styled anew."""

    _dock: Dock | None = None
    _before_dock: Widget | None = None
    _let_keys_go: Callable[[], None] = staticmethod(lambda: None)

    @property
    def card(self) -> Card[Any] | None:
        """The form or question that is open here."""
        return self._dock.card if self._dock is not None else None

    def open_card(
        self,
        card: Card[Answer],
        answered: Callable[[Answer | None], object] = lambda _: None,
        over: Card[Any] | None = None,
    ) -> None:
        """Open a form or a question; keys wait until it has been painted.

        It is laid `over` the card that it comes back to; without one nothing may be open.
        """
        if over is not self.card:
            if over is None:
                self.shell.say("something is open at the bottom: Esc closes it first", "warning")
            return
        card.answered = answered
        self._let_keys_go = self.shell.hold_keys(forget=card.DISCARDS_EARLY_KEYS)
        if self._dock is not None:
            self._dock.lay(card)
            return
        self._before_dock = self.focused
        self._dock = Dock(card)
        self.add_class("-docked", update=self.MAKES_ROOM)
        self.mount(self._dock, after="#body")

    def card_is_up(self, card: Card[Any]) -> None:
        """Show a card that was mounted, and let the keys go once it has been painted with its focus."""
        if self._dock is None or self._dock.card is not card:
            return
        self._dock.show()
        card.begin()
        self.refresh_bindings()
        self.call_after_refresh(self.call_later, self.app.call_later, self._let_keys_go)

    def close_card(self, card: Card[Answer], answer: Answer | None) -> None:
        """Take a card away, once, and go back to the one under it, or to what had the focus before."""
        dock = self._dock
        if dock is None or card not in dock.cards:
            return
        if len(dock.cards) > 1:
            seen = dock.card is card
            dock.cards.remove(card)
            if seen:
                dock.show()
                self.set_focus(dock.card.last_focus)
            card.remove()
            self.refresh_bindings()
        else:
            self._dock = None
            self.remove_class("-docked", "-docked-tall", update=self.MAKES_ROOM)
            before = self._before_dock
            self.set_focus(before if before is not None and before.is_attached else None)
            dock.remove()
        card.answered(answer)

    def asked_of(self, key: str | None, client_id: int | None) -> tuple[str | None, int | None]:
        """Symbol and client to show beside the rows: those of the open card, else these, of the cursor."""
        card = self.card
        here = card.here() if card is not None and card.is_mounted else None
        return (here.key or key, here.client_id or client_id) if here is not None else (key, client_id)

    def dock_frame(self) -> None:
        """Bring the card that is seen up to date; a frame of the app."""
        if self._dock is not None and self._dock.is_mounted and self._dock.card.is_mounted:
            self._dock.card.on_frame()
            self._dock.paint_title()

    @property
    def focus_chain(self) -> list[Widget]:
        """What Tab goes through: the fields of the card while one is open."""
        chain, card = super().focus_chain, self.card
        return chain if card is None else [widget for widget in chain if card in widget.ancestors]

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """As Textual does, but never out of an open dock: keys would reach what lies above it."""
        card = self.card
        if card is not None and (widget is None or card not in widget.ancestors_with_self):
            if self.focused is not None and card in self.focused.ancestors_with_self:
                return
            widget = card
        super().set_focus(widget, scroll_visible, from_app_focus)

    def _update_focus_styles(self, focused: Widget | None = None, blurred: Widget | None = None) -> None:
        """Style the panes that the focus came to or left: Textual styles all that stands in them, too."""
        around = [node for one in (focused, blurred) if one is not None for node in one.ancestors_with_self]
        panes = {node for node in around if isinstance(node, Pane)}
        if panes:
            self.app.stylesheet.update_nodes(panes, animate=True)
