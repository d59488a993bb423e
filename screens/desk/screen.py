"""Workspace 1, the Desk: watchlist, clients, depth and tape, all in view at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from engine.events import ClientsChanged, Event, FundsChanged, OrderChanged, TapeLine
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import books_words
from engine.words.market import WIDEST, held_words, symbol_lines
from screens.desk.depth import depth_levels
from screens.desk.rows import LIVE_CLIENT_COLUMNS, aged, client_columns, direction, known_pnl, watch_columns
from screens.desk.tape import DeskTape
from screens.frame.commands import bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import client_record, instrument_record
from screens.frame.routes import View
from screens.frame.workspace import Here, Table, Workspace
from screens.orders.cancel import ask_cancel
from widgets.depth import Depth
from widgets.livegrid import LiveGrid
from widgets.statusstrip import Mode, Segment
from widgets.steady import SteadyStatic
from widgets.tape import TapeGrid

OWNER = "desk-screen"
"""Under this name the screen follows prices."""


class DeskScreen(Workspace):
    """What the trader looks at all day. The symbol under the cursor is the one shown in depth and ordered."""

    CSS_PATH = Path(__file__).with_name("desk.tcss")
    AUTO_FOCUS = "#clients"
    TITLE_WORDS = "Desk"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(
            "order.cancel",
            "order.cancel_marked",
            "filter",
            "previous",
            "next",
            "watch.remove",
            "watch.add",
            "close",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._live: Counter[int] = Counter()
        self._dirty_clients: set[int] = set()
        self._orders_changed = True
        self._lists_changed = True
        self._list = ""
        self._group: str | None = None
        self._removed: tuple[str, str] | None = None
        self._watched: list[str] = []
        self._held_paise = 0
        self._followed: set[str] = set()
        self._held_of = ""
        self._held = ""

    def compose_body(self) -> ComposeResult:
        """Watchlist and depth left, clients right, the tape below."""
        clock = self.shell.monotonic
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                with Pane(id="watch-pane"):
                    yield SteadyStatic(classes="title")
                    yield LiveGrid(
                        watch_columns(self.desk),
                        monotonic=clock,
                        hint="empty: / finds a symbol, Insert or + puts it here",
                        markable=False,
                        flash_frames=self.shell.flash_frames,
                        id="watch",
                    )
                    yield FilterLine(id="watch-filter")
                yield Depth(formats.price, formats.quantity, id="depth")
            with Pane(id="clients-pane"):
                yield SteadyStatic(classes="title")
                yield LiveGrid(
                    client_columns(self.desk, self._live, lambda: self.shell.privacy),
                    monotonic=clock,
                    hint="no client here",
                    id="clients",
                )
                yield FilterLine(id="clients-filter")
        yield DeskTape(self.desk, clock, id="tape")

    # The parts

    @property
    def _watch_grid(self) -> LiveGrid:
        return self.query_one("#watch", LiveGrid)

    @property
    def _clients(self) -> LiveGrid:
        return self.query_one("#clients", LiveGrid)

    @property
    def _tape(self) -> DeskTape:
        return self.query_one(DeskTape)

    # Filling and painting

    def on_mount(self) -> None:
        """Fill the grids and listen."""
        self._clients.sort_by("code")
        self._tape.begin()
        self.listen(self._desk_event)
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        """Remember what changed; the next frame paints it."""
        match event:
            case TapeLine():
                self._tape.tell(event)
            case OrderChanged():
                self._orders_changed = True
                self._dirty_clients |= event.client_ids
            case FundsChanged():
                self._dirty_clients |= event.client_ids
                self._held_of = ""
            case ClientsChanged():
                self._lists_changed = True
            case _:
                pass

    def redraw(self) -> None:
        """Everything anew: lists, figures, titles."""
        if not self.is_mounted:
            return
        self._count_live()
        self._fill()
        self._clients.apply(set(self._clients.shown_keys))
        self._watch_grid.apply(set(self._watch_grid.shown_keys))
        self._paint_symbol()
        self._paint_titles()

    def on_frame(self) -> None:
        """Paint what changed since the frame before."""
        self._tape.keep_dated()
        if self._lists_changed or self._listed() != self._watched:
            self._lists_changed = False
            self._fill()
            self._dirty_clients.update(client.id for client in self.desk.clients.all())
        if self._orders_changed:
            self._orders_changed = False
            self._count_live()
        dirty = self.desk.market.take_dirty(OWNER)
        self._watch_grid.apply(dirty)
        moved = self._dirty_clients | self.shell.revalued
        self._dirty_clients = set()
        self._clients.apply(moved)
        if self._watch_grid.sort_key not in (None, "symbol") and dirty:
            self._watch_grid.resort()
        if moved:
            if self._clients.sort_key in LIVE_CLIENT_COLUMNS:
                self._clients.resort()
            self._paint_totals()
        self._paint_symbol()
        self._paint_titles()

    def show_strip(self, mode: Mode, segments: Sequence[Segment]) -> None:
        """As everywhere; the line that asks for a first F9 says that it came."""
        super().show_strip(mode, segments)
        if mode == "armed" and self.is_mounted:
            self._tape.f9_came()

    def _fill(self) -> None:
        """Which rows there are, under the filters, the watchlist and the group chosen."""
        self._watched = self._listed()
        wanted = self.query_one("#watch-filter", Input).value.strip().casefold()
        self._watch_grid.set_rows(
            {key: key for key in self._watched}, [key for key in self._watched if wanted in key.casefold()]
        )
        clients = self.desk.clients.all()
        wanted = self.query_one("#clients-filter", Input).value.strip().casefold()
        group = self._group_name
        shown = [
            client.id
            for client in clients
            if (group is None or group in client.groups)
            and wanted in f"{client.code} {client.name} {' '.join(client.groups)}".casefold()
        ]
        self._clients.set_rows({client.id: client.id for client in clients}, shown)
        self._paint_totals()
        self._follow()

    def _listed(self) -> list[str]:
        """What the chosen watchlist holds now."""
        name = self._list_name
        return self.desk.watchlist.keys(name) if name else []

    @property
    def _list_name(self) -> str:
        """The watchlist shown, kept by its name; the first where that is gone, empty where there is none."""
        names = self.desk.watchlist.names()
        return self._list if self._list in names else names[0] if names else ""

    def _follow(self) -> None:
        """Follow the prices of the list."""
        keys = set(self._watched)
        if keys != self._followed:
            self._followed = keys
            work = partial(self.desk.market.follow, keys, OWNER)
            self.run_worker(work, group="follow", exclusive=True, exit_on_error=False)

    def _count_live(self) -> None:
        fresh = Counter(order.client_id for order in self.desk.orders.all(live=True))
        changed = {
            client for client in fresh.keys() | self._live.keys() if fresh[client] != self._live[client]
        }
        self._live.clear()
        self._live.update(fresh)
        self._dirty_clients |= changed

    def _paint_totals(self) -> None:
        desk, masked = self.desk, self.shell.privacy
        shown = [client for client in self._clients.shown_keys if isinstance(client, int)]
        value, funds, clients = (
            desk.valuation.total(shown),
            desk.funds.total(shown),
            desk.clients.total(shown),
        )
        net = known_pnl(desk, shown, value.net_day_pnl_paise)
        self._held_paise = funds.held_paise

        def money(paise: int | None, words: Callable[[int | None], str] = formats.short) -> str:
            return MASK if masked else words(paise)

        self._clients.set_totals(
            {
                "code": str(len(shown)),
                "name": "totals",
                "gate": f"{clients.ready}/{len(shown)}"[:5],
                "capital": money(clients.capital_paise),
                "available": money(funds.available_paise),
                "blocked": money(funds.blocked_paise),
                "net": money(net, formats.signed),
                "gross": money(known_pnl(desk, shown, value.day_pnl_paise), formats.signed),
                "live": str(sum(self._live[client] for client in shown)),
            },
            {} if masked else {"net": aged(desk, desk.valuation.keys_of(shown), direction(net)) or ""},
        )

    def _paint_symbol(self) -> None:
        key = self._watch_grid.cursor_key
        depth = self.query_one(Depth)
        if isinstance(key, str):
            if key != self._held_of:
                self._held_of, self._held = key, held_words(self.desk.market.detail(key))
            instrument, quote = self.desk.market.index.get(key), self.desk.market.quote(key)
            width = (depth.size.width or WIDEST) - 1
            depth.set_header(symbol_lines(key, instrument, quote, self._held, width))
            depth.update(depth_levels(quote))

    def _paint_titles(self) -> None:
        names = self.desk.watchlist.names()
        name = self._list_name or "no watchlist"
        place = f"{names.index(name) + 1}/{len(names)}" if names else ""
        narrow = self.size.width < 110
        heading = "" if narrow or name.startswith("Watchlist") else "Watchlist "
        title = f"{heading}{name} {place}{self._filter_words('watch')}"
        self.query_one("#watch-pane", Pane).set_title(title)
        counts = self.desk.counts()
        parts = [
            f"Clients {counts.clients}",
            f"gate {counts.ready}/{counts.clients}",
        ]
        if self._group_name is not None:
            parts.append(f"group {self._group_name}")
        shown = len(self._clients.shown_keys)
        if not narrow or shown != counts.clients:
            parts.append(f"shown {shown}")
        parts.append(f"marked {len(self._clients.marked_keys)}")
        books = books_words(self.desk.reconcile.counts())
        if not narrow and not books:
            parts.append(f"sort {self._clients.sort_key or 'as given'}")
        words = " · ".join(parts) + self._filter_words("clients")
        if not narrow and self._held_paise:
            held = MASK if self.shell.privacy else formats.short(self._held_paise)
            books = [*books, f"held {held}"]
        self.query_one("#clients-pane", Pane).set_title(" · ".join([words, *books]))

    def _filter_words(self, pane: str) -> str:
        """What a pane is filtered by, for its title."""
        text = self.query_one(f"#{pane}-filter", FilterLine).value.strip()
        return f" · filter {text}" if text else ""

    @property
    def _filter(self) -> FilterLine | None:
        """The filter of the pane that has the focus, where there is something to clear."""
        focused = self.focused
        if isinstance(focused, FilterLine):
            return focused
        pane = {self._watch_grid: "watch", self._clients: "clients"}.get(focused)  # type: ignore[call-overload]
        line = self.query_one(f"#{pane}-filter", FilterLine) if pane else None
        return line if line is not None and line.value else None

    # What the cursor is on

    @property
    def _group_name(self) -> str | None:
        """The group that narrows the clients, kept by its name; everyone once nobody is in it."""
        return self._group if self._group in self.desk.clients.groups() else None

    def here(self) -> Here:
        """The symbol of the watchlist or depth; the client only where the cursor is among the clients."""
        if not self.is_mounted:
            return Here()
        key = self._watch_grid.cursor_key
        client = self._clients.cursor_key if self.focused is self._clients else None
        among, shown = self._clients.shown_keys, None
        if len(among) < len(self.desk.clients.all()):
            shown = tuple(sorted(key for key in among if isinstance(key, int)))
        return Here(
            key=key if isinstance(key, str) else None,
            client_id=client if isinstance(client, int) else None,
            client_ids=tuple(sorted(key for key in self._clients.marked_keys if isinstance(key, int))),
            shown=shown,
        )

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are their own keys."""
        if grid is self._tape:
            return None
        name, of = (
            ("watchlist", instrument_record) if grid is self._watch_grid else ("clients", client_record)
        )
        rows = tuple(grid.shown_keys)
        return Table(name, tuple(grid.columns), rows, grid.cursor_key, partial(of, self.desk))

    def show_view(self, view: View) -> None:
        """Show or hide the depth where space is short."""
        if view is View.DEPTH:
            self.toggle_class("-depth")

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Another symbol under the cursor is the one in depth from now on."""
        if event.grid is self._watch_grid:
            self._paint_symbol()

    def on_live_grid_marked(self, event: LiveGrid.Marked) -> None:
        """Say how many are marked."""
        self._paint_titles()

    def on_live_grid_sorted(self, event: LiveGrid.Sorted) -> None:
        """Say what the rows are sorted by."""
        self._paint_titles()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """A symbol's page, or a client's."""
        if event.grid is self._watch_grid:
            self.shell.open_symbol(str(event.key))
        elif isinstance(event.key, int):
            shown = [key for key in self._clients.shown_keys if isinstance(key, int)]
            self.shell.open_client(event.key, shown)

    def on_tape_grid_opened(self, event: TapeGrid.Opened) -> None:
        """What the line is about."""
        if (subject := self._tape.subject_of(event.key)) is not None:
            self.shell.open_subject(subject)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "cancel_here":
            client = self.here().client_id
            return client is not None and self._live[client] > 0
        if action == "cancel_marked":
            return any(self._live[client] for client in self.here().client_ids)
        if action == "step":
            if self.focused is self._clients:
                return bool(self.desk.clients.groups())
            return self.focused is self._watch_grid and len(self.desk.watchlist.names()) > 1
        if action == "remove_watched":
            return self.focused is self._watch_grid and self._watch_grid.cursor_key is not None
        if action == "add_watched":
            return self.focused is self._watch_grid and self._removed is not None
        if action == "filter_here":
            return self.focused in (self._watch_grid, self._clients)
        if action == "close":
            return self._filter is not None
        return super().check_action(action, parameters)

    def action_step(self, step: int) -> None:
        """The next watchlist, or the next group of clients."""
        if self.focused is self._clients:
            groups = [None, *self.desk.clients.groups()]
            self._group = groups[(groups.index(self._group_name) + step) % len(groups)]
        else:
            names = self.desk.watchlist.names()
            self._list = names[(names.index(self._list_name) + step) % len(names)]
        self._fill()
        self._paint_titles()

    def action_remove_watched(self) -> None:
        """Take the row off the watchlist, and say how it comes back."""
        key, name = self._watch_grid.cursor_key, self._list_name
        if isinstance(key, str) and name:
            self._removed = (key, name)
            self.carry_out(self.desk.watchlist.remove(key, name))
            self.shell.say(f"{key.partition(':')[2]} is off {name}; Insert or + here puts it back")
            self.refresh_bindings()

    def action_add_watched(self) -> None:
        """Put back what was taken off last, at the end of its list."""
        if self._removed is not None:
            key, name = self._removed
            self._removed = None
            self.carry_out(self.desk.watchlist.add(key, name))
            self.shell.say(f"{key.partition(':')[2]} is on {name} again, at its end")
            self.refresh_bindings()

    def action_filter_here(self) -> None:
        """Filter the rows of the pane that has the focus."""
        pane = "watch" if self.focused is self._watch_grid else "clients"
        self.query_one(f"#{pane}-filter", FilterLine).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        self._fill()
        self._paint_titles()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back to the rows."""
        self._leave_filter(event.input)

    def action_close(self) -> None:
        """Clear the filter."""
        line = self._filter
        if line is not None:
            line.value = ""
            self._leave_filter(line)

    def _leave_filter(self, line: Input) -> None:
        if isinstance(line, FilterLine):
            line.settle()
            (self._watch_grid if line.id == "watch-filter" else self._clients).focus()

    def action_cancel_here(self) -> None:
        """Cancel the live orders of the client under the cursor; asks first."""
        client = self.here().client_id
        if client is not None:
            self._cancel([client])

    def action_cancel_marked(self) -> None:
        """Cancel the live orders of the marked clients; asks for typed words."""
        self._cancel(self.here().client_ids)

    def _cancel(self, clients: Iterable[int]) -> None:
        wanted = set(clients)
        ask_cancel(self, [order for order in self.desk.orders.all(live=True) if order.client_id in wanted])
