"""The watchlist that is in view, kept in a file of the home over a restart."""

from __future__ import annotations

import logging
from pathlib import Path

from data.home import list_in_view_file

log = logging.getLogger(__name__)


def read_list_in_view(home: Path) -> str:
    """The list that was in view last; empty where none is known."""
    try:
        return list_in_view_file(home).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def keep_list_in_view(home: Path, name: str) -> None:
    """Keep the name of the list in view. A full disk loses it and no more."""
    try:
        path = list_in_view_file(home)
        path.touch(mode=0o600)
        path.write_text(f"{name}\n", encoding="utf-8")
    except OSError as problem:
        log.warning("the watchlist in view was not kept: %s", problem)
