"""Upstox's order statuses in the contract's words (Upstox API documentation, order status).

They are compared in small letters, since one of its examples writes `Complete`. A status that is not here is
live until the broker says otherwise in words we know.
"""

from collections.abc import Mapping
from types import MappingProxyType

from brokers.contract import BrokerStatus

UPSTOX_STATUSES: Mapping[str, BrokerStatus] = MappingProxyType(
    {
        "complete": BrokerStatus.COMPLETE,
        "cancelled": BrokerStatus.CANCELLED,
        "cancelled after market order": BrokerStatus.CANCELLED,
        "rejected": BrokerStatus.REJECTED,
        "open": BrokerStatus.OPEN,
        "trigger pending": BrokerStatus.OPEN,
        # On its way to the exchange, or back from a modify or cancel that is not decided yet.
        "put order req received": BrokerStatus.OPEN,
        "validation pending": BrokerStatus.OPEN,
        "open pending": BrokerStatus.OPEN,
        "after market order req received": BrokerStatus.OPEN,
        "modify after market order req received": BrokerStatus.OPEN,
        "modify validation pending": BrokerStatus.OPEN,
        "modify pending": BrokerStatus.OPEN,
        "modified": BrokerStatus.OPEN,
        "not modified": BrokerStatus.OPEN,
        "cancel pending": BrokerStatus.OPEN,
        "not cancelled": BrokerStatus.OPEN,
    }
)
"""Every status that Upstox is known to say."""

TRIGGER_PENDING = "trigger pending"


def status_word(text: str) -> str:
    """A status as it is compared."""
    return " ".join(text.split()).lower()


def status_of(text: str) -> BrokerStatus:
    """The contract's word for a status of Upstox; `UNRECOGNISED` for one that is not in the list."""
    return UPSTOX_STATUSES.get(status_word(text), BrokerStatus.UNRECOGNISED)
