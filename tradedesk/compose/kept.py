"""Where the screen's settings are kept; what checks them is imported when one is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from data.home import themes_folder

if TYPE_CHECKING:
    from tradedesk.compose.settings import Settings


class SettingsOfHome(Struct, frozen=True):
    """The settings of a home, as `tradedesk.app.look.KeptSettings` asks for them."""

    home: Path
    asks: bool
    """Whether a trader who has chosen no keys is asked for them; the demonstration does not."""

    @property
    def themes(self) -> Path:
        """The folder with the trader's own themes."""
        return themes_folder(self.home)

    def keep(self, key: str, typed: str) -> Settings:
        """Keep a setting of the screen in `config.toml`. Raises `BadInput` with what would be right."""
        from data.errors import BadInput
        from tradedesk.compose.config_file import keep_setting
        from tradedesk.compose.settings import SCREEN_SETTINGS, Settings

        if key in Settings.model_fields and key not in SCREEN_SETTINGS:
            right = f"it is read when a desk opens: leave, then `tradedesk config set {key} …`"
            raise BadInput(f"setting {key}", typed, right)
        return keep_setting(self.home, key, typed)
