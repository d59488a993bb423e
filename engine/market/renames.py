"""Taking a file of instruments in: a rename moves all that follows a name, in one transaction.

Holdings, lots, postings and orders are keyed by the security, so that their sums do not move at all. Names
move where the trader reads or uses them: of instruments, holdings, watchlists, baskets, presets, open breaks,
symbol halts and orders that have not left. What was sent, booked or audited keeps the spelling it had.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from data.audit import AuditAction, AuditEntry
from data.records import replace
from data.reference.instruments import BrokerInstrument, BrokerListing, Instrument, as_listed, at_broker
from data.reference.listed import listed_among
from data.reference.names import WHOLE, Matched, Rename, match
from data.repositories import instruments, listings, watchlists
from data.repositories.base import On
from data.repositories.saved import baskets, presets
from data.repositories.trading import halts
from data.store import Unit
from engine.events import TapeLine
from engine.news import SecurityDoubted, SecurityRenamed


class Taken(Struct, frozen=True):
    """What came of a file: how many instruments were kept, the renames, and words of doubt by key."""

    count: int
    renames: tuple[Rename, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict[str, str])


class ToldInstruments(Struct, frozen=True):
    """What a file or a dump tells of a broker's instruments, and where it is from, in words for the audit.

    `gone` are keys that are taken off, `unlisted` those that stay, since another broker lists them. One that
    is not `complete` proves no other gone.
    """

    told: Sequence[Instrument]
    source: str
    broker: str
    gone: Collection[str] = ()
    unlisted: Collection[str] = ()
    complete: bool = True

    def with_tokens(self, known: Iterable[BrokerInstrument]) -> list[BrokerInstrument]:
        """Its instruments as the broker lists them; what tells no token keeps the one that is known."""
        tokens = {one.key: one.token for one in known}
        return [
            one if isinstance(one, BrokerInstrument) else at_broker(one, tokens.get(one.key, ""))
            for one in self.told
        ]


class _FirstSights:
    """Names securities that are seen for the first time; no two get one name."""

    def __init__(self, on: On, broker: str, known: Iterable[Instrument], claimed: Collection[str]) -> None:
        self._broker = broker
        self._claimed = claimed
        self._held = {(one.exchange, one.tradingsymbol): one.security for one in instruments.held_names(on)}
        self._given = {one.security for one in known}

    def name(self, one: BrokerInstrument) -> str:
        """The ISIN where one is told, else what a client holds under this symbol, else the token."""
        if one.isin:
            return one.isin
        held = self._held.get((one.exchange, one.tradingsymbol))  # a broker told of it before a file did
        free = held is not None and held not in self._given
        name = held if held and free else f"{one.exchange}#{one.token}@{self._broker}"
        while name in self._given or (name != held and name in self._claimed):
            name += "+"
        self._given.add(name)
        return name


def take(unit: Unit, file: ToldInstruments, actor: str) -> Taken:
    """Keep instruments in place of those known, under their names of now."""
    known, claimed = listings.listed_instruments(unit, file.broker), instruments.claimed_securities(unit)
    off = [one.key for one in known if one.key in set(file.gone) and one.security not in claimed]
    listed = len(listings.listings_of(unit, file.broker)) or len(known)
    whole = file.complete and len(file.told) >= WHOLE * listed
    sights = _FirstSights(unit, file.broker, known, claimed)
    matched = match(known, file.with_tokens(known), claimed, sights.name, whole)
    _store(unit, matched, off, file)
    if matched.renames:
        _move_names(unit, matched.renames, file.broker)
    _tell_imported(unit, file.source, len(matched.rows), len(off), actor)
    _tell_renames(unit, matched.renames, actor)
    _tell_doubts(unit, matched, known, actor)
    return Taken(len(matched.rows), tuple(matched.renames), matched.doubts)


def list_at(unit: Unit, file: ToldInstruments, actor: str) -> int:
    """Keep how a broker that is not the feed's lists the instruments known; returns of how many.

    What it tells of a security that the desk does not know becomes an instrument, if with an ISIN. Where it
    has another security under an instrument's name, that is kept without a token. What a file that is
    `complete` leaves out is not listed there any more.
    """
    known = listings.listed_instruments(unit, file.broker)
    found = listed_among(known, file.with_tokens(known))
    sights = _FirstSights(unit, file.broker, known, instruments.claimed_securities(unit))
    fresh = [replace(one, security_id=sights.name(one)) for one in found.only]
    here = [as_listed(file.broker, ours.key, theirs) for ours, theirs in found.here]
    here += [as_listed(file.broker, one.key, one) for one in fresh]
    others = [replace(as_listed(file.broker, ours.key, theirs), token=None) for ours, theirs in found.others]
    instruments.replace_instruments(unit, (), fresh)
    instruments.save_isins(unit, found.isins)
    off = {one.key for one in known} - {one.key for one in (*here, *others)} if file.complete else set[str]()
    listings.replace_listings(unit, file.broker, off, [*here, *others])
    _tell_imported(unit, file.source, len(here), 0, actor)
    return len(here)


def _tell_imported(unit: Unit, source: str, count: int, gone: int, actor: str) -> None:
    details: dict[str, object] = {"source": source, "count": count, "gone": gone}
    unit.audit(AuditEntry(AuditAction.INSTRUMENTS_IMPORTED, actor, details=details))
    unit.touched.market = True


def _tell_renames(unit: Unit, renames: Iterable[Rename], actor: str) -> None:
    for one in renames:
        details: dict[str, object] = {
            "words": one.words,
            "before": one.key_before,
            "now": one.key,
            "token": one.token,
            "security": one.security,
        }
        unit.audit(AuditEntry(AuditAction.INSTRUMENT_RENAMED, actor, details=details))
        unit.publish(TapeLine(unit.now, SecurityRenamed(one.words)))


def _store(on: On, matched: Matched, gone: Collection[str], file: ToldInstruments) -> None:
    kept = {one.key: one for one in (*matched.rows, *matched.kept) if one.key not in gone}
    off = {(one.exchange, one.tradingsymbol) for one in kept.values()}
    off |= {(one.exchange, one.before) for one in matched.renames}
    off |= {(exchange, symbol) for exchange, _, symbol in (key.partition(":") for key in gone)}
    instruments.replace_instruments(on, off, list(kept.values()))
    keys_off = {f"{exchange}:{symbol}" for exchange, symbol in off} | set(file.unlisted)
    here = [
        BrokerListing(file.broker, one.key, one.token or None, one.tradingsymbol) for one in kept.values()
    ]
    listings.replace_listings(on, file.broker, keys_off, here, gone)


def _move_names(unit: Unit, renames: Sequence[Rename], broker: str) -> None:
    """Have everything that shows or uses a name show the one of now."""
    instruments.rename(unit, renames, unit.now)
    moved = {one.key_before: one.key for one in renames}
    listings.rename_keys(unit, moved, broker)
    watchlists.rename_keys(unit, moved)
    baskets.rename_keys(unit, moved)
    presets.rename_keys(unit, moved)
    halts.rename_symbols(unit, moved)
    unit.touched.everything = True


def _tell_doubts(unit: Unit, matched: Matched, known: Iterable[Instrument], actor: str) -> None:
    """Audit and tell each doubt once: not again while it stands."""
    told = {one.doubt for one in known}
    for words in dict.fromkeys(matched.doubts.values()):
        if words in told:
            continue
        keys = sorted(key for key, doubt in matched.doubts.items() if doubt == words)
        details: dict[str, object] = {"words": words, "keys": keys}
        unit.audit(AuditEntry(AuditAction.INSTRUMENT_DOUBTED, actor, details=details))
        unit.publish(TapeLine(unit.now, SecurityDoubted(words, tuple(keys))))
