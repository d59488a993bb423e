"""Which instruments a search finds: by what is known of each, then by the day's figures of those left."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from brokers.contract import Tick
from data.reference.classes import Classes
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import Instrument
from engine.market.search_words import ClassKind, Figure, Search, Trait

MOST = 500
"""Instruments that a search offers at most, and whose prices it asks for: one call for quotes has as many."""


class Found(Struct, frozen=True):
    """What a search found, in its order, `of` so many instruments.

    `unknown` counts, by the word that asked, those that meet all else and of which this is not known;
    `unasked` those whose prices were not asked for, since they were more than one call takes.
    """

    keys: tuple[str, ...]
    of: int
    unknown: Mapping[str, int]
    unasked: int = 0


def candidates(index: InstrumentIndex, text: str, first: Iterable[str]) -> Sequence[Instrument]:
    """Whom the other words are asked of: what a text finds, the best match first, else everything."""
    return index.search(text, len(index), first) if text else list(index)


def narrowed(
    instruments: Iterable[Instrument], wanted: Search, known: Classes, unknown: Counter[str]
) -> Iterator[Instrument]:
    """Those that are of the classes wanted and have the traits; what is not known is counted."""
    for one in instruments:
        if not one.tradable or (wanted.exchanges and one.exchange not in wanted.exchanges):
            continue
        if all(_has(one, trait) for trait in wanted.traits):
            yield from [one] if _judged(_classes_hold(one, wanted, known), unknown) else []


def _has(instrument: Instrument, trait: Trait) -> bool:
    match trait:
        case Trait.MTF:
            return instrument.mtf_margin_bps is not None and not instrument.trade_to_trade
        case Trait.MIS:
            return instrument.mis_margin_bps is not None and not instrument.trade_to_trade
        case Trait.FNO:
            return instrument.fno


def _classes_hold(one: Instrument, wanted: Search, known: Classes) -> Iterator[tuple[str, bool | None]]:
    for kind, classes in wanted.classes.items():
        names = {each.name for each in classes}
        if kind is ClassKind.INDEX:
            yield kind.value, not names.isdisjoint(known.indices_of(one))
        else:
            own = known.sector_of(one) if kind is ClassKind.SECTOR else known.cap_of(one)
            yield kind.value, None if own is None else own in names


def _judged(held: Iterable[tuple[str, bool | None]], unknown: Counter[str]) -> bool:
    """Whether all hold. Where none fails, but some are not known, those are counted."""
    asked = list(held)
    if any(holds is False for _, holds in asked):
        return False
    missing = [name for name, holds in asked if holds is None]
    unknown.update(missing)
    return not missing


def within(
    keys: Iterable[str],
    wanted: Search,
    quote: Callable[[str], Tick | None],
    change_bps: Callable[[str], int | None],
    unknown: Counter[str],
) -> list[str]:
    """Those whose figures of the day are within the limits; what is not known is counted."""

    def figures(key: str) -> Iterator[tuple[str, bool | None]]:
        tick = quote(key)
        last = tick.last_paise if tick else 0
        of = {
            Figure.PRICE: last or None,
            Figure.CHANGE: change_bps(key),
            Figure.VOLUME: tick.volume if tick else None,
            Figure.VALUE: last * tick.volume if tick and last else None,
        }
        for limit in wanted.limits:
            value = of[limit.figure]
            yield limit.figure.value, None if value is None else limit.holds(value)

    return [key for key in keys if _judged(figures(key), unknown)]
