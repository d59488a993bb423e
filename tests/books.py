"""Empty books, made and migrated once in a process and copied into each test's home."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from data.migrating import prepare


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="books-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    prepare(folder / "desk.db")
    return folder / "desk.db"


def empty_books(home: Path) -> Path:
    """Give `home` empty books of this version, unless it has some; as `prepare` makes them, only faster."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    books = home / "desk.db"
    if not books.exists():
        shutil.copy(_template(), books)  # with its mode
    return home
