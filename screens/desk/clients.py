"""The clients of the Desk: which are shown, their live orders, and the sums of what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Set
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from data.vocabulary import Right
from engine.accounts.clients import ClientsTotal
from engine.accounts.holdings import FundsTotal
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, books_words, gate_brief, gate_sentence
from screens.clients.client_card import ClientCard
from screens.clients.gate_rows import STATUSES
from screens.desk.client_rows import GUARD, LIVE_COLUMNS, client_columns
from screens.desk.rows import aged, direction, known_pnl
from screens.frame.commands import bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.shell import HasRights, Shell
from screens.frame.whose import at_several, brokers_of, of_broker, who_words
from widgets.livegrid import Column, LiveGrid
from widgets.sparks import blocks

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from screens.frame.workspace import Framed

COURSE_CELLS = 20
"""Cells of the line of blocks that shows the course of the desk's day."""


class ClientsPane(HasRights, Pane):
    """Every client, or those of a group; sums are of the rows that are shown."""

    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.CLIENTS}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("order.modify")]

    def __init__(self, shell: Shell) -> None:
        super().__init__("clients-pane", hint="{ } group  f filter  space mark")
        self._shell = shell
        self._desk = shell.desk
        self._live: Counter[int] = Counter()
        self._guarded = self._at_several = False
        self._turned: str | None = None
        self._funds, self._roster = FundsTotal(0, 0, 0), ClientsTotal(0, 0)
        self._live_shown = 0
        self._net_paise: int | None = None

    def compose(self) -> ComposeResult:
        """The rows and their filter."""
        yield LiveGrid(
            self._columns(),
            monotonic=self._shell.monotonic,
            hint="no client here: { } turns the group, f then Esc clears the filter",
            id="clients",
        )
        yield FilterLine("clients-filter", "name, group, broker:, status, gate")

    def _columns(self) -> list[Column]:
        """The columns; that of guards where any is set, that of brokers where there are several."""
        columns = client_columns(self._desk, self._live, lambda: self._shell.privacy)
        absent = {key for key, stands in ((GUARD, self._guarded), ("broker", self._at_several)) if not stands}
        return [one for one in columns if one.key not in absent]

    @property
    def grid(self) -> LiveGrid:
        """The rows, by client id."""
        return self.query_one(LiveGrid)

    @property
    def filter_line(self) -> FilterLine:
        """The words rows must contain."""
        return self.query_one(FilterLine)

    @property
    def client_id(self) -> int | None:
        """The client under the cursor."""
        key = self.grid.cursor_key
        return key if isinstance(key, int) else None

    def key_words(self, action: str) -> str | None:
        """Of the one under the cursor `e` opens the form."""
        return "client" if action == "modify_here" else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a form where there is a client."""
        return self.client_id is not None if action == "modify_here" else True

    def action_modify_here(self) -> None:
        """The form of the client under the cursor."""
        if self.client_id is not None:
            screen = cast("Framed[None]", self.screen)
            screen.open_card(ClientCard(self._desk.clients.get(self.client_id)))

    @property
    def shown(self) -> list[int]:
        """The clients shown, in their order."""
        return [key for key in self.grid.shown_keys if isinstance(key, int)]

    @property
    def marked(self) -> tuple[int, ...]:
        """The clients marked, shown or not."""
        return tuple(sorted(key for key in self.grid.marked_keys if isinstance(key, int)))

    @property
    def group(self) -> str | None:
        """The group that narrows the clients, kept by its name; everyone once nobody is in it."""
        return self._turned if self._turned in self._desk.clients.groups() else None

    @property
    def turns(self) -> list[str]:
        """What `{` and `}` turn to beside everyone: each group, then each broker where there are several."""
        return [*self._desk.clients.groups(), *brokers_of(self._desk.clients.all())]

    def live_orders(self, client_id: int) -> int:
        """How many of a client's orders live."""
        return self._live[client_id]

    def count_live(self) -> set[int]:
        """Count the live orders of each client; returns those whose count changed."""
        fresh = Counter(order.client_id for order in self._desk.orders.all(live=True))
        changed = {one for one in fresh.keys() | self._live.keys() if fresh[one] != self._live[one]}
        self._live.clear()
        self._live.update(fresh)
        return changed

    def fill(self) -> None:
        """Show the clients under the group and the filter."""
        clients, turned = self._desk.clients.all(), self._turned_to
        stands = bool(self._desk.guards.all()), at_several(clients)
        if stands != (self._guarded, self._at_several):
            self._guarded, self._at_several = stands
            self.grid.set_columns(self._columns())
        wanted = self.query_one(Input).value.strip().casefold()
        shown = [
            client.id
            for client in clients
            if turned in (None, *client.groups, of_broker(client)) and self._is_meant(client, wanted)
        ]
        self.grid.set_rows({client.id: client.id for client in clients}, shown)
        self._sum_books()
        self.paint_totals()

    def _is_meant(self, client: ClientView, wanted: str) -> bool:
        """Whether the filter's words are a client's status, a part of who it is, or how its gate begins."""
        if wanted in STATUSES:
            return client.status.value == wanted
        return wanted in who_words(client) or any(word.startswith(wanted) for word in self._gate(client.id))

    def _gate(self, client_id: int) -> list[str]:
        """What stands against a client's trading: in the letters of its column, and in full."""
        readiness = self._desk.reconcile.readiness(client_id)
        brief = gate_brief(readiness)
        full = gate_sentence(readiness).split() if readiness.gate else ["ready"] if brief == READY else []
        return [brief, *full]

    def apply(self, changed: Set[int], revalued: Set[int]) -> None:
        """Paint the clients whose books changed, and those whose shares are worth something else."""
        moved = changed | revalued
        self.grid.apply(moved)
        if moved:
            if self.grid.sort_key in LIVE_COLUMNS:
                self.grid.resort()
            if changed:
                self._sum_books()
            self.paint_totals()

    def step(self, step: int) -> None:
        """Turn to another group, to a broker's clients, or to everyone."""
        turns = [None, *self.turns]
        self._turned = turns[(turns.index(self._turned_to) + step) % len(turns)]

    @property
    def _turned_to(self) -> str | None:
        return self._turned if self._turned is not None and self._turned in self.turns else None

    def _sum_books(self) -> None:
        """Sum what no price moves, of the rows shown."""
        shown = self.shown
        self._funds, self._roster = self._desk.funds.total(shown), self._desk.clients.total(shown)
        self._live_shown = sum(self._live[client] for client in shown)

    def paint_totals(self) -> None:
        """The sums of the rows shown."""
        desk, masked, shown = self._desk, self._shell.privacy, self.shown
        value, funds = desk.valuation.total(shown), self._funds
        self._net_paise = known_pnl(desk, shown, value.net_day_pnl_paise)

        def money(words: Callable[[int | None], str], paise: int | None) -> str:
            return MASK if masked else words(paise)

        everyone = len(desk.clients.all())
        self.grid.set_totals(
            {
                "code": str(len(shown)),
                "name": "totals" if len(shown) == everyone else f"of {everyone} totals",
                "gate": f"{self._roster.ready}/{len(shown)}"[:5],
                "capital": money(formats.lakh, self._roster.capital_paise),
                "available": money(formats.rupees, funds.available_paise),
                "blocked": money(formats.rupees, funds.blocked_paise),
                "net": money(formats.signed, self._net_paise),
                "gross": money(formats.signed, known_pnl(desk, shown, value.day_pnl_paise)),
                "charges": money(formats.rupees, value.charges_today_paise),
                "worth": money(formats.lakh, value.value_paise),
                "live": str(self._live_shown or ""),
            },
            {}
            if masked
            else {"net": aged(desk, desk.valuation.keys_of(shown), direction(self._net_paise)) or ""},
        )

    def paint_title(self) -> None:
        """How many are ready, shown and marked, what narrows them, and what their day brought."""
        counts, masked, held = self._desk.counts(), self._shell.privacy, self._funds.held_paise
        shown, marked = len(self.grid.shown_keys), len(self.grid.marked_keys)
        text = self.filter_line.value.strip()
        course = blocks(self._desk.equity.desk_course(), COURSE_CELLS)
        sorted_by = next((c.title for c in self.grid.columns if c.key == self.grid.sort_key), "")
        self.set_title(
            f"Clients {counts.clients}",
            [
                f"group {self.group}" if self.group is not None else self._turned_to or "",
                f"filter {text}" if text else "",
                f"shown {shown}" if shown != counts.clients else "",
                f"marked {marked}" if marked else "",
                f"gate {counts.ready}/{counts.clients}",
                *books_words(self._desk.reconcile.counts()),
                f"held {MASK if masked else formats.lakh(held)}" if held else "",
                f"sort {sorted_by}" if sorted_by else "",
                f"day {course}" if course else "",
            ],
        )
