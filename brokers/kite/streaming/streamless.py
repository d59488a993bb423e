"""Which api keys have no stream, kept for as long as the sign-ins that showed it.

Kite's free plan has none and refuses the socket while REST goes on (Kite's staff). A later sign-in of any
client of the key has it tried again.
"""

from collections.abc import Iterable
from datetime import datetime

from brokers.life import Host

_FACT = "no_stream/"
"""How the facts of a home begin that keep since when a key has none."""


class Streamless:
    """Since when each api key has had its socket refused."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}
        self._unkept: set[str] = set()

    async def load(self, host: Host) -> None:
        """Read what was kept, by this engine or another."""
        kept = await host.kept(_FACT)
        self._since = {api_key: datetime.fromisoformat(since) for api_key, since in kept.items()}

    def mark(self, api_key: str, at: datetime) -> None:
        """Take a key for one without a stream from now on; `keep` makes it last."""
        self._since[api_key] = at
        self._unkept.add(api_key)

    async def keep(self, host: Host) -> None:
        """Store the marks that were set. Raises `StoreError`."""
        facts = {key: self._since[key].isoformat() for key in sorted(self._unkept)}
        if facts:
            await host.keep({_FACT + key: since for key, since in facts.items()})
            self._unkept.difference_update(facts)

    def among(self, sign_ins: Iterable[tuple[str, datetime]]) -> frozenset[str]:
        """The keys without a stream, of these sign-ins' keys and times; a later sign-in lifts a mark."""
        latest: dict[str, datetime] = {}
        for api_key, at in sign_ins:
            latest[api_key] = max(at, latest.get(api_key, at))
        return frozenset(key for key, at in latest.items() if key in self._since and at <= self._since[key])


def polled_words(codes: Iterable[str], clients: int, polls_every_s: tuple[float, float]) -> str:
    """The tape's line on clients whose api keys have no stream, of so many that are signed in."""
    named = sorted(codes)
    some = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    live_s, idle_s = polls_every_s
    return (
        f"no stream for the api keys of {len(named)} of {clients} clients ({some}): their order books are "
        f"read every {live_s:g} s while orders live there, else every {idle_s:g} s"
    )
