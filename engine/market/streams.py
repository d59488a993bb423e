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
    connection: Connection,
    market_data: MarketData,
    timing: Timing,
    told: Callable[[OrderUpdate], None],
    heard: Callable[[Tick | Ticks | Heartbeat], None] | None = None,
) -> None:
    """Take in a connection's stream for as long as the desk lives, opening it anew when it ends.

    Each connection that brings prices keeps its own (`MarketData.bringing`). `told` takes each update of an
    order, `heard` whatever is kept of the feed's prices.
    """
    broker = connection.broker
    quotes = next((quotes for one, quotes in market_data.bringing if one is connection), None)
    while True:
        try:
            async for event in broker.stream():
                if isinstance(event, OrderUpdate):
                    told(event)
                elif quotes is not None and not (quotes is market_data.quotes and market_data.of_firm):
                    _keep(quotes, event)
                    if heard is not None and quotes is market_data.quotes:
                        heard(event)
        except BrokerError as problem:
            log.warning("the stream of %s ended: %s", broker.name, problem)
        except Exception:  # without the stream the desk is deaf, so it is opened anew whatever it was
            log.exception("the stream of %s failed", broker.name)
        if quotes is not None:
            quotes.reopened()
        await timing.wall.sleep(timing.waits.not_sent_pause_s)


def _keep(quotes: QuoteMap, event: Tick | Ticks | Heartbeat) -> None:
    if isinstance(event, Ticks):
        quotes.put_all(event)
    elif isinstance(event, Tick):
        quotes.put(event)
    else:
        quotes.heartbeat(event)
