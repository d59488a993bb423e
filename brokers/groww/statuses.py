"""Groww's order statuses in the contract's words (Groww Trading API documentation, annexures).

A status that is not here is live until the broker says otherwise in words we know.
"""

from collections.abc import Mapping
from types import MappingProxyType

from brokers.contract import BrokerStatus

GROWW_STATUSES: Mapping[str, BrokerStatus] = MappingProxyType(
    {
        "EXECUTED": BrokerStatus.COMPLETE,
        # Bought for delivery and filled; the shares come later.
        "DELIVERY_AWAITED": BrokerStatus.COMPLETE,
        "COMPLETED": BrokerStatus.COMPLETE,
        "CANCELLED": BrokerStatus.CANCELLED,
        "REJECTED": BrokerStatus.REJECTED,
        "FAILED": BrokerStatus.REJECTED,
        "APPROVED": BrokerStatus.OPEN,
        "OPEN": BrokerStatus.OPEN,
        "TRIGGER_PENDING": BrokerStatus.OPEN,
        # On its way to the exchange, or back from a modify or cancel that is not decided yet.
        "NEW": BrokerStatus.OPEN,
        "ACKED": BrokerStatus.OPEN,
        "MODIFICATION_REQUESTED": BrokerStatus.OPEN,
        "CANCELLATION_REQUESTED": BrokerStatus.OPEN,
    }
)
"""Every status that Groww is known to say."""

TRIGGER_PENDING = "TRIGGER_PENDING"


def status_word(text: str) -> str:
    """A status as it is compared."""
    return "_".join(text.split()).upper()


def status_of(text: str) -> BrokerStatus:
    """The contract's word for a status of Groww; `UNRECOGNISED` for one that is not in the list."""
    return GROWW_STATUSES.get(status_word(text), BrokerStatus.UNRECOGNISED)
