"""What clients have agreed to, and what is asked of them and missing: what keeps orders back first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from data.vocabulary import Right
from engine.access.judgement import bars_all, covering
from engine.events import ClientsChanged
from engine.words.day.record_lines import span_words, to_words
from engine.words.formats import counted
from engine.words.gate import finding_words
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import HasRights, Here
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from engine.book.access_views import ConsentView
    from engine.book.gate_views import LackingConsent

ROWS = 12
"""Lines of the panel; more scroll."""

KEYS = "Enter the client  Insert enter one  Delete end it  Esc back"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A consent, or one that is missing, as the panel shows it."""

    client_id: int
    code: str
    what: str
    reference: str
    span: str
    stands: str
    style: str | None = None
    number: int | None = None
    """Of a consent that may be ended."""


class ConsentsCard(HasRights, Card[None]):
    """A line a consent, behind those that are missing."""

    TITLE_WORDS = "Consents"
    HEARS = (ClientsChanged,)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "watch.remove")]
    rights: ClassVar[Mapping[str, Right]] = {"add_here": Right.CLIENTS, "remove_here": Right.CLIENTS}

    def __init__(self, client_id: int | None = None) -> None:
        """Of one client, or of all."""
        super().__init__()
        self.rows = ROWS
        self._client_id = client_id
        self._rows: dict[int, ConsentRow] = {}

    def compose(self) -> ComposeResult:
        """A line a consent."""
        yield LiveGrid(
            [
                Column("code", "code", 8, lambda one: one.code),
                Column("what", "consent to", 22, lambda one: one.what),
                Column("number", "n", 5, lambda one: str(one.number or ""), "right", priority=1),
                Column("reference", "evidence", 20, lambda one: one.reference, flex=True),
                Column("span", "holds", 35, lambda one: one.span, priority=2),
                Column("stands", "", 12, lambda one: one.stands, style=lambda one: one.style, grows=True),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="nothing is on record: :consent CODE KIND REFERENCE enters one",
            id="consents",
        )
        yield SteadyStatic(KEYS, classes="keys -always")

    def title(self) -> str:
        """Of whom, and how many are kept back."""
        if self._client_id is not None:
            return f"CONSENTS of {self.desk.clients.get(self._client_id).code}"
        lacking = sum(bool(one.consents_lacking) for one in self.desk.clients.all())
        return f"CONSENTS · {counted(lacking, 'client')} with something missing"

    def begin(self) -> None:
        """In the rows."""
        self.refill()
        self.screen.set_focus(self.query_one(LiveGrid))

    def refill(self) -> None:
        """Those that are missing, and all that are on record."""
        self._rows = dict(enumerate(self._read()))
        self.query_one(LiveGrid).set_rows(self._rows)
        self.refresh_bindings()

    def on_live_grid_highlighted(self) -> None:
        """The keys are those of another row."""
        self.refresh_bindings()

    def _read(self) -> list[ConsentRow]:
        desk = self.desk
        only = self._client_id
        whose = [client.id for client in desk.clients.all()] if only is None else [only]
        lacking = [(one, found) for one in whose for found in desk.clients.get(one).consents_lacking]
        lacking.sort(key=lambda found: not found[1].hard)
        rows = [self._missing(client_id, found) for client_id, found in lacking]
        return [*rows, *self._given(whose)]

    def _given(self, whose: Iterable[int]) -> list[ConsentRow]:
        found = [one for client_id in whose for one in self.desk.consents.of(client_id)]
        standing = [one for one in found if one.stands]
        return [self._row(one) for one in (*standing, *(one for one in found if not one.stands))]

    def _missing(self, client_id: int, lacking: LackingConsent) -> ConsentRow:
        code = self.desk.clients.get(client_id).code
        words = finding_words(lacking.verdict.finding, lacking.verdict.figures)
        says = "warns"
        if lacking.hard:
            says = "NO ORDERS" if bars_all(lacking) else "NO MTF BUYS"
        style = "armed" if lacking.hard else "warn"
        return ConsentRow(client_id, code, to_words(lacking.kind), words, "", says, style)

    def _row(self, one: ConsentView) -> ConsentRow:
        code, day = self.desk.clients.get(one.client_id).code, self.desk.market_clock.trading_day
        stands, style = f"by {one.actor}", None
        if not one.stands:
            stands, style = f"ended: {one.ended_why}", "dim"
        elif not covering([one], day):
            stands, style = "does not hold today", "warn"
        span = span_words(one.given_from, one.until)
        number = one.id if one.stands else None
        return ConsentRow(one.client_id, code, to_words(one.kind), one.reference, span, stands, style, number)

    @property
    def _row_here(self) -> ConsentRow | None:
        key = self.query_one(LiveGrid).cursor_key if self.is_mounted else None
        return self._rows.get(key) if isinstance(key, int) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only one that stands can be ended."""
        if action == "remove_here" and self.is_mounted:
            row = self._row_here
            return row is not None and row.number is not None
        return True

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        event.stop()
        if (row := self._row_here) is not None:
            self.close()
            self.shell.open_client(row.client_id)

    def action_add_here(self) -> None:
        """The line that enters one, begun with the client's code."""
        row = self._row_here
        one = self._client_id if row is None else row.client_id
        code = "" if one is None else f"{self.desk.clients.get(one).code} "
        self.close()
        self.shell.action_command_line(f"consent {code}")

    def action_remove_here(self) -> None:
        """The line that ends the one under the cursor; it asks why."""
        row = self._row_here
        if row is not None and row.number is not None:
            self.close()
            self.shell.action_command_line(f"consent {row.code} end {row.number} ")

    def here(self) -> Here:
        """The client under the cursor."""
        row = self._row_here
        return Here(client_id=self._client_id if row is None else row.client_id)
