"""Going beyond soft limits: what they say, and the reason for it, which the plan and the audit keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from engine.planning.intent import MOST_REASON
from engine.words.formats import counted
from engine.words.trading.why import detail_words
from screens.frame.dock import Card
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.plan import PlanLine
    from screens.frame.dock import DockHost


class OverrideCard(Card[str]):
    """Takes a reason; returns it. Nothing is sent by it: plan or change are asked for anew with it."""

    TITLE_WORDS = "Going beyond a soft limit"

    def __init__(self, whose: str, said: str, kept: str = "plan") -> None:
        """For these lines, of which the first is told this; `kept` is what keeps the reason."""
        super().__init__()
        self._whose = whose
        self._said = said
        self._kept = kept
        self.rows = 3

    def compose(self) -> ComposeResult:
        """What the limits say, and the reason."""
        yield SteadyStatic(Content(plain(self._said)), id="override-what", classes="would")
        with Horizontal(classes="row"):
            yield SteadyStatic(f"reason, for {self._kept} and audit")
            yield SteadyInput(
                max_length=MOST_REASON, compact=True, select_on_focus=False, id="override-reason"
            )
        yield SteadyStatic("Enter goes on with the reason, nothing is sent  Esc back", classes="keys -always")

    def title(self) -> str:
        """For whom."""
        return f"BEYOND A SOFT LIMIT for {self._whose}"

    def begin(self) -> None:
        """In the reason."""
        self.query_one("#override-reason").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The reason filters no rows."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason ends it."""
        event.stop()
        reason = " ".join(event.value.split())
        if reason:
            self.close(reason)
        else:
            self.shell.say("say why it may go", "refused")


def ask_override(
    host: DockHost[Any],
    lines: Sequence[PlanLine],
    then: Callable[[str], None],
    over: Card[Any] | None = None,
) -> None:
    """Ask why lines that soft limits keep out may go; `then` has the reason, if one is typed."""
    whose = lines[0].code if len(lines) == 1 else counted(len(lines), "line")
    card = OverrideCard(whose, detail_words(lines[0]))
    host.open_card(card, lambda reason: then(reason) if reason else None, over=over)
