"""What tells the trader: toasts, the panel of alerts, the form of a rule, the bell."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.notifications import Notification, Notify, SeverityLevel

from engine.colon.records.asked import OfWhom
from engine.quiet import QuietHours
from engine.words.alerts import alert_words
from engine.words.formats import counted
from screens.frame.workspace import Framed, Here
from tradedesk.app.by_letter import ByLetter
from widgets.answerfield import HELD_SECONDS
from widgets.text import plain

if TYPE_CHECKING:
    from screens.frame.cards.alert_rows import AlertsView
    from screens.frame.dock import Card


TOAST_S = {"information": 3.0, "warning": 8.0, "refused": 8.0}
"""Seconds that a toast stands, by its severity; an error stands longer."""
EDITS = frozenset({"backspace", "delete", "ctrl+u", "ctrl+k", "ctrl+w", "up", "down", "pageup", "pagedown"})
"""Keys that change what stands in a field, besides those that are typed into it."""

BELL, ESCAPE = "\a", "\x1b"
YOUNG = timedelta(minutes=1)
"""How old an alert may be that rings: those of before a start do not."""
LONGEST = 120
"""Characters of an alert beside the terminal."""


class TellingApp(ByLetter, inherit_bindings=False):
    """Opens what was told, and rings; nothing of it opens by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._rung: set[int] = set()
        """The alerts that have rung, by number."""
        self.tells_by: tuple[bool, str, QuietHours] = (False, "off", QuietHours())
        """Whether alerts ring, how the terminal shows them beside itself, and when nobody is to be woken."""
        self._refused: Notification | None = None
        self._refused_at = self._pressed_at = 0.0

    def say(self, text: str, severity: str = "information") -> None:
        """One toast of plain text; one that is `refused` is withdrawn once something else is typed."""
        refused = severity == "refused"
        level = "warning" if refused else cast(SeverityLevel, severity)
        toast = Notification(plain(text), severity=level, timeout=TOAST_S.get(severity, 15.0), markup=False)
        if refused:
            self._withdraw()
            self._refused, self._refused_at = toast, self._pressed_at
        self.post_message(Notify(toast))

    async def on_event(self, event: events.Event) -> None:
        """Before a key or a paste changes what was refused, its refusal is withdrawn."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._pressed_at = event.time
            if self._goes_on(event):
                self._withdraw()
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            self._withdraw()
        await super().on_event(event)

    def _goes_on(self, key: events.Key) -> bool:
        """Whether a key changes what stands in a field, or gives an answer again: no held Enter does."""
        if key.key == "enter":
            return key.time - self._refused_at >= HELD_SECONDS
        focused = self.focused
        typed = focused is not None and focused.check_consume_key(key.key, key.character or key.key)
        return typed or key.key in EDITS

    def _withdraw(self) -> None:
        """Tell no longer what was refused last."""
        refused, self._refused = self._refused, None
        if refused is not None:
            self._unnotify(refused)

    def ring(self) -> None:
        """Ring for alerts that were raised since it rang last: the bell, and a notice beside the terminal.

        What is written goes to the terminal between frames, whole, so that it garbles nothing.
        """
        bell, beside, quiet = self.tells_by
        young = self.desk.clock.now() - YOUNG
        fresh = [one for one in self.desk.alerts.standing if one.number not in self._rung and one.at >= young]
        self._rung.update(one.number for one in fresh)
        if quiet.until(self.desk.market.now()) is not None:
            fresh = [one for one in fresh if one.urgent]
        if not fresh:
            return
        words = alert_words(fresh[0]).partition(" · ")[0]
        more = f" and {len(fresh) - 1} more" if len(fresh) > 1 else ""
        hidden = f"{counted(len(fresh), 'alert')}" if self.privacy else f"{words}{more}"
        self.write_beside((BELL if bell else "") + notice(beside, hidden, "TMUX" in os.environ))

    def write_beside(self, sequence: str) -> None:
        """Write to the terminal what paints nothing."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def action_needs_me(self) -> None:
        """What needs the trader, in one list."""
        self.open_alerts()

    def action_alerts(self) -> None:
        """The same, of which alerts come first."""
        self.open_alerts()

    def action_health(self) -> None:
        """The page of the desk's health."""
        from screens.health.screen import HealthScreen

        if not isinstance(self.screen, HealthScreen):
            self.push_screen(HealthScreen())

    def action_history(self) -> None:
        """The page of what days have brought: of the client here, else, or from that page, of the desk."""
        from screens.history.screen import HistoryScreen

        if isinstance(self.screen, HistoryScreen):
            self.screen.turn_to(OfWhom())
        else:
            here = self.screen.here() if isinstance(self.screen, Framed) else Here()
            self.push_screen(HistoryScreen(OfWhom(here.client_id)))

    def open_alerts(self, view: AlertsView | None = None) -> None:
        """The panel of alerts, with its rules or its outbox in view."""
        from screens.frame.cards.alerts_card import AlertsCard

        if isinstance(self.screen, Framed):
            self.screen.open_card(AlertsCard() if view is None else AlertsCard(view))

    def open_alert_form(self, number: int = 0, over: Card[Any] | None = None) -> None:
        """The form of a rule of alerts, of the one with this number where one is given.

        A rule that the form has no room for is changed as a line.
        """
        from screens.frame.cards.alert_form import AlertForm, has_room

        rule = self.desk.alert_rules.get(number) if number else None
        if rule is not None and not has_room(rule):
            if over is not None:
                over.close()
            self.action_command_line(f"alert edit {rule.number} {rule.line}")
        elif isinstance(self.screen, Framed):
            self.screen.open_card(AlertForm(rule, self.screen.here().key), over=over)


def notice(beside: str, words: str, in_tmux: bool = False) -> str:
    """What has a terminal show words beside itself: OSC 9, or OSC 777; empty where neither is wanted.

    Whatever could end the sequence, or begin another, is taken out of the words. tmux hands it on where its
    `allow-passthrough` is on.
    """
    told = plain(words).replace(";", ",")[:LONGEST]
    starts = {"osc9": "9;", "osc777": "777;notify;tradedesk;"}
    if beside not in starts:
        return ""
    sequence = f"\x1b]{starts[beside]}{told}\a"
    return f"\x1bPtmux;{sequence.replace(ESCAPE, ESCAPE * 2)}{ESCAPE}\\" if in_tmux else sequence
