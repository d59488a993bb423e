"""The instruments of a store, each read when it is first asked for."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeVar, get_type_hints

from sqlalchemy import func, or_, select

from data.engines.texts import beyond_ascii
from data.proving.readable import UNREADABLE
from data.reference.instrument_index import Named
from data.reference.instruments import BrokerListing, Instrument
from data.repositories.base import Query, Rows, given
from data.repositories.instruments import every_instrument
from data.repositories.listings import listing_of
from data.store import Store
from data.tables.columns import table
from data.tables.market import InstrumentRecord

T = TypeVar("T")

log = logging.getLogger(__name__)


class _Key(NamedTuple):
    exchange: str
    tradingsymbol: str


_ROWS = Rows(InstrumentRecord, Instrument)
_OF_KEY = _ROWS.query(_ROWS.c.exchange == given("exchange"), _ROWS.c.tradingsymbol == given("symbol"))
_OF_ISIN = _ROWS.query(_ROWS.c.isin == given("isin"))
_NAMED = table(InstrumentRecord).c
# Under a name of its own, for nearly every symbol stands once, and nothing is won by sharing it.
_NAMES = Query(Named, select(_NAMED.exchange, _NAMED.tradingsymbol.label("symbol"), _NAMED.name))


def _not_in_capitals() -> Query[_Key]:
    """Keys with small letters, or with letters of which a database does not know the capitals."""
    exchange, symbol = _ROWS.c.exchange, _ROWS.c.tradingsymbol
    small = [one != func.upper(one) for one in (exchange, symbol)]
    return Query(_Key, select(exchange, symbol).where(or_(*small, beyond_ascii(symbol))))


_NOT_IN_CAPITALS = _not_in_capitals()


_KINDS = get_type_hints(Instrument)


def _held_to_kinds(found: Sequence[Instrument]) -> Sequence[Instrument]:
    """The instruments whose values are of their fields' kinds; the log names any other."""
    whole: list[Instrument] = []
    for one in found:
        odd = [name for name, kind in _KINDS.items() if not isinstance(getattr(one, name), kind)]
        if odd:
            log.error("the instrument %s is not known: its %s cannot be read", one.key, ", ".join(odd))
        else:
            whole.append(one)
    return whole


class StoredInstruments:
    """The instruments of a store. One that cannot be read is not known, and the log says so."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_key(self, key: str) -> Instrument | None:
        """The instrument of a key in capitals, whatever its own letter case."""
        exchange, _, symbol = key.partition(":")
        found = self._read(_OF_KEY, exchange=exchange, symbol=symbol)
        if not found and (odd := self._odd.get(key)):
            found = self._read(_OF_KEY, exchange=odd.exchange, symbol=odd.tradingsymbol)
        return next(iter(_held_to_kinds(found)), None)

    def of_isin(self, isin: str) -> Sequence[Instrument]:
        """Those with this ISIN."""
        return _held_to_kinds(self._read(_OF_ISIN, isin=isin))

    def listing(self, broker: str, key: str) -> BrokerListing | None:
        """How a broker lists the instrument of a key; None too where that cannot be read."""
        try:
            return self._store.glance(lambda connection: listing_of(connection, broker, key))
        except UNREADABLE as problem:
            log.error("whether %s lists %s could not be read: %s", broker, key, problem)
            return None

    def names(self) -> Sequence[Named]:
        """What of every one is searched."""
        try:
            found = self._store.database.read(_NAMES.all)
            if set(map(type, chain.from_iterable(found))) <= {str}:
                return found
            return [one for one in found if set(map(type, one)) == {str}]
        except UNREADABLE as problem:
            log.error("no instrument can be searched: %s", problem)
            return []

    def every(self) -> Sequence[Instrument]:
        """All of them."""
        return self._store.database.read(every_instrument)

    @cached_property
    def _odd(self) -> Mapping[str, _Key]:
        found = self._read(_NOT_IN_CAPITALS)
        return {f"{one.exchange}:{one.tradingsymbol}".upper(): one for one in found}

    def _read(self, query: Query[T], **values: str) -> Sequence[T]:
        try:
            return self._store.glance(lambda connection: query.all(connection, **values))
        except UNREADABLE as problem:
            log.error("an instrument could not be read: %s", problem)
            return []
