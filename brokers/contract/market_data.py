"""Prices, instruments, and the one stream of an adapter."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from brokers.contract.account import BrokerAccount
from brokers.contract.rows import BrokerRows
from brokers.contract.trading import OrderUpdate
from data.reference.instruments import Instrument
from data.vocabulary import Product


class DepthLevel(NamedTuple):
    """One price level of the book."""

    price_paise: int
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The market of one instrument at one moment. `key` is `EXCHANGE:SYMBOL`.

    `received_at` is wall time of the packet; `market_at` the exchange's. Depth runs best first and may
    be empty where the subscription does not carry it.
    """

    key: str
    last_paise: int
    prev_close_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    volume: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    market_at: datetime
    received_at: datetime
    bids: tuple[DepthLevel, ...] = ()
    asks: tuple[DepthLevel, ...] = ()


class Heartbeat(Struct, frozen=True):
    """The feed is alive though nothing traded; it renews the age of the prices it speaks for.

    `keys` are those whose last tick is the market still, None for all that is subscribed. A feed of several
    connections beats for each, named by `source`, with one and the same set while that does not change.
    """

    received_at: datetime
    keys: frozenset[str] | None = None
    source: str = ""


RawPacket = tuple[int, bytes]
"""A broker's number of an instrument, 0 where it has none, and the bytes of a packet of it, found whole."""


class Arrival(Protocol):
    """When packets came in, and how one of them is read."""

    @property
    def received_at(self) -> datetime:
        """Wall time of the packets."""
        ...

    @property
    def received_s(self) -> float:
        """The same moment in seconds of the machine's clock that never goes back."""
        ...

    def tick(self, key: str, packet: RawPacket) -> Tick:
        """Read a packet of the instrument `key`. It never raises."""
        ...


UnreadTick = tuple[RawPacket, Arrival]


class Ticks(Struct, frozen=True):
    """The newest packet of each of many instruments, by key, which nobody has read yet.

    They came in between `first_at` and `last_at`, wall time.
    """

    packets: Mapping[str, UnreadTick]
    first_at: datetime
    last_at: datetime

    def read(self) -> Iterator[Tick]:
        """Read them all."""
        for key, (packet, arrival) in self.packets.items():
            yield arrival.tick(key, packet)


StreamEvent = Tick | Ticks | Heartbeat | OrderUpdate


class InstrumentRow(Struct, frozen=True):
    """One row of a broker's instruments dump, under the broker's token. Kite's dump carries no ISIN.

    `series` is empty where the symbol says it, as `CENTRALBK-BE` does.
    """

    token: str
    tradingsymbol: str
    name: str
    exchange: str
    segment: str
    instrument_type: str
    tick_paise: int
    lot_size: int
    last_paise: int
    isin: str = ""
    series: str = ""


class MarketDataSource(Protocol):
    """The market as a broker tells it. Reads raise `BrokerError`."""

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """The instruments dump."""
        ...

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now. Unknown keys are missing from the answer."""
        ...

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries."""
        ...

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks, heartbeats and order updates until `close`."""
        ...


@runtime_checkable
class TellsMargins(Protocol):
    """What an adapter has besides `Broker` where its broker tells margins that its listings do not carry."""

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product, in basis points from 1 to 10,000.

        None for a product that the broker does not offer for the instrument. Raises `BrokerError`.
        """
        ...
