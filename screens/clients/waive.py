"""Letting an amber item of the gate pass for the day: which, why, and a typed word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from data.vocabulary import GateColour, GateItem
from engine.words.gate import verdict_words
from engine.words.program.mending import mends
from engine.words.refusals import refusal_words
from screens.clients.gate_rows import ITEM_TITLES, may_be_waived, red_words, waivable
from screens.consents.card import ConsentsCard
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget

    from engine.access.gate import GateCheck, GateRow
    from screens.frame.workspace import Framed

WORD = "waive"


class WaiveCard(FormCard[None]):
    """The item, where there are several, and a reason; then the word. It stays with its client."""

    TITLE_WORDS = "Waiving an item of the gate"

    def __init__(self, row: GateRow, checks: Sequence[GateCheck]) -> None:
        """Of these items, amber all."""
        super().__init__()
        self._row = row
        self._items = {ITEM_TITLES[check.item]: check for check in checks}
        self.rows = 3

    def compose(self) -> ComposeResult:
        """What is amber, the item where there are several, the reason."""
        yield SteadyStatic(id="waive-what", classes="would")
        with Horizontal(classes="row"):
            yield SteadyStatic("item")
            yield ChoiceField(tuple(self._items), next(iter(self._items)), id="waive-item")
            yield SteadyStatic("reason, for the audit")
            yield SteadyInput(max_length=300, compact=True, select_on_focus=False, id="waive-reason")
        yield KeyHint(
            f"← → item  Tab reason  Enter asks for the word {WORD}  Esc back", classes="keys -always"
        )

    def title(self) -> str:
        """Whose item, and how long it passes."""
        return f"WAIVE for {self.desk.market_clock.trading_day:%d %b} {self._row.code}"

    def begin(self) -> None:
        """In the reason; in the choice where there is one."""
        self.query_one("#waive-item" if len(self._items) > 1 else "#waive-reason").focus()
        self.say()

    @property
    def _check(self) -> GateCheck:
        return self._items[self.query_one(ChoiceField).value]

    @property
    def _words(self) -> str:
        check = self._check
        return f"{ITEM_TITLES[check.item]} amber: {verdict_words(check.judged, self.desk.shown_at)}"

    def comes_to(self) -> str:
        """What is amber, and for how long it would pass."""
        return f"{self._words} · passes until the day ends, and is amber again then"

    def entered(self, field: Widget) -> None:
        """From the item to the reason, which leads to the word."""
        if isinstance(field, ChoiceField):
            super().entered(field)
            return
        reason = " ".join(self.query_one("#waive-reason", Input).value.split())
        if not reason:
            self.shell.say("say why it may pass", "refused")
            return
        item = self._check.item
        question = WordsCard(self.title(), [self._words, f"because: {reason}"], WORD)
        self.host.open_card(question, lambda yes: self._answered(yes, item, reason), over=self)

    def _answered(self, yes: bool | None, item: GateItem, reason: str) -> None:
        if yes:
            self.carry_out(self.before_further_keys(self._keep(item, reason)))

    async def _keep(self, item: GateItem, reason: str) -> None:
        try:
            await self.desk.gate.waive(self._row.client_id, item, reason)
        except Exception as problem:
            self.shell.say(f"not waived: {refusal_words(problem)}", "warning")
            return
        self.shell.say(f"{self._row.code} {ITEM_TITLES[item]} waived for today: {reason}")
        self.close()


def ask_waive(screen: Framed[Any], row: GateRow, item: GateItem | None = None) -> None:
    """Ask why an amber item may pass today, of this one or of all; else say why nothing is waived."""
    checks = [check for check in waivable(row) if item is None or check.item is item]
    if checks:
        screen.open_card(WaiveCard(row, checks))
        return
    check = None if item is None else row.check(item)
    if check is None or check.colour is GateColour.RED:
        screen.shell.say(red_words(screen.desk, row), "warning")
    elif check.colour is GateColour.GREEN:
        screen.shell.say(f"{ITEM_TITLES[check.item]} is ok: there is nothing to waive")
    else:
        words = mends(check.judged.finding) or "red items stand before it"
        screen.shell.say(f"{ITEM_TITLES[check.item]} is mended, not waived: {words}", "warning")


def open_item(screen: Framed[Any], row: GateRow, item: GateItem) -> None:
    """What lies behind an item of a client's gate: its consents, or the word that lets it pass for today."""
    if item is GateItem.CONSENT and not may_be_waived(row.check(item)):
        screen.open_card(ConsentsCard(row.client_id))
    else:
        ask_waive(screen, row, item)
