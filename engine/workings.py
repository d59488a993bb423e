"""What runs behind a desk's facade: for what brings it up and down, and for test seams; no service has it."""

from msgspec import Struct

from brokers.connections import Connections
from engine.background import Background
from engine.book.kept import Kept
from engine.days import TradingDays
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.market.stamps import MarketStamps
from engine.timing import Timing


class Workings(Struct, frozen=True):
    """The groups that a desk's services were made of, and the tasks behind them."""

    kept: Kept
    timing: Timing
    engine: ThisEngine
    connections: Connections
    market_data: MarketData
    stamps: MarketStamps
    workers: Workers
    background: Background
    days: TradingDays
