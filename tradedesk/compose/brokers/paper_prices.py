"""What the paper exchange lists of imported instruments, and at which reference price each starts.

A broker's dump need not hold prices: in Zerodha's every `last_price` is 0. A share starts from the price of
its file, else from its previous close as known here, else, for those of the demonstration, from its close.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from brokers.simulators.exchange.prices import Listing
from data.money import tick_down
from data.records import replace
from data.reference.closes import Close, closes_of
from data.reference.instruments import BrokerInstrument, Instrument, at_broker
from data.reference.seed import universe
from engine.desk import Desk
from engine.market.renames import Taken
from tradedesk.compose.brokers.paper import exchange_of


class PriceSources(Struct, frozen=True):
    """How many instruments start from a price of a file or a known close, from a close of the demonstration,
    and how many have no price and cannot trade on the paper exchange. `taken` says what became of names."""

    by_close: int
    by_demonstration: int
    without: int
    taken: Taken

    @property
    def words(self) -> str:
        """What a trader should know of it."""
        told = [f"{self.by_close:,} trade on paper from their last price or previous close"]
        if self.by_demonstration:
            told.append(
                f"{self.by_demonstration:,} from the demonstration's close, since the file has no price"
            )
        if self.without:
            told.append(
                f"{self.without:,} have no price and cannot trade on paper: give closes, such as the "
                "exchange's bhavcopy, with `tradedesk instruments prices FILE`"
            )
        return "; ".join(told)


async def take_instruments(
    desk: Desk, instruments: Sequence[Instrument], source: str, complete: bool = True
) -> PriceSources:
    """Store imported instruments, and list those with a price on the paper exchange.

    One that was renamed keeps the price, and so the reference price, that it had.
    """
    taken = await desk.market.store_instruments(instruments, source, complete=complete)
    stored = [one for key in instruments if (one := desk.market.index.get(key.key)) is not None]
    bare = [one for one in stored if not one.prev_close_paise]
    demonstration = {row.instrument.key: row.instrument.prev_close_paise for row in universe()}
    helped = _priced(bare, demonstration)
    tokens = {one.key: one.token for one in instruments if isinstance(one, BrokerInstrument)}
    if helped:
        await desk.market.store_instruments(helped, f"{source}, closes of the demonstration")
    _list(desk, [one for one in stored if one.prev_close_paise] + helped, tokens)
    return PriceSources(len(stored) - len(bare), len(helped), len(bare) - len(helped), taken)


async def take_closes(desk: Desk, closes: Sequence[Close], source: str) -> int:
    """Keep the closes of known instruments, and list those on the paper exchange that it did not list before.

    Returns how many of the instruments known have a close in the file.
    """
    found = closes_of(desk.market.index, closes)
    known = [one for key in found if (one := desk.market.index.get(key)) is not None]
    priced = _priced(known, found)
    if priced:
        await desk.market.store_instruments(priced, source)
        _list(desk, priced, {})
    return len(priced)


def _priced(instruments: Iterable[Instrument], closes: Mapping[str, int]) -> list[Instrument]:
    """Those that have a close, with it on their tick."""
    return [
        replace(one, prev_close_paise=max(one.tick_paise, tick_down(closes[one.key], one.tick_paise)))
        for one in instruments
        if one.key in closes
    ]


def _list(desk: Desk, instruments: Iterable[Instrument], tokens: Mapping[str, str]) -> None:
    """List instruments at the paper exchange, under these tokens, or those that it has."""
    exchange = exchange_of(desk)
    known = {row.instrument.key: row.instrument.token for row in exchange.listings()}
    listed = (at_broker(one, tokens.get(one.key) or known.get(one.key, "")) for one in instruments)
    exchange.list_instruments(Listing(one, *[one.prev_close_paise] * 4, volume=0) for one in listed)
