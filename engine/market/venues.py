"""Where a desk's orders go, and where its prices come from."""

from msgspec import Struct

from brokers.connections import Connections
from engine.market.market_data import MarketData


class Venues(Struct, frozen=True):
    """The connections that carry a desk's clients, and the prices and instruments that their feed brings."""

    connections: Connections
    market_data: MarketData
