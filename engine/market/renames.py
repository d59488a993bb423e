"""Taking a file of instruments in: a rename moves all that follows a name, in one transaction.

Holdings, lots, postings and orders are keyed by the security, so that their sums do not move at all. Names
move where the trader reads or uses them: of instruments, holdings, watchlists, baskets, open breaks, symbol
halts and orders that have not left. What was sent, booked or audited keeps the spelling it had.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.audit import AuditAction, AuditEntry
from data.reference.instruments import BrokerInstrument, Instrument, at_broker
from data.reference.names import WHOLE, Matched, Rename, match
from data.repositories import baskets, instruments, listings, watchlists
from data.repositories.base import On
from data.repositories.trading import halts
from data.store import Unit
from engine.events import TapeLine
from engine.news import SecurityDoubted, SecurityRenamed


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file: how many instruments were kept, the renames, and words of doubt by key."""

    count: int
    renames: tuple[Rename, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict[str, str])


def take(
    unit: Unit,
    told: Sequence[Instrument],
    source: str,
    actor: str,
    broker: str,
    gone: Collection[str] = (),
    complete: bool = True,
) -> Taken:
    """Keep instruments in place of those known, under their names of now; `gone` keys are taken off.

    `broker` is who lists them; one that does not say its token there keeps the one that is known. A file that
    is not `complete` proves no instrument gone.
    """
    known, claimed = listings.listed_instruments(unit, broker), instruments.claimed_securities(unit)
    tokens = {one.key: one.token for one in known}
    listed = [
        one if isinstance(one, BrokerInstrument) else at_broker(one, tokens.get(one.key, "")) for one in told
    ]
    names = {(one.exchange, one.tradingsymbol): one.security for one in instruments.held_names(unit)}
    given = {one.security for one in known}

    def first_sight(one: BrokerInstrument) -> str:
        if one.isin:
            return one.isin
        held = names.get((one.exchange, one.tradingsymbol))  # a broker told of it before a file did
        name = held if held and held not in given else f"{one.exchange}#{one.token}@{broker}"
        while name in given or (name != held and name in claimed):
            name += "+"
        given.add(name)
        return name

    off = [one.key for one in known if one.key in set(gone) and one.security not in claimed]
    whole = complete and len(told) >= WHOLE * len(known)
    matched = match(known, listed, claimed, first_sight, whole)
    _store(unit, matched, off, broker)
    if matched.renames:
        _move_names(unit, matched.renames, broker)
    details: dict[str, object] = {"source": source, "count": len(matched.rows), "gone": len(off)}
    unit.audit(AuditEntry(AuditAction.INSTRUMENTS_IMPORTED, actor, details=details))
    unit.touched.market = True
    for one in matched.renames:
        unit.audit(
            AuditEntry(
                AuditAction.INSTRUMENT_RENAMED,
                actor,
                details={
                    "words": one.words,
                    "before": one.key_before,
                    "now": one.key,
                    "token": one.token,
                    "security": one.security,
                },
            )
        )
        unit.publish(TapeLine(unit.now, SecurityRenamed(one.words)))
    _tell_doubts(unit, matched, known, actor)
    return Taken(len(matched.rows), tuple(matched.renames), matched.doubts)


def list_at(
    unit: Unit, told: Sequence[BrokerInstrument], source: str, actor: str, broker: str, complete: bool
) -> int:
    """Keep how a broker lists the instruments known, whose names another's file says; returns of how many.

    One that goes by the name of another security is not listed. What a file that is `complete` leaves out is
    not listed there any more.
    """
    known = {one.key: one for one in listings.listed_instruments(unit, broker)}
    here = [
        replace(was, token=one.token)
        for one in told
        if (was := known.get(one.key)) is not None and not (was.isin and one.isin and was.isin != one.isin)
    ]
    off = known.keys() - {one.key for one in here} if complete else ()
    listings.replace_listings(unit, broker, off, here)
    details: dict[str, object] = {"source": source, "count": len(here), "gone": 0}
    unit.audit(AuditEntry(AuditAction.INSTRUMENTS_IMPORTED, actor, details=details))
    unit.touched.market = True
    return len(here)


def _store(on: On, matched: Matched, gone: Collection[str], broker: str) -> None:
    kept = {one.key: one for one in (*matched.rows, *matched.kept) if one.key not in gone}
    off = {(one.exchange, one.tradingsymbol) for one in kept.values()}
    off |= {(one.exchange, one.before) for one in matched.renames}
    off |= {(exchange, symbol) for exchange, _, symbol in (key.partition(":") for key in gone)}
    instruments.replace_instruments(on, off, list(kept.values()))
    keys_off = [f"{exchange}:{symbol}" for exchange, symbol in off]
    listings.replace_listings(on, broker, keys_off, list(kept.values()), gone)


def _move_names(unit: Unit, renames: Sequence[Rename], broker: str) -> None:
    """Have everything that shows or uses a name show the one of now."""
    instruments.rename(unit, renames, unit.now)
    moved = {one.key_before: one.key for one in renames}
    listings.rename_keys(unit, moved, broker)
    watchlists.rename_keys(unit, moved)
    baskets.rename_keys(unit, moved)
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
