"""What stands for an adapter's orders where a desk only looks: it knows no call that changes anything."""

from brokers.contract import (
    BrokerAccount,
    Conditional,
    Conversion,
    OrderChange,
    OrderRequest,
    Outcome,
    Refused,
)

_REFUSED = Refused("LOOKS_ONLY", "this desk only looks: nothing was asked of the broker")


class OnlyLooks:
    """Refuses whatever would change an order, without a call."""

    def remember(self, account: BrokerAccount, broker_order_id: str, variety: str) -> None:
        """Under which variety an order is changed matters to nobody here."""

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Refused."""
        return _REFUSED

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Refused."""
        return _REFUSED

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Refused."""
        return _REFUSED

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Refused."""
        return _REFUSED

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Refused."""
        return _REFUSED

    async def set_kill_switch(self, account: BrokerAccount, segment: str) -> Outcome:
        """Refused."""
        return _REFUSED
