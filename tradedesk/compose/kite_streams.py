"""Which api keys have no stream, kept for as long as the sign-ins that showed it.

Kite's free plan has none and refuses the socket while REST goes on (Kite's staff). A later sign-in of any
client of the key has it tried again.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select

from data.columns import table
from data.store import Store, Unit
from data.tables import Meta
from engine.rules import Waits

_ROW = "no_stream/"
"""How the rows of `meta` begin that keep since when a key has none."""


class Streamless:
    """Since when each api key has had its socket refused."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since: dict[str, datetime] = {}
        self._unkept: set[str] = set()

    async def load(self) -> None:
        """Read what was kept, by this engine or another."""
        meta = table(Meta)
        async with self._store.reader() as connection:
            rows = await connection.execute(
                select(meta.c.name, meta.c.value).where(meta.c.name.startswith(_ROW, autoescape=True))
            )
            self._since = {str(row[0])[len(_ROW) :]: datetime.fromisoformat(row[1]) for row in rows}

    def mark(self, api_key: str, at: datetime) -> None:
        """Take a key for one without a stream from now on; `keep` makes it last."""
        self._since[api_key] = at
        self._unkept.add(api_key)

    async def keep(self) -> None:
        """Store the marks that were set. Raises `StoreError`."""
        rows = [{"name": _ROW + key, "value": self._since[key].isoformat()} for key in sorted(self._unkept)]
        if not rows:
            return

        def store(unit: Unit) -> None:
            meta = table(Meta)
            for row in rows:
                unit.connection.execute(delete(meta).where(meta.c.name == row["name"]))
            unit.insert(Meta, rows)

        await self._store.write(store)
        self._unkept.difference_update(row["name"].removeprefix(_ROW) for row in rows)

    def among(self, sign_ins: Iterable[tuple[str, datetime]]) -> frozenset[str]:
        """The keys without a stream, of these sign-ins' keys and times; a later sign-in lifts a mark."""
        latest: dict[str, datetime] = {}
        for api_key, at in sign_ins:
            latest[api_key] = max(at, latest.get(api_key, at))
        return frozenset(key for key, at in latest.items() if key in self._since and at <= self._since[key])


def polled_words(codes: Iterable[str], clients: int, waits: Waits) -> str:
    """The tape's line on clients whose api keys have no stream, of so many that are signed in."""
    named = sorted(codes)
    some = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    return (
        f"no stream for the api keys of {len(named)} of {clients} clients ({some}): their order books are "
        f"read every {waits.live_poll_s:g} s while orders live there, else every {waits.idle_poll_s:g} s"
    )
