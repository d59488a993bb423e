"""This machine's clock beside that of the server of the books: where they differ nothing is sent."""

from data.store import Store

MOST_S = 0.5
"""Seconds by which they may differ; what several desks write on one server is told apart by its time."""


class ServerClock:
    """Looks at it, and says why nothing may be sent."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.differs = ""
        """Why, in words for the trader; empty where both go alike, or the books are in a file."""

    async def look(self) -> None:
        """Look at it. Raises `DBAPIError` where the server does not answer; then what was found stands."""
        database = self._store.database
        if not self._store.on_server:
            return
        async with self._store.reader() as reader:
            ahead_s = await reader.run_sync(database.clock_ahead_s)
        self.differs = ""
        if abs(ahead_s) > MOST_S:
            which = "ahead of" if ahead_s > 0 else "behind"
            self.differs = (
                f"this machine's clock is {abs(ahead_s):.1f} s {which} that of the books' server: nothing is "
                "sent until both are set right (by ntpd or chrony)"
            )
