"""Which of a broker's instruments is which of the desk's, and what a broker says otherwise of one.

One instrument is one ISIN on one exchange. Kite's dump tells no ISIN, Upstox's names a share without its
series where Kite's appends it (`CENTRALBK-BE`); so ISIN, token, symbol and share are tried in this order, and
an ISIN that contradicts ends the match.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

from msgspec import Struct

from data.records import replace
from data.reference.instruments import BrokerInstrument, BrokerListing, Instrument
from data.reference.names import is_other, share_of


class FoundAmong(Struct, frozen=True):
    """What a broker's file comes to for the instruments known.

    `here` are instruments under the broker's tokens with its own rows beside, `isins` instruments with the
    ISIN that the file is the first to tell. `others` are those under whose key the broker lists another
    security, `only` its rows of securities that the desk does not know.
    """

    here: tuple[tuple[BrokerInstrument, BrokerInstrument], ...]
    isins: tuple[Instrument, ...]
    others: tuple[tuple[BrokerInstrument, BrokerInstrument], ...]
    only: tuple[BrokerInstrument, ...]


def listed_among(known: Collection[BrokerInstrument], told: Sequence[BrokerInstrument]) -> FoundAmong:
    """Find the instruments known, under their tokens at this broker, among those of its file.

    What tells no ISIN and is not found is nobody's: it may be a known one under another name.
    """
    pairs, by_key = _RowsFound(), {one.key: one for one in known}
    theirs = {one.key for one in told}
    went_on = {_token(one): one.key for one in known if one.key in theirs}

    def token(one: BrokerInstrument) -> Hashable:
        # A token is given out again: with a row of a known name it says more only where its owner goes on.
        at = _token(one)
        return at if by_key.get(one.key, one) is one or at in went_on else None

    for place in (_isin, token, _key, _share):
        pairs.take(known, told, place)
    here = [(pairs.known[key], pairs.told[key]) for key in pairs.known]
    isins = Counter((one.exchange, one.isin) for one in [*known, *told])
    first = [
        replace(ours, isin=theirs.isin)
        for ours, theirs in here
        if theirs.isin and not ours.isin and isins[ours.exchange, theirs.isin] == 1
    ]
    left = [one for one in told if one.key not in pairs.taken]
    others = [(by_key[one.key], one) for one in left if one.key in by_key and is_other(by_key[one.key], one)]
    only = [one for one in left if one.isin and one.key not in by_key]
    return FoundAmong(tuple(here), tuple(first), tuple(others), tuple(only))


class _RowsFound:
    """By key of the desk what was found, and the broker's row of it; `taken` are keys of its file."""

    def __init__(self) -> None:
        self.known: dict[str, BrokerInstrument] = {}
        self.told: dict[str, BrokerInstrument] = {}
        self.taken: set[str] = set()

    def take(
        self,
        known: Iterable[BrokerInstrument],
        told: Iterable[BrokerInstrument],
        place: Callable[[BrokerInstrument], Hashable],
    ) -> None:
        """Pair those that alone have one place, of those left on either side."""
        ours, theirs = (
            defaultdict[Hashable, list[BrokerInstrument]](list),
            dict(_alone(told, place, self.taken)),
        )
        for one in known:
            if one.key not in self.known and (at := place(one)) in theirs:
                ours[at].append(one)
        for at, found in ours.items():
            row = theirs[at]
            same = found if len(found) == 1 else [one for one in found if one.key == row.key]
            if len(same) == 1 and not is_other(same[0], row):
                self.known[same[0].key], self.told[same[0].key] = same[0], row
                self.taken.add(row.key)


def _alone(
    told: Iterable[BrokerInstrument], place: Callable[[BrokerInstrument], Hashable], taken: Collection[str]
) -> Iterable[tuple[Hashable, BrokerInstrument]]:
    found = [(at, one) for one in told if one.key not in taken and (at := place(one))]
    count = Counter(at for at, _ in found)
    return [(at, one) for at, one in found if count[at] == 1]


def _isin(one: BrokerInstrument) -> Hashable:
    return (one.exchange, one.isin) if one.isin else None


def _token(one: BrokerInstrument) -> Hashable:
    return (one.exchange, one.token) if one.token else None


def _key(one: BrokerInstrument) -> Hashable:
    return one.key


def _share(one: BrokerInstrument) -> Hashable:
    return share_of(one) or None


# --- what a broker says otherwise ---------------------------------------------------------------------------


def lists_another(instrument: Instrument, listing: BrokerListing) -> bool:
    """Whether a broker has another security under the instrument's name."""
    return bool(instrument.isin and listing.isin and instrument.isin != listing.isin)


def other_series(instrument: Instrument, listing: BrokerListing) -> bool:
    """Whether a broker has the instrument in another series of its exchange than the desk."""
    return bool(listing.series) and listing.series != instrument.series


def other_name(instrument: Instrument, listing: BrokerListing) -> bool:
    """Whether a broker calls the share otherwise, but for a series that one appends and another does not."""
    if listing.symbol == instrument.tradingsymbol:
        return False
    theirs = replace(instrument, tradingsymbol=listing.symbol, series=listing.series or instrument.series)
    share = share_of(instrument)
    return not share or share_of(theirs) != share
