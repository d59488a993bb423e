"""The trader's settings of the screen: taken at the opening, changed while it is open, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput
from data.home import open_to_others
from engine.quiet import quiet_hours_from
from tradedesk.app.keymap import PLAIN, PROFILES, KeyTable, key_table
from tradedesk.app.workspaces import WORKSPACES

if TYPE_CHECKING:
    from pathlib import Path

    from tradedesk.app.application import TradedeskApp
    from tradedesk.app.look import KeptSettings, Look

FLASH_FRAMES = 2
"""For how many frames a changed figure is lit."""

SETTING_WORDS = {
    "keys": tuple(PROFILES),
    "flash": ("on", "off"),
    "density": ("roomy", "compact"),
    "workspace": tuple(one.name.value for one in WORKSPACES if one.available),
    "refresh_hz": (),
    "watch_columns": (),
    "strip_indices": (),
}
"""The settings that may be changed on the screen beside the theme, with the words of those that have few.

Those that are lists are typed with commas between, `none` for nothing.
"""

COMPACT = "-compact"
"""The class of the app whose panes stand close together."""


class Preferences:
    """What an app was told of its trader's settings."""

    def __init__(self, app: TradedeskApp, kept: KeptSettings | None) -> None:
        self._app = app
        self.kept = kept
        self.keys = KeyTable(PLAIN, PROFILES[PLAIN])
        self.workspace = WORKSPACES[0].name
        self.lock_after_min = 0
        self._chosen = True
        self._complaints: list[str] = []

    def take(self, look: Look | None) -> None:
        """Have these settings hold, if any; what cannot be taken is told with the next `complain`."""
        if look is None:
            return
        app, self._complaints = self._app, []
        self._chosen = bool(look.keys)
        self.keys = key_table(look.keys or PLAIN, look.keymap)
        self._complaints += self.keys.complaints
        app.set_keymap(self.keys.laid_on())
        try:
            app.themes.show(look.theme)
        except BadInput as problem:
            self._complaints.append(str(problem))
        app.flash_frames = FLASH_FRAMES if look.flash else 0
        app.watch_columns, app.strip_indices = look.watch_columns, look.strip_indices
        app.set_class(look.density == "compact", COMPACT)
        app.pace(look.refresh_hz)
        app.tells_by = look.alert_bell, look.alert_desktop, quiet_hours_from(look.quiet_hours)
        self.lock_after_min = look.lock_after_min
        first = next((one for one in WORKSPACES if one.name == look.workspace and one.available), None)
        if first is None:
            there = ", ".join(one.name for one in WORKSPACES if one.available)
            self._complaints.append(f"workspace {look.workspace}: there is none; choose one of {there}")
        self.workspace = (first or WORKSPACES[0]).name

    def begin(self, home: Path) -> None:
        """Say what is wrong with the settings, or with who else may use the home that they lie in."""
        self.complain()
        if others := open_to_others(home)[0]:
            self._app.say(others, "warning")

    def complain(self) -> None:
        """Say what of the settings could not be taken."""
        if self._complaints:
            more = len(self._complaints) - 1
            also = f" · and {more} more: `tradedesk config` names them" if more else ""
            self._app.say(f"{self._complaints[0]}{also}", "error")
        self._complaints = []

    def change(self, key: str, typed: str) -> None:
        """Change a setting, at once and for good. Raises `BadInput`."""
        if self.kept is None:
            raise BadInput("setting", key, "this screen has no home to keep it in")
        self.take(self.kept.keep(key, typed))
        self._app.redraw_all()
        self.complain()

    def take_theme(self, name: str) -> None:
        """Turn to a theme, for good where there is a home to keep it in; what does not fit is told."""
        try:
            self._app.themes.show(name)
            if self.kept is not None:
                self.kept.keep("theme", name)
        except BadInput as problem:
            self._app.say(str(problem), "warning")

    def pick_theme(self) -> None:
        """Have the trader choose one, each seen at once."""
        from screens.frame.cards.theme import ThemeCard
        from screens.frame.workspace import Framed

        def taken(name: str | None) -> None:
            if name is not None:
                self.take_theme(name)

        if isinstance(screen := self._app.screen, Framed):
            screen.open_card(ThemeCard(self._app.themes, self._app.theme), taken)

    def ask_at_first(self) -> None:
        """Ask a trader for the keys who has chosen none; not on a halted desk, where there is other work."""
        if self.kept is not None and self.kept.asks and not self._chosen and not self._app.desk.halt.active():
            self.ask_for_keys()

    def ask_for_keys(self) -> None:
        """Ask once whose keys the trader's hands know; not over anything else that is open."""
        from screens.frame.cards.profile import ProfileCard
        from screens.frame.workspace import Workspace

        screen = self._app.screen
        if isinstance(screen, Workspace) and screen.card is None:
            card = ProfileCard(tuple(PROFILES), self.keys.profile)
            screen.open_card(card, lambda name: self._app.call_later(self._answered, name))

    def _answered(self, profile: str | None) -> None:
        try:
            self.change("keys", profile or PLAIN)
        except BadInput as problem:
            self._app.say(str(problem), "warning")
            return
        self._app.say(f"keys: {self.keys.profile}. :profile changes them, ? shows them")
