"""What a form would come to at the price now: looked at while it is typed, and never frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from data.errors import BadInput
from engine.words.trading.plans import figures_line, late_words, protection_words, skipped_words
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan
    from screens.frame.workspace import Framed

PREVIEW_EVERY_S = 2.0
"""Seconds between two previews that only the price asks for; what is typed is previewed on the next frame."""


class Preview(Vertical):
    """The figures of the intent that `intent` makes of the form, or what is in its way."""

    def __init__(self, intent: Callable[[], Intent]) -> None:
        super().__init__()
        self._intent = intent
        self.outdated = True
        """Whether something was typed since the last look."""
        self.protected = ""
        """How far orders without a limit would be protected; empty where nothing says so."""
        self.plan: Plan | None = None
        """What the newest look found; None where something is in the way."""
        self.answered = False
        """Whether this wish was looked at yet."""
        self._at = float("-inf")
        self._looking = False
        self._wish = 0

    def compose(self) -> ComposeResult:
        """Figures, and what they leave out."""
        yield SteadyStatic(id="preview")
        yield SteadyStatic(id="preview-problem")

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    def forget(self) -> None:
        """Another wish begins: what is shown or still being looked at is not its."""
        self.outdated = True
        self._wish += 1
        self.answered = False
        self._show(None, "", "")

    def look(self) -> None:
        """Look again where that is due."""
        now = self._screen.shell.monotonic()
        if not self._looking and (self.outdated or now - self._at >= PREVIEW_EVERY_S):
            self.outdated = False
            self._at = now
            self._looking = True
            self.run_worker(self._preview(), exit_on_error=False)

    async def _preview(self) -> None:
        wish = self._wish
        try:
            plan = await self._screen.desk.plans.preview(self._intent())
        except BadInput as bad:
            if wish == self._wish:
                self._show(None, "", f"{bad.field}: {bad.expected}")
        else:
            if wish != self._wish:
                return
            masked = "•••" if self._screen.shell.privacy else ""
            brief = self.size.width < 100
            eta = "" if brief else f" · ETA {plan.eta_s} s"
            eta += f" · {late}" if (late := late_words(plan)) else ""
            self._show(
                plan,
                f"at the price now: {figures_line(plan, brief, masked)}{eta}",
                skipped_words(plan, brief) if plan.skipped_lines else "",
            )
            if plan.intent.limit_paise is None:
                self.protected = protection_words(plan, brief)
        finally:
            self._looking = False
            self.answered = self.answered or wish == self._wish

    def _show(self, plan: Plan | None, figures: str, problem: str) -> None:
        self.plan, self.protected = plan, ""
        self.query_one("#preview", SteadyStatic).update(Content(plain(figures)))
        self.query_one("#preview-problem", SteadyStatic).update(Content(plain(problem)))
