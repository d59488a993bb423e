"""Kite's order statuses in the contract's words (Kite Connect documentation, orders, "order statuses").

The documentation calls its own list incomplete, so a status that is not here is live until the broker
says otherwise in words we know. `CANCELLED AMO`, seen in old code only, is left out for that reason:
money is freed on words whose meaning is known.
"""

from collections.abc import Mapping
from types import MappingProxyType

from brokers.contract import BrokerStatus

REGULAR, AFTER_MARKET = "regular", "amo"
"""The varieties of order that the desk sends."""

WAITING_FOR_SESSION = frozenset({"AMO REQ RECEIVED", "MODIFY AMO REQ RECEIVED"})
"""Statuses of an after-market order that has not gone to the exchange yet."""

KITE_STATUSES: Mapping[str, BrokerStatus] = MappingProxyType(
    {
        "COMPLETE": BrokerStatus.COMPLETE,
        "CANCELLED": BrokerStatus.CANCELLED,
        "REJECTED": BrokerStatus.REJECTED,
        "OPEN": BrokerStatus.OPEN,
        "TRIGGER PENDING": BrokerStatus.OPEN,
        # On its way to the exchange, or back from a modify or cancel that is not decided yet.
        "PUT ORDER REQ RECEIVED": BrokerStatus.OPEN,
        "PUT ORDER REQUEST RECEIVED": BrokerStatus.OPEN,
        "VALIDATION PENDING": BrokerStatus.OPEN,
        "OPEN PENDING": BrokerStatus.OPEN,
        "MODIFY VALIDATION PENDING": BrokerStatus.OPEN,
        "MODIFY PENDING": BrokerStatus.OPEN,
        "MODIFIED": BrokerStatus.OPEN,
        "NOT MODIFIED": BrokerStatus.OPEN,
        "CANCEL PENDING": BrokerStatus.OPEN,
        "AMO REQ RECEIVED": BrokerStatus.OPEN,
        "MODIFY AMO REQ RECEIVED": BrokerStatus.OPEN,
        # The name of an event on the stream and in postbacks: filled in part, or modified.
        "UPDATE": BrokerStatus.OPEN,
    }
)
"""Every status that Kite is known to say, as it spells it."""


def status_of(text: str) -> BrokerStatus:
    """The contract's word for a status of Kite; `UNRECOGNISED` for one that is not in the list."""
    return KITE_STATUSES.get(text, BrokerStatus.UNRECOGNISED)
