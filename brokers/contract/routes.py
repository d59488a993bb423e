"""By which addresses a broker takes a client's orders, where it tells that."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from brokers.contract.account import BrokerAccount


@runtime_checkable
class TellsAddresses(Protocol):
    """What an adapter has besides `Broker` where its broker tells which addresses it has on its list."""

    async def registered_addresses(self, account: BrokerAccount) -> Sequence[str]:
        """The addresses by which it takes this client's orders, none where none is. Raises `BrokerError`."""
        ...
