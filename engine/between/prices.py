"""Prices that another process takes from the broker for every desk: what a desk needs of it."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from brokers.contract import Ticks


class QuoteHearer(Protocol):
    """Who is told of prices, on the event loop."""

    def took(self, ticks: Ticks) -> None:
        """Take quotes; their arrival is when the feed says that they counted from."""
        ...

    def vouched(self, keys: frozenset[str], at: datetime) -> None:
        """At that moment these quotes, as told last, were the market still."""
        ...

    def alive(self, heard_at: datetime) -> None:
        """The feed is there, and has heard its broker last at that moment."""
        ...


class QuoteSource(Protocol):
    """Brings prices of a feed. It may be lost at any moment: prices age then."""

    def want(self, keys: Collection[str]) -> None:
        """Have the feed carry these for this desk, in place of those that it asked for before."""
        ...

    async def keep(self, hearer: QuoteHearer) -> None:
        """Bring them until this is cancelled."""
        ...
