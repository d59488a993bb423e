"""How brokers list the instruments of a home: under which token and symbol each of them has a key."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select, update

from data.records import replace
from data.reference.instruments import EXCHANGES, BrokerInstrument, BrokerListing, at_broker
from data.repositories.base import Change, On, Query, Rows, among, given
from data.repositories.instruments import every_instrument
from data.tables.columns import table
from data.tables.market import FormerName, InstrumentRecord, ListingRecord


class _InstrumentKey(NamedTuple):
    exchange: str
    tradingsymbol: str


class _InstrumentIsin(NamedTuple):
    exchange: str
    tradingsymbol: str
    isin: str


class _NameBefore(NamedTuple):
    exchange: str
    now: str
    tradingsymbol: str


_LISTINGS = Rows(ListingRecord, BrokerListing)
_EVERY = _LISTINGS.query()
_KEYS = Query(_InstrumentKey, select(*(table(InstrumentRecord).c[name] for name in _InstrumentKey._fields)))
_ISINS = Query(
    _InstrumentIsin,
    select(*(table(InstrumentRecord).c[name] for name in _InstrumentIsin._fields)).where(
        among(table(InstrumentRecord).c.tradingsymbol, "symbols")
    ),
)
_FORMER = Query(_NameBefore, select(*(table(FormerName).c[name] for name in _NameBefore._fields)))
_OF_BROKER = _LISTINGS.query(_LISTINGS.c.broker == given("broker"))
_OF_KEYS = _LISTINGS.query(_LISTINGS.c.broker == given("broker"), among(_LISTINGS.c.key, "keys"))
_OF_TOKENS = _LISTINGS.query(_LISTINGS.c.broker == given("broker"), among(_LISTINGS.c.token, "tokens"))
_OTHERWISE = _LISTINGS.query(
    _LISTINGS.c.broker == given("broker"),
    *(_LISTINGS.c.key != f"{exchange}:" + _LISTINGS.c.symbol for exchange in EXCHANGES),
)
_OTHERS = _LISTINGS.c.broker != given("broker"), among(_LISTINGS.c.key, "keys")
_OF_OTHERS, _REMOVE_OF_OTHERS = _LISTINGS.query(*_OTHERS), Change(delete(_LISTINGS.table).where(*_OTHERS))
_OF_KEY = _LISTINGS.query(_LISTINGS.c.broker == given("broker"), _LISTINGS.c.key == given("key"))
_REMOVE = Change(
    delete(_LISTINGS.table).where(_LISTINGS.c.broker == given("broker"), among(_LISTINGS.c.key, "keys"))
)
_UNLIST = Change(delete(_LISTINGS.table).where(among(_LISTINGS.c.key, "keys")))
_FREE_TOKENS = Change(
    update(_LISTINGS.table)
    .where(_LISTINGS.c.broker == given("broker"), among(_LISTINGS.c.token, "tokens"))
    .values(token=None)
)


def rename_keys(on: On, moved: Mapping[str, str], lister: str) -> None:
    """Have brokers list what was renamed under its key of now; the `lister`, who said so, does already."""
    found = _OF_OTHERS.all(on, broker=lister, keys=list(moved))
    _REMOVE_OF_OTHERS.run(on, broker=lister, keys=list(moved))
    _LISTINGS.insert(on, [replace(one, key=moved[one.key]) for one in found])


def listings_of(on: On, broker: str) -> list[BrokerListing]:
    """Everything that a broker lists."""
    return _OF_BROKER.all(on, broker=broker)


def listed_as(on: On, broker: str, keys: Collection[str]) -> list[BrokerListing]:
    """How a broker lists these instruments."""
    return _OF_KEYS.all(on, broker=broker, keys=list(keys))


def listed_under(on: On, broker: str, tokens: Collection[str]) -> list[BrokerListing]:
    """What a broker lists under these tokens of its own."""
    return _OF_TOKENS.all(on, broker=broker, tokens=list(tokens))


def listed_otherwise(on: On, broker: str) -> list[BrokerListing]:
    """What a broker lists under another symbol than that of its key."""
    return _OTHERWISE.all(on, broker=broker)


def true_to_names(on: On, found: Sequence[BrokerListing]) -> list[BrokerListing]:
    """Those of the instrument itself: by its ISIN, its own symbol, or one of before that the audit proves.

    An order leaves under the symbol of a listing, whose own proof only the doctor looks at.
    """
    former = {(f"{one.exchange}:{one.now}", one.tradingsymbol) for one in _FORMER.all(on)}
    isins = _isins_of(on, found)

    def is_true(one: BrokerListing) -> bool:
        isin = isins.get(one.key, "")
        if isin and one.isin:
            return isin == one.isin
        return one.key.partition(":")[2] == one.symbol or (one.key, one.symbol) in former

    return [one for one in found if is_true(one)]


def _isins_of(on: On, found: Sequence[BrokerListing]) -> Mapping[str, str]:
    """The ISINs of the instruments that listings with one of their own are of, by key."""
    wanted = {one.key for one in found if one.isin}
    if not wanted:
        return {}
    known = _ISINS.all(on, symbols=[key.partition(":")[2] for key in wanted])
    return {key: one.isin for one in known if (key := f"{one.exchange}:{one.tradingsymbol}") in wanted}


def listing_faults(on: On) -> list[str]:
    """Listings of no instrument or under no name of its own, and instruments that none lists, in words."""
    found, keys = _EVERY.all(on), {f"{one.exchange}:{one.tradingsymbol}" for one in _KEYS.all(on)}
    true = true_to_names(on, found)
    places, rows = Counter(map(_place, true)), {(one.broker, one.key) for one in true}
    faults: list[str] = []
    for one in found:
        where = f"the listing of {one.key} at {one.broker}"
        if one.key not in keys:
            faults.append(f"{where} is of no instrument")
        elif (one.broker, one.key) not in rows and (
            one.token or not one.isin
        ):  # else it says that it is another
            faults.append(f"{where} says {one.symbol}, which is no name of it")
        elif places[_place(one)] > 1:
            faults.append(f"{where} says {one.symbol}, and another listing there does too")
    missing = sorted(keys - {one.key for one in found})
    return [*faults, *(f"{key} is listed at no broker" for key in missing)]


def _place(one: BrokerListing) -> tuple[str, str, str]:
    return one.broker, one.key.partition(":")[0], one.symbol


def listing_of(on: On, broker: str, key: str) -> BrokerListing | None:
    """How a broker lists the instrument of a key; None where it does not."""
    return _OF_KEY.first(on, broker=broker, key=key)


def listed_instruments(on: On, broker: str) -> list[BrokerInstrument]:
    """Every instrument kept, under its token at this broker, empty where it has none there."""
    tokens = {one.key: one.token or "" for one in listings_of(on, broker)}
    return [at_broker(one, tokens.get(one.key, "")) for one in every_instrument(on)]


def replace_listings(
    on: On, broker: str, off: Collection[str], kept: Sequence[BrokerListing], gone: Collection[str] = ()
) -> None:
    """Keep how a broker lists these instruments, and none of the keys that are taken `off` or `gone`.

    What is gone is no instrument any more, and is listed nowhere. A token that stands twice names nothing.
    Rows that say so already are left alone: each row that is written is proven in the audit.
    """
    count = Counter(one.token for one in kept)
    wanted = {one.key: one if count[one.token] == 1 else replace(one, token=None) for one in kept}
    _UNLIST.run(on, keys=list(gone))
    said = {one.key for one in listings_of(on, broker) if wanted.get(one.key) == one}
    fresh = [one for key, one in wanted.items() if key not in said]
    _REMOVE.run(
        on, broker=broker, keys=[*(key for key in off if key not in said), *(one.key for one in fresh)]
    )
    _FREE_TOKENS.run(on, broker=broker, tokens=[one.token for one in fresh if one.token])
    _LISTINGS.insert(on, fresh)
