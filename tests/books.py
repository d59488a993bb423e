"""Empty books, made and migrated once in a process and written into each test's home."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from data.home import books_file
from data.migrating import prepare


@cache
def _template() -> bytes:
    with TemporaryDirectory(prefix="books-") as folder:
        books = books_file(Path(folder))
        prepare(books)
        return books.read_bytes()


def empty_books(home: Path) -> Path:
    """Give `home` empty books of this version, unless it has some; as `prepare` makes them, only faster."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    books = books_file(home)
    if not books.exists():
        books.touch(0o600)
        books.write_bytes(_template())
    return home
