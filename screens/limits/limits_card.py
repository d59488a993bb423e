"""The limits that are set, of all or over one client with what is used of each, and the lists of shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from data.vocabulary import LimitKind, LimitScope, Right
from engine.events import LimitsChanged
from engine.planning.limits.typed import LimitWish
from engine.words.firm.leases import alone_words
from engine.words.formats import counted
from engine.words.trading.limits import kind_words, list_words, place_words
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import HasRights, Here
from screens.limits.cells import figure_cell, near_style, part_cell
from screens.limits.limit_card import LimitCard, ask_remove_here, change_limit
from screens.limits.lists_card import ListsCard
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from engine.book.watched.limit_views import LimitView
    from engine.market.lists.share_lists import ShareListView
    from engine.planning.limits.service import LimitUse

WORDS = 40
"""Cells of the longest limit's name."""
ROWS = 12
"""Lines of the panel; more scroll."""

KEYS = "Enter changes  Insert sets one  Delete takes away  :limits CODE  :lists"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit, or a list of shares, as the panel shows it."""

    of: str
    what: str
    figure: str
    strength: str
    used: str
    used_bps: int | None
    by: str
    decides: bool = False
    stale: bool = False
    limit: LimitView | None = None
    """The limit; one by nobody is the desk's own, and is changed but not taken away."""
    list_name: str = ""


class LimitsCard(HasRights, Card[None]):
    """A line a limit, the nearest to the client first; below them the lists of shares."""

    TITLE_WORDS = "Limits before the order"
    HEARS = (LimitsChanged,)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "watch.remove")]
    rights: ClassVar[Mapping[str, Right]] = {"add_here": Right.CLIENTS, "remove_here": Right.CLIENTS}

    def __init__(self, client_id: int | None = None) -> None:
        """Over one client, with what is used of each; or all that are set."""
        super().__init__()
        self.rows = ROWS
        self._client_id = client_id
        self._rows: dict[int, LimitRow] = {}

    def compose(self) -> ComposeResult:
        """A line a limit or list."""
        used = [
            Column("bar", "used", 24, _used, style=_style),
            Column("decides", "decides", 7, lambda one: "yes" if one.decides else "", priority=1),
        ]
        yield LiveGrid(
            [
                Column("of", "of", 12, lambda one: one.of),
                Column("what", "limit", 20, lambda one: one.what, flex=True, most=WORDS),
                Column("figure", "figure", 12, lambda one: one.figure, "right"),
                Column("strength", "", 6, lambda one: one.strength, style=_style),
                *(used if self._client_id is not None else ()),
                Column("by", "set by", 10, lambda one: one.by, priority=2, style=lambda _: "dim"),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no limit is set",
            id="limits",
        )
        yield SteadyStatic(KEYS, classes="keys -always")

    def title(self) -> str:
        """Of whom."""
        if self._client_id is None:
            alone = alone_words("total-loss counts", self.desk.leases.elsewhere())
            return f"LIMITS before the order{alone}"
        return f"LIMITS over {self.desk.clients.get(self._client_id).code}"

    def begin(self) -> None:
        """In the rows."""
        self.refill()
        self.screen.set_focus(self.query_one(LiveGrid))

    def refill(self) -> None:
        """Read what is set."""
        self.run_worker(self._read(), group="limits", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        limits = self.desk.limits
        if self._client_id is None:
            rows = [self._row(one) for one in limits.all()]
        else:
            rows = [self._row(use.limit, use) for use in await limits.over(self._client_id)]
        rows += map(_list_row, self.desk.share_lists.all())
        if self.is_attached:
            self._rows = dict(enumerate(rows))
            self.query_one(LiveGrid).set_rows(self._rows)
            self.refresh_bindings()

    @property
    def _row_here(self) -> LimitRow | None:
        key = self.query_one(LiveGrid).cursor_key if self.is_mounted else None
        return self._rows.get(key) if isinstance(key, int) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a limit that somebody has set can be taken away."""
        if action == "remove_here" and self.is_mounted:
            return self._removable is not None
        return True

    @property
    def _removable(self) -> LimitView | None:
        row = self._row_here
        return row.limit if row is not None and row.limit is not None and row.limit.by else None

    def on_live_grid_highlighted(self) -> None:
        """The keys are those of another row."""
        self.refresh_bindings()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The form of a limit, or the shares of a list."""
        event.stop()
        row, screen = self._row_here, self.host
        if row is not None and row.list_name:
            screen.open_card(ListsCard(row.list_name), over=self)
        elif row is not None and row.limit is not None and self.desk.who.may(Right.CLIENTS):
            self.close()
            change_limit(screen, row.limit)

    def action_add_here(self) -> None:
        """The form of one more."""
        screen, client_id = self.host, self._client_id
        self.close()
        scope, whose = LimitScope.DESK, ""
        if client_id is not None:
            scope, whose = LimitScope.CLIENT, screen.desk.clients.get(client_id).code
        screen.open_card(LimitCard(LimitWish(scope, whose, LimitKind.ORDER_VALUE)))

    def action_remove_here(self) -> None:
        """Ask before the limit under the cursor is taken away."""
        limit, screen = self._removable, self.host
        if limit is not None:
            self.close()
            ask_remove_here(screen, limit)

    def _row(self, limit: LimitView, use: LimitUse | None = None) -> LimitRow:
        masked = self.shell.privacy
        return LimitRow(
            place_words(limit.scope, self.desk.limits.whose_words(limit)),
            kind_words(limit.kind, limit.list_name),
            figure_cell(limit.kind, limit.figure, masked),
            limit.strength.value,
            figure_cell(limit.kind, None if use is None else use.used, masked),
            None if use is None else use.used_bps,
            limit.by or "the desk",
            use is not None and use.decides,
            limit=limit,
        )

    def here(self) -> Here:
        """The client whose limits they are."""
        return Here(client_id=self._client_id)


def _list_row(one: ShareListView) -> LimitRow:
    stale = "STALE" if one.stale else ""
    what = f"{list_words(one.name)} of {one.as_of:%d %b %Y}"
    return LimitRow(
        "list",
        what,
        counted(one.shares, "share"),
        stale,
        "",
        None,
        one.by,
        stale=one.stale,
        list_name=one.name,
    )


def _used(row: LimitRow) -> str:
    """How much of it is used: `62 % ████▉   ₹31,000`."""
    return row.used if row.used_bps is None else f"{part_cell(row.used_bps)} {row.used}"


def _style(row: LimitRow) -> str | None:
    return "warn" if row.stale else near_style(row.used_bps)
