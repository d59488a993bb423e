"""Where a desk's files are. Apart from the settings, since the first frame does not wait for pydantic."""

import os
from pathlib import Path


def home_folder(home: Path | None = None) -> Path:
    """The desk's folder: given, or `TRADEDESK_HOME`, or the platform's place for user data."""
    if home is not None:
        return home.expanduser().absolute()
    named = os.environ.get("TRADEDESK_HOME")
    if named:
        return Path(named).expanduser().absolute()
    return _user_data("tradedesk")


def local_kite_folder() -> Path:
    """The local Kite's folder: one of its own, whatever `TRADEDESK_HOME` says, since it is no desk's."""
    return _user_data("tradedesk-local-kite") / "books"


def _user_data(name: str) -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir(name, appauthor=False))
