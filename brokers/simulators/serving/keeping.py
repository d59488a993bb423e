"""What outlives a restart of a simulated broker: a small table of JSON objects beside the exchange's file."""

import json
import os
import sqlite3
from pathlib import Path

from brokers.simulators.serving.answers import Row


class Keeping:
    """Objects by kind and key, in a file or, for `path=None`, in memory. Used from one thread."""

    def __init__(self, path: Path | None) -> None:
        if path is not None and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A rehearsal survives a crash of the process; the machine's own may cost its last moments.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS kept"
            " (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def put(self, kind: str, key: str, body: Row) -> None:
        """Keep an object in place of the one that stands there."""
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, key, json.dumps(body)))

    def drop(self, kind: str, key: str) -> None:
        """Forget an object."""
        self._db.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> list[tuple[str, Row]]:
        """The objects of a kind by rising key."""
        rows = self._db.execute("SELECT key, body FROM kept WHERE kind = ? ORDER BY key", (kind,))
        return [(key, json.loads(body)) for key, body in rows]

    def close(self) -> None:
        """Give the file back."""
        self._db.close()
