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
    import platformdirs

    return Path(platformdirs.user_data_dir("tradedesk", appauthor=False))
