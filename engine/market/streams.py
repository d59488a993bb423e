"""The stream of a connection while the desk is open: its prices are kept, its words of orders handed on."""

import logging
from collections.abc import Callable

from brokers.connection import Connection
from brokers.contract import BrokerError, Heartbeat, OrderUpdate, Tick, Ticks
from engine.market.market_data import MarketData
from engine.market.quotes import QuoteMap
from engine.timing import Timing

log = logging.getLogger(__name__)


async def follow_stream(
    connection: Connection, market_data: MarketData, timing: Timing, told: Callable[[OrderUpdate], None]
) -> None:
    """Take in a connection's stream for as long as the desk lives, opening it anew when it ends.

    Prices are those of the one connection that brings them, so that an instrument has one. `told` takes each
    update of an order.
    """
    broker, brings_prices = connection.broker, connection is market_data.feed
    while True:
        try:
            async for event in broker.stream():
                if isinstance(event, OrderUpdate):
                    told(event)
                elif brings_prices:
                    _keep(market_data.quotes, event)
        except BrokerError as problem:
            log.warning("the stream of %s ended: %s", broker.name, problem)
        except Exception:  # without the stream the desk is deaf, so it is opened anew whatever it was
            log.exception("the stream of %s failed", broker.name)
        if brings_prices:
            market_data.quotes.reopened()
        await timing.wall.sleep(timing.waits.not_sent_pause_s)


def _keep(quotes: QuoteMap, event: Tick | Ticks | Heartbeat) -> None:
    if isinstance(event, Ticks):
        quotes.put_all(event)
    elif isinstance(event, Tick):
        quotes.put(event)
    else:
        quotes.heartbeat(event)
