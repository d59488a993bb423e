"""What a screen and its parts may ask of the app, and what they say of themselves to its commands."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from msgspec import Struct
from textual.message_pump import MessagePump

from data.vocabulary import FlattenWhat, HaltScope, Right, Side, WatchColumn
from screens.frame.routes import View, WorkspaceName
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.colon.known import Known
    from engine.desk import Desk
    from engine.news import Subject
    from engine.planning.intent import Intent
    from engine.refusals import Forbidden
    from engine.review.commanded import LoggedCommand
    from screens.frame.dock import Card
    from screens.frame.draft import Draft


class HasRights:
    """What has keys of its own that mean another thing there, and so are for another right than elsewhere."""

    rights: ClassVar[Mapping[str, Right]] = {}
    """By action; the others are as everywhere (`tradedesk/app/typed/rights.py`)."""


class Shell(Protocol):
    """What a screen may ask of the app. Every `open_…` returns at once; none blocks on the desk."""

    flash_frames: int
    """For how many frames a changed figure is lit; 0 where the trader wants none."""
    revalued: set[int]
    """Clients whose value moved in this frame."""
    watch_columns: tuple[WatchColumn, ...]
    """The columns of the watchlist by the settings; none where they are the program's own."""
    list_in_view: str
    """The watchlist that was turned to last; what is watched from anywhere goes on it. Empty at first."""

    @property
    def desk(self) -> Desk:
        """The open desk."""
        ...

    @property
    def privacy(self) -> bool:
        """Whether names and amounts are to be masked."""
        ...

    @property
    def monotonic(self) -> Callable[[], float]:
        """The program's monotonic clock, for fields and grids."""
        ...

    @property
    def desk_is_open(self) -> bool:
        """Whether a desk is open behind the screens."""
        ...

    @property
    def workspaces(self) -> Sequence[str]:
        """The workspaces that there are, each behind its digit: `1 Desk`."""
        ...

    def refusal_of(self, right: Right | None) -> Forbidden | None:
        """Why who sits here may not do what takes a right; None where they may, or nobody is asked."""
        ...

    def meaning(self, key: str) -> str:
        """The id of the command that a key stands for, empty where it is none's."""
        ...

    def keeps_from(self, key: str) -> bool:
        """Whether a key would do something here, which who sits at the desk may not."""
        ...

    def say(self, text: str, severity: str = "information") -> None:
        """One toast, plain text. One an operation, never one an order.

        One that is `refused` is about what was typed, and goes once something else is.
        """
        ...

    def action_command_line(self, text: str = "") -> None:
        """The command line with a line begun; nothing of it is carried out yet."""
        ...

    def paint_strip(self) -> None:
        """Bring the strip of every open screen up to date."""
        ...

    def discard_typed(self) -> None:
        """Forget keys typed but not yet dealt with, and those typed before the next paint.

        A review calls it when it replaces the fields, so that nothing typed for them reaches it.
        """
        ...

    def hold_keys(self, forget: bool = False) -> Callable[[], None]:
        """Keep keys that are typed from now on until what is returned is called, for two seconds at most.

        With `forget` they are then forgotten.
        """
        ...

    def after_key(self, then: Callable[[], object]) -> None:
        """Call once the key in hand has been dealt with; it takes away what has the focus."""
        ...

    def open_workspace(self, name: WorkspaceName, view: View | None = None) -> None:
        """Go to a workspace, and there to one of its views."""
        ...

    def open_ticket(
        self,
        side: Side,
        key: str | None = None,
        client_id: int | None = None,
        key_proposed: bool = False,
        product: str | None = None,
    ) -> None:
        """The ticket for one order; what is given stands in its fields.

        A key that is merely proposed has the focus, and what is typed replaces it. A `product` is what a
        sell begins with.
        """
        ...

    def remember(self, draft: Draft) -> None:
        """Keep what stood in a ticket, for the key that brings the last intent back."""
        ...

    def open_bulk(
        self,
        side: Side,
        key: str | None = None,
        client_ids: Sequence[int] = (),
        intent: Intent | None = None,
        shown: Sequence[int] | None = None,
    ) -> None:
        """The bulk form. `client_ids` are the marked ones, `shown` those a group or filter leaves in view.

        `intent` fills the whole form.
        """
        ...

    def open_client(self, client_id: int, among: Sequence[int] = (), margin: bool = False) -> None:
        """A client's page, at its shares on `margin`; `among` is what `{` and `}` step through."""
        ...

    def open_symbol(self, key: str) -> None:
        """A symbol's page."""
        ...

    def open_order(self, order_id: int) -> None:
        """An order's life."""
        ...

    def open_run(self, number: int) -> None:
        """A run in the bulk workspace."""
        ...

    def open_plan(self, number: int) -> None:
        """A stored plan in the bulk workspace."""
        ...

    def open_alert_form(self, number: int = 0, over: Card[Any] | None = None) -> None:
        """The form of a rule of alerts, of the one with this number where one is given.

        It is laid `over` the card that it comes back to.
        """
        ...

    def open_flatten(
        self,
        scope: HaltScope = HaltScope.EVERYTHING,
        value: str = "",
        what: FlattenWhat = FlattenWhat.MIS,
        number: int | None = None,
    ) -> None:
        """A flatten that is to be confirmed, or with a number one that was begun."""
        ...

    def open_audit_row(self, seq: int) -> None:
        """The story of a row of the audit."""
        ...

    def open_subject(self, subject: Subject) -> None:
        """The page of what a line of the tape is about."""
        ...

    def open_certificate(self, number: int | None = None) -> None:
        """A halt's certificate, the latest if no number is given."""
        ...

    @property
    def noted(self) -> Sequence[LoggedCommand]:
        """What was done here today and changed nothing, as lines, oldest first."""
        ...

    def note(self, line: str) -> None:
        """Keep a line that would do what was just done here and changed nothing."""
        ...

    def known(self) -> Known:
        """What the words of the command line can name here."""
        ...

    def run_command(self, text: str) -> None:
        """Carry out a line of the command line, such as `reverse 12`."""
        ...


class AtDesk(MessagePump):
    """What screens and the cards of their dock have in common: the way to the app and to its desk."""

    @property
    def shell(self) -> Shell:
        """The app, as far as a screen may know it."""
        return cast("Shell", self.app)

    @property
    def desk(self) -> Desk:
        """The open desk."""
        return self.shell.desk

    def carry_out(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do what changes something at the desk to its end, also when this is left meanwhile.

        Textual cancels the workers of a screen that goes away; half a change is what nobody asked for.
        """
        self.app.run_worker(work, exit_on_error=False)

    def before_further_keys(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """What a key asked for; until it is done the keys behind it wait, which are for what it leads to."""
        release = self.shell.hold_keys()

        async def held() -> None:
            try:
                await work
            finally:
                release()

        return held()


class Here(Struct, frozen=True):
    """What the cursor is on and what is marked, for commands that work on it."""

    key: str | None = None
    client_id: int | None = None
    order_id: int | None = None
    run_number: int | None = None
    client_ids: tuple[int, ...] = ()
    shown: tuple[int, ...] | None = None
    """The clients in view where a group or a filter narrows them, else None."""
    group: str | None = None
    """The group that was turned to, where its clients are in view."""
    key_proposed: bool = False
    """Whether the symbol is that of another pane than the one with the focus, and so merely likely."""
    product: str | None = None
    """The product of the holding under the cursor, where that is what the cursor is on."""


class Table(Struct, frozen=True):
    """A table as it is copied or written to a file: its name, columns, row objects, and the cursor's row.

    `record` returns a row for the file, raw and in full; without it the file has what the cells say.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Any, ...]
    row: Any | None = None
    record: Callable[[Any], Mapping[str, str]] | None = None
