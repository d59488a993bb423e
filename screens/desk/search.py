"""Find a symbol, a client's name or code, from anywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import gate_sentence
from screens.frame.commands import bindings
from screens.frame.dock import Card
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput

SHOWN = 30
"""Symbols offered at once, and clients."""

ROWS = 14
"""Lines of the card, of which a low terminal has room for fewer."""


class FoundKind(StrEnum):
    """What was found."""

    CLIENT = "client"
    SYMBOL = "symbol"


class Found(NamedTuple):
    """One thing found: a client or a symbol."""

    kind: FoundKind
    code: str
    name: str
    fact: str
    key: str | int


class FindCard(Card[None]):
    """One line and what it finds; Enter opens the first or the chosen one, Insert or `+` watches a symbol."""

    TITLE_WORDS = "Find"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, Found] = {}
        self.rows = ROWS

    def title(self) -> str:
        """What it is."""
        return "FIND"

    def begin(self) -> None:
        """In the words."""
        self.screen.set_focus(self.query_one("#words", Input))

    def compose(self) -> ComposeResult:
        """The line and the results."""
        yield SteadyInput(
            placeholder="symbol, client code or name; ↓ chooses, Enter opens, + watches",
            id="words",
            compact=True,
        )
        yield LiveGrid(
            [
                Column("kind", "", 6, lambda row: row.kind, style=lambda _: "dim"),
                Column("code", "code", 12, lambda row: row.code, style=lambda _: "strong"),
                Column("name", "name", 20, self._shown_name, flex=True),
                Column("fact", "", 24, lambda row: row.fact, "right", priority=1),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="nothing of that name",
            id="found",
        )

    def _shown_name(self, row: Found) -> str:
        return MASK if self.shell.privacy and row.kind is FoundKind.CLIENT else row.name

    def on_mount(self) -> None:
        """Begin with the clients, who are searched for most."""
        self._find("")
        self.run_worker(self.desk.market.read_names(), exit_on_error=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Results follow the words; `+` is no word, it puts what is chosen on the watchlist."""
        event.stop()
        if "+" in event.value:
            event.input.value = event.value.replace("+", "")
            if self.check_action("add_watched", ()):
                self.action_add_watched()
            return
        self._find(event.value.strip())
        self.run_worker(self._read_prices(), exclusive=True, exit_on_error=False, group="follow")

    def _price_words(self, key: str) -> str:
        """The last price and its change."""
        quote = self.desk.market.quote(key)
        if quote is None:
            return formats.DASH
        change = formats.signed_percent(self.desk.market.change_bps(key))
        return f"{formats.price(quote.last_paise)} {change:>7} %"

    async def _read_prices(self) -> None:
        """Read the prices of what was found and is not followed, once."""
        market = self.desk.market
        found = [row.key for row in self._rows.values() if isinstance(row.key, str)]
        if missing := [key for key in found if market.stale(key)]:
            await market.fetch(missing)
            for name, row in self._rows.items():
                if isinstance(row.key, str):
                    self._rows[name] = row._replace(fact=self._price_words(row.key))
            self.query_one(LiveGrid).apply(set(self._rows))

    def _find(self, words: str) -> None:
        rows: list[Found] = []
        for instrument in self.desk.market.search(words, SHOWN) if words else []:
            fact = self._price_words(instrument.key)
            rows.append(
                Found(FoundKind.SYMBOL, instrument.tradingsymbol, instrument.name, fact, instrument.key)
            )
        found = self.desk.clients.search(words) if words else self.desk.clients.all()
        for client in found[:SHOWN]:
            gate = f"{client.broker} · {gate_sentence(self.desk.reconcile.readiness(client.id))}"
            rows.append(Found(FoundKind.CLIENT, client.code, client.name, gate, client.id))
        exact = words.casefold()
        # What was typed out in full stands first, whatever it is.
        rows.sort(key=lambda row: (row.code.casefold() != exact, not row.code.casefold().startswith(exact)))
        self._rows = {f"{row.kind}:{row.key}": row for row in rows}
        grid = self.query_one(LiveGrid)
        grid.set_rows(self._rows)
        if rows:
            grid.move_cursor(next(iter(self._rows)))

    def on_key(self, event) -> None:
        """The arrows choose while the words keep the focus."""
        if self.query_one("#words").has_focus and event.key in ("down", "up", "pagedown", "pageup"):
            grid = self.query_one(LiveGrid)
            if event.key in ("down", "up"):
                grid.action_cursor_by(1 if event.key == "down" else -1)
            else:
                grid.action_cursor_page(1 if event.key == "pagedown" else -1)
            event.stop()

    @property
    def _chosen(self) -> Found | None:
        key = self.query_one(LiveGrid).cursor_key
        return self._rows.get(key) if isinstance(key, str) else None

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open what is chosen."""
        event.stop()
        self._open()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Open the row."""
        event.stop()
        self._open()

    def _open(self) -> None:
        row = self._chosen
        if row is None:
            return
        shell = self.shell
        self.close()
        if isinstance(row.key, int):
            self.app.call_later(shell.open_client, row.key)
        else:
            self.app.call_later(shell.open_symbol, row.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only symbols can be watched."""
        if action == "add_watched":
            return self.is_mounted and self._chosen is not None and self._chosen.kind is FoundKind.SYMBOL
        return True

    def action_add_watched(self) -> None:
        """Put the chosen symbol on the watchlist."""
        if self._chosen is not None and isinstance(self._chosen.key, str):
            self.shell.run_command(f"watch {self._chosen.key}")
