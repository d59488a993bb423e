"""The brokers that a home may have a connection to, by the connection's name, and what makes each.

HTTP and sockets take a second to import, so that each broker's modules are for those who name it.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from data.repositories.connections import ConnectionRow
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA
from tradedesk.compose.foundation import Way

CONNECTIONS: Mapping[str, str] = MappingProxyType({ZERODHA: "kite", UPSTOX: "upstox", GROWW: "groww"})
"""The name of a home's connection by its broker's word."""

TITLES: Mapping[str, str] = MappingProxyType({ZERODHA: "Kite", UPSTOX: "Upstox", GROWW: "Groww"})
"""How its interface is called, by the broker's word."""


def row_at(name: str, url: str) -> ConnectionRow:
    """A connection by its name: to the broker's own, or to the stand-in at this address. Raises
    `BadInput`."""
    match name:
        case "upstox":
            from tradedesk.compose.brokers.upstox import upstox_row

            return upstox_row(url)
        case "groww":
            from tradedesk.compose.brokers.groww import groww_row

            return groww_row(url)
        case _:
            from tradedesk.compose.brokers.kite import kite_row

            return kite_row(url)


def way_maker(broker: str) -> Callable[..., Awaitable[Way]]:
    """What makes the way to the broker with this word."""
    match broker:
        case "upstox":
            from tradedesk.compose.brokers.upstox import upstox_way

            return upstox_way
        case "groww":
            from tradedesk.compose.brokers.groww import groww_way

            return groww_way
        case _:
            from tradedesk.compose.brokers.kite import kite_way

            return kite_way
