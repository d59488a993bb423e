"""Find a symbol, a client's name or code, from anywhere; or symbols by words, all of them for a watchlist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from engine.market.finding import Found
from engine.market.search_words import Search, search_from
from engine.words.finding import WORDS_HINT, found_words, put_words
from engine.words.formats import MASK, counted
from engine.words.refusals import refusal_words
from screens.desk.search_rows import Hit, HitKind, client_hit, hit_columns, symbol_hit, symbol_row
from screens.frame.commands import bindings
from screens.frame.dock import Card
from widgets.answerfield import HELD_SECONDS
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

SHOWN = 30
"""Symbols offered at once of a mere text, and clients."""

OWNER = "find"
"""Under this name the prices of what is shown are followed, as long as it is."""


MANY = 10
"""More symbols than this are put on a list by a second Enter, behind one that says how many they are."""

ROWS = 11
"""Lines of the card, of which a low terminal has room for fewer."""


class WordsInput(SteadyInput):
    """Where the words are typed. At their end Delete has nothing to delete, and is left to the card."""

    enter_words = "open"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        return not self.cursor_at_end if action == "delete_right" else True


class FindCard(Card[None]):
    """One line and what it finds. Enter opens the first or the chosen row, `+` watches a symbol.

    Where words beside a text narrow the symbols, Enter puts all that are shown on the list in view, unless
    one was chosen by the arrows; many are put there by a second Enter, once the first has said how many.
    Delete takes off again what was put on last.
    """

    TITLE_WORDS = "Find"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "watch.remove")]

    def __init__(self) -> None:
        super().__init__()
        self.rows = ROWS
        self._rows: dict[str, Hit] = {}
        self._wanted: Search | None = None
        self._problem = ""
        self._found: Found | None = None
        self._looking = False
        self._enter_waits = False
        self._chose = False
        self._asked_at: float | None = None
        """When it was first asked to put many on the list."""
        self._put: tuple[str, list[str]] = ("", [])
        self._were_there = 0
        self._keys: tuple[bool, bool, str] | None = None
        """What its keys were last said to do."""
        self._shown: frozenset[str] = frozenset()
        self._followed: frozenset[str] = frozenset()

    def title(self) -> str:
        """What it is."""
        return "FIND"

    def begin(self) -> None:
        """In the words."""
        self.screen.set_focus(self.query_one("#words", Input))

    def compose(self) -> ComposeResult:
        """The line, what it says of itself, and the results."""
        yield WordsInput(
            placeholder="symbol, client code or name; ↓ chooses, Enter opens, Insert watches",
            id="words",
            compact=True,
        )
        yield SteadyStatic(id="told")
        yield LiveGrid(
            hit_columns(self.desk, self._shown_name),
            monotonic=self.shell.monotonic,
            markable=False,
            hint="nothing of that name",
            id="found",
        )

    def _shown_name(self, row: Hit) -> str:
        return MASK if self.shell.privacy and row.kind is HitKind.CLIENT else row.name

    def on_mount(self) -> None:
        """Begin with the clients, who are searched for most."""
        self._look("")
        self.run_worker(self.desk.market.read_names(), exit_on_error=False)

    # Looking

    def on_input_changed(self, event: Input.Changed) -> None:
        """Results follow the words; `+` is no word, it puts what is chosen on the watchlist."""
        event.stop()
        if "+" in event.value:
            event.input.value = event.value.replace("+", "")
            if self.check_action("add_here", ()):
                self.action_add_here()
            return
        self._look(event.value)

    def _look(self, text: str) -> None:
        """Show what is found; where that has to be waited for, what was shown stays until then."""
        self._put, self._found, self._problem = ("", []), None, ""
        self._chose = self._enter_waits = False
        self._asked_at = None
        try:
            self._wanted = search_from(text, self.desk.market.classes)
        except BadInput as problem:
            self._wanted, self._problem = None, f"{problem.value} · {problem.expected}"
        self._looking = self._wanted is not None and not self._wanted.is_text
        if self._wanted is not None and self._wanted.is_text:
            self._show(self._by_text(text.strip()))
        self._tell()
        self.run_worker(self._read(), exclusive=True, exit_on_error=False, group="find")

    def _by_text(self, words: str) -> list[Hit]:
        """Symbols and clients of these words: codes in full, their beginnings, then those of names."""
        market, clients = self.desk.market, self.desk.clients
        hits = [symbol_hit(one, market.classes) for one in (market.search(words, SHOWN) if words else ())]
        found = clients.search(words) if words else clients.all()
        hits += [client_hit(self.desk, client) for client in found[:SHOWN]]
        exact = words.casefold()

        def rank(row: Hit) -> tuple[bool, bool, bool]:
            code = row.code.casefold()
            begins = any(word.startswith(exact) for word in row.name.casefold().split())
            return code != exact, not code.startswith(exact), not begins

        return sorted(hits, key=rank)

    async def _read(self) -> None:
        """Find what has to be waited for, then read the prices of what is shown and is not followed, once."""
        market, wanted = self.desk.market, self._wanted
        if wanted is not None and not wanted.is_text:
            found = await market.find(wanted)
            instruments = [market.index.get(key) for key in found.keys]
            self._found, self._looking = found, False
            self._show([symbol_hit(one, market.classes) for one in instruments if one is not None])
            self._tell()
            if self._enter_waits:
                self._enter()
        if old := [key for key in self._symbols if market.stale(key)]:
            await market.fetch(old)
            self.query_one(LiveGrid).apply(set(self._rows))

    def _show(self, hits: Sequence[Hit]) -> None:
        self._rows = {hit.row_key: hit for hit in hits}
        grid = self.query_one(LiveGrid)
        grid.set_rows(self._rows)
        if hits:
            grid.move_cursor(hits[0].row_key)
        self._say_keys()

    @property
    def _symbols(self) -> list[str]:
        return [key for row in self._rows.values() if (key := row.symbol_key) is not None]

    @property
    def _adds_all(self) -> bool:
        """Whether Enter is about all that is shown."""
        return self._wanted is not None and not self._wanted.is_text and not self._chose

    @property
    def _list(self) -> str:
        return self.desk.watchlists.or_first(self.shell.list_in_view)

    def _tell(self) -> None:
        """What was found, what is wrong, or what was put on the list; and what Enter does."""
        name, put = self._put
        said, style = WORDS_HINT, "-hint"
        if self._problem:
            said, style = self._problem, "-problem"
        elif name:
            undo = " · Delete takes them off again" if put else ""
            said, style = f"{put_words(len(put), self._were_there, name)}{undo} · Enter goes back", "-done"
        elif self._looking:
            said = "looking…"
        elif self._found is not None:
            enter = "Enter opens" if self._chose else self._enter_words()
            said, style = f"{found_words(self._found, self._wanted)}{enter and ' · '}{enter}", ""
        line = self.query_one("#told", SteadyStatic)
        line.set_classes("-problem" if self._asked_at is not None else style)
        line.update(Content(plain(said)))
        field = self.query_one(WordsInput)
        over = "go back" if name and not self._chose else ""
        field.enter_words = over or ("put on list" if self._adds_all else "open")
        self._say_keys()

    def _say_keys(self) -> None:
        """Have the key line say what its keys do where that has changed, which no letter does by itself."""
        keys = (self._may_add, bool(self._put[1]), self.query_one(WordsInput).enter_words)
        if keys != self._keys:
            self._keys = keys
            self.screen.refresh_bindings()

    def _enter_words(self) -> str:
        count = len(self._symbols)
        if count > MANY:
            again = "AGAIN " if self._asked_at is not None else ""
            asks = "puts" if again else "asks to put"
            return f"Enter {again}{asks} all {count} on {self._list}"
        return f"Enter puts {'it' if count == 1 else f'all {count}'} on {self._list}" if count else ""

    # Prices

    def on_frame(self) -> None:
        """Follow what has been shown for a frame, and paint what moved."""
        shown = frozenset(self._symbols)
        if shown == self._shown:
            self._follow_shown(shown)
        self._shown = shown
        moved = self.desk.market.take_dirty(OWNER)
        if moved:
            self.query_one(LiveGrid).apply({symbol_row(key) for key in moved} & set(self._rows))

    def _follow_shown(self, keys: frozenset[str]) -> None:
        if keys != self._followed:
            self._followed = keys
            self.app.run_worker(self.desk.market.follow(keys, OWNER), exit_on_error=False)

    def on_unmount(self) -> None:
        """Follow no price that nobody sees."""
        self._follow_shown(frozenset())

    # Keys

    def on_key(self, event: events.Key) -> None:
        """The arrows choose while the words keep the focus."""
        if self.query_one("#words").has_focus and event.key in ("down", "up", "pagedown", "pageup"):
            grid = self.query_one(LiveGrid)
            if event.key in ("down", "up"):
                grid.action_cursor_by(1 if event.key == "down" else -1)
            else:
                grid.action_cursor_page(1 if event.key == "pagedown" else -1)
            self._chose, self._asked_at = True, None
            self._tell()
            event.stop()

    @property
    def _chosen(self) -> Hit | None:
        key = self.query_one(LiveGrid).cursor_key
        return self._rows.get(key) if isinstance(key, str) else None

    @property
    def _may_add(self) -> bool:
        """Whether a symbol is chosen."""
        return self._chosen is not None and self._chosen.kind is HitKind.SYMBOL

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Put all on the list, or open what is chosen; not before what was typed has been looked for."""
        event.stop()
        self._enter_waits = self._looking
        if not self._looking:
            self._enter()

    def _enter(self) -> None:
        self._enter_waits = False
        if self._put[0] and not self._chose:
            self.carry_out(self.before_further_keys(self._leave()))
        elif self._adds_all:
            self._put_all()
        elif not self._problem:
            self._open()

    def _put_all(self) -> None:
        """Put all on the list, many by a second Enter; a held one is one."""
        now = self.shell.monotonic()
        before, self._asked_at = self._asked_at, now
        if len(self._symbols) <= MANY or (before is not None and now - before >= HELD_SECONDS):
            self._asked_at = None
            self._put_on(self._symbols)
        else:
            self._tell()

    async def _leave(self) -> None:
        self.close()

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
        """Only symbols can be watched, and only what was put on the list is taken off here."""
        if action == "add_here":
            return self.is_mounted and self._may_add
        if action == "remove_here":
            return bool(self._put[1])
        return True

    def action_add_here(self) -> None:
        """Put the chosen symbol on the watchlist."""
        if self._chosen is not None and self._chosen.symbol_key is not None:
            self._put_on([self._chosen.symbol_key])

    def action_remove_here(self) -> None:
        """Take off again what was put on last."""
        name, keys = self._put
        self._put = ("", [])
        self.carry_out(self.before_further_keys(self._take_off(name, keys)))

    def _put_on(self, keys: Sequence[str]) -> None:
        if keys:
            self.carry_out(self.before_further_keys(self._add(list(keys), self._list)))

    async def _add(self, keys: list[str], name: str) -> None:
        try:
            added = await self.desk.watchlists.add_all(keys, name)
        except TradedeskError as problem:
            self.shell.say(refusal_words(problem), "warning")
            return
        self._put, self._were_there = (name, added), len(keys) - len(added)
        self._tell()

    async def _take_off(self, name: str, keys: list[str]) -> None:
        gone = await self.desk.watchlists.remove_all(keys, name)
        self.shell.say(f"{counted(len(gone), 'symbol')} taken off {name} again")
        self._tell()
