"""What a desk writes, taken down in a run of its own, and the same statements run by sqlite3 alone.

The bare side begins with the books as they stood, has the writer's pragmas and none of its triggers, and runs
every INSERT, UPDATE and DELETE of the desk with the same values in the same commits.
"""

import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from data.engines.sqlite import writer_connected
from tests.bench.frame import Spent, Watch

WRITING = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")


@dataclass(slots=True)
class Written:
    """Books as they stood, and what the writer's thread of this process has run since."""

    before: Path
    statements: list[tuple[str, Sequence[Any], bool]] = field(
        default_factory=list[tuple[str, Sequence[Any], bool]]
    )
    """Each with its cells; the last says that these are many rows of them."""

    @property
    def rows(self) -> int:
        """How many rows of cells were written, or changed by one statement each."""
        return sum(len(cells) if many else 1 for _, cells, many in self.statements)

    @property
    def commits(self) -> int:
        """In how many commits."""
        return sum(sql == "COMMIT" for sql, _, _ in self.statements)

    def hear(
        self, connection: object, cursor: object, sql: str, cells: Any, context: object, many: bool
    ) -> tuple[str, Any]:
        """Take a statement down; SQLAlchemy's listener of that name."""
        if threading.current_thread().name == "store-writer" and sql.split(None, 1)[0] in WRITING:
            self.statements.append((sql, list(cells) if many else tuple(cells), many))
        return sql, cells

    def run_bare(self) -> Spent:
        """Run all of it by sqlite3 on a copy of the books; returns what that took."""
        with tempfile.TemporaryDirectory(prefix="bare-", dir=self.before.parent) as folder:
            target = Path(folder) / "bare.db"
            target.write_bytes(self.before.read_bytes())
            with closing(sqlite3.connect(target, isolation_level=None)) as bare:
                writer_connected(bare, None)
                of_kind = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for (name,) in bare.execute(of_kind).fetchall():
                    bare.execute(f"DROP TRIGGER {name}")
                with Watch() as spent:
                    for sql, cells, many in self.statements:
                        if many:
                            bare.executemany(sql, cells)
                        else:
                            bare.execute(sql, cells).fetchall()
        return spent


@contextmanager
def taken_down(books: Path) -> Iterator[Written]:
    """Copy books as they stand now, and take down what is written until the end."""
    before = books.parent / "before.db"
    with closing(sqlite3.connect(books)) as source, closing(sqlite3.connect(before)) as target:
        source.backup(target)
    written = Written(before)
    event.listen(Engine, "before_cursor_execute", written.hear, retval=True)
    try:
        yield written
    finally:
        event.remove(Engine, "before_cursor_execute", written.hear)
    while written.statements and written.statements[0][0].split()[0] != "BEGIN":
        del written.statements[0]  # of a commit that was under way
