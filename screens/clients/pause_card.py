"""Pausing a client: until when, and why; and what ends a pause that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from data.clock import IST
from data.errors import TradedeskError
from engine.accounts.client_edit import until_from
from engine.words.refusals import refusal_words
from engine.words.trading.client_terms import until_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.form import FormCard
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from datetime import datetime

    from textual.widget import Widget

    from engine.book.views import ClientView
    from screens.frame.workspace import Framed


class PauseCard(FormCard[None]):
    """A time of the market, empty for none, and a reason; Enter in the reason pauses."""

    TITLE_WORDS = "Pausing a client"

    def __init__(self, client: ClientView) -> None:
        super().__init__()
        self._client = client
        self.rows = 4

    def compose(self) -> ComposeResult:
        """Until when, why, and what that means."""
        with Horizontal(classes="row"):
            yield SteadyStatic("until")
            yield SteadyInput(compact=True, select_on_focus=False, max_length=20, id="until")
            yield SteadyStatic("reason")
            yield SteadyInput(compact=True, select_on_focus=False, max_length=200, id="pause-reason")
        yield SteadyStatic(id="pause-would", classes="would")
        yield SteadyStatic("cancels, changes of live orders and flattens still go", classes="keys")
        yield KeyHint(
            "14:30, 2026-12-01 or both; empty: no end  Enter goes on  Esc back", classes="keys -always"
        )

    def title(self) -> str:
        """Whom it is about."""
        return f"PAUSE {self._client.code} {self._client.name}"

    def begin(self) -> None:
        """In the time."""
        self.query_one("#until", Input).focus()
        self.say()

    def _until(self) -> datetime | None:
        """The time that is typed, None for none. Raises `BadInput`."""
        text = self.query_one("#until", Input).value
        return until_from(text, self.desk.market.now()) if text.strip() else None

    def comes_to(self) -> str:
        """Until when it would be, and what the market's clock says."""
        now = f"market {self.desk.market.now().astimezone(IST):%H:%M}"
        return f"{now} · no order is sent for it {until_words(self._until())}"

    def entered(self, field: Widget) -> None:
        """From the time to the reason; from there do it."""
        if field.id == "pause-reason":
            self.keep(self._pause())
        else:
            super().entered(field)

    async def _pause(self) -> None:
        until, reason = self._until(), self.query_one("#pause-reason", Input).value
        await self.desk.clients.pause(self._client.id, reason, until)
        self.shell.say(f"{self._client.code} is paused {until_words(until)}")
        self.close()


def ask_pause(screen: Framed, client: ClientView) -> None:
    """Ask for a pause's end and reason; of one that stands, for the word that ends it."""
    if not client.paused:
        screen.open_card(PauseCard(client))
        return

    async def end() -> None:
        try:
            await screen.desk.clients.unpause(client.id)
        except TradedeskError as problem:
            screen.shell.say(refusal_words(problem), "warning")
        else:
            screen.shell.say(f"{client.code} is traded for again")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(end())

    lines = [f"paused {until_words(client.paused_until)}: {client.pause_reason}"]
    screen.open_card(WordsCard(f"END THE PAUSE of {client.code}", lines, "unpause"), answered)
