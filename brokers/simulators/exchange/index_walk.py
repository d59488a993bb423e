"""Indices of the demo market: each is made of the shares of its list that are listed, all weighing alike."""

from collections.abc import Mapping, Sequence
from datetime import date

from brokers.simulators.exchange.prices import BLOCK, Listing, Walk
from data.reference.classes import classes
from data.reference.instruments import Instrument


class IndexWalk(Walk):
    """A walk whose knots are not thrown: there it stands where the mean of its shares does."""

    def __init__(self, seed: int, day: date, listing: Listing, shares: Sequence[Walk]) -> None:
        super().__init__(seed, day, listing)
        self._shares = shares

    def _reach(self, knot: int) -> None:
        while len(self._knots) <= knot:
            at = self.moment(len(self._knots) * BLOCK)
            self._knots.append(sum(share.moved(at) for share in self._shares) / len(self._shares))


def shares_of(instrument: Instrument, listings: Mapping[str, Listing]) -> list[Listing]:
    """The shares of an index that are listed; none of what is no index, or has none of its shares here."""
    if instrument.tradable:
        return []
    symbols = [one.symbols for one in classes().indices if one.name == instrument.tradingsymbol]
    keys = [f"NSE:{symbol}" for listed in symbols for symbol in sorted(listed)]
    return [listings[key] for key in keys if key in listings]


def walk_of(seed: int, day: date, listing: Listing, shares: Sequence[Listing]) -> Walk:
    """The walk of an instrument on a day; `shares` are those of an index."""
    if not shares:
        return Walk(seed, day, listing)
    return IndexWalk(seed, day, listing, [Walk(seed, day, share) for share in shares])
