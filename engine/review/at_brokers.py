"""What brokers have of clients now, whoever traded it: their order books and trades, read when asked."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from brokers.contract import (
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    BrokerRows,
    BrokerTrade,
    TellsCharges,
    TradedLine,
)
from data.reference.rates import Charges, charges_together
from engine.book.kept import Kept
from engine.market.venues import Venues
from engine.timing import Timing

T = TypeVar("T")

Read = Callable[[Broker, BrokerAccount], Awaitable[T]]


class AtBrokers:
    """Reads orders and trades of today at the brokers, of whichever terminal they are; it keeps nothing."""

    def __init__(self, kept: Kept, timing: Timing, venues: Venues) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = venues.connections

    async def orders(self, client_ids: Iterable[int]) -> dict[int, BrokerRows[BrokerOrder] | None]:
        """The order book of each client; None of one whose book cannot be read now."""
        return {one: await self._read(one, _orders) for one in client_ids}

    async def trades(self, client_ids: Iterable[int]) -> dict[int, BrokerRows[BrokerTrade] | None]:
        """The trades of each client; None of one whose trades cannot be read now."""
        return {one: await self._read(one, _trades) for one in client_ids}

    async def charges(self, traded: Mapping[int, Sequence[TradedLine]]) -> dict[int, Charges | None]:
        """What these orders of each client cost by its broker's own word, all of a client's together.

        None of one whose broker tells no charges, or cannot be asked now. The depository's fee is in none.
        """
        return {one: await self._charges(one, lines) for one, lines in traded.items()}

    async def _charges(self, client_id: int, lines: Sequence[TradedLine]) -> Charges | None:
        if not self._connections.capabilities(client_id).order_charges:
            return None

        async def ask(broker: Broker, account: BrokerAccount) -> Sequence[Charges]:
            return await broker.order_charges(account, lines) if isinstance(broker, TellsCharges) else ()

        found = await self._read(client_id, ask)
        return None if found is None else charges_together(found)

    async def _read(self, client_id: int, read: Read[T]) -> T | None:
        if not self._connections.serves(client_id):
            return None
        broker, account = self._connections.broker_of(client_id)
        try:
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                return await read(broker, account)
        except (BrokerError, TimeoutError):
            return None


async def _orders(broker: Broker, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
    return await broker.orders(account)


async def _trades(broker: Broker, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
    return await broker.trades(account)
