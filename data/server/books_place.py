"""Where the books of a desk stand, and where a copy of them may lie for a while."""

from pathlib import Path
from tempfile import gettempdir

from msgspec import Struct

from data.engines.database import Database
from data.engines.sqlite import SqliteFile


class BooksFile(Struct, frozen=True):
    """The file a desk reads, and writes unless `unwritable` says why not; or what stands in its place."""

    path: Path
    unwritable: str = ""
    server: Database | None = None

    @property
    def place(self) -> "Path | Database":
        """The file, or what stands in its place."""
        return self.path if self.server is None else self.server

    @property
    def database(self) -> Database:
        """Where the books stand."""
        return SqliteFile(self.path) if self.server is None else self.server


def writable_folder() -> str:
    """A folder for what is soon thrown away; in memory where no disk takes anything."""
    try:
        return gettempdir()
    except FileNotFoundError:
        return "/dev/shm"
