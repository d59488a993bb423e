"""What a broker says that orders cost."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from brokers.contract.account import BrokerAccount
from data.reference.rates import Charges
from data.vocabulary import Product, Side


class TradedLine(Struct, frozen=True):
    """What one order traded, all its trades together; `value_paise` is what they came to."""

    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    quantity: int
    value_paise: int


@runtime_checkable
class TellsCharges(Protocol):
    """What an adapter has besides `Broker` where `Capabilities.order_charges` says so."""

    async def order_charges(self, account: BrokerAccount, orders: Sequence[TradedLine]) -> Sequence[Charges]:
        """The charges of each of these orders by kind, in their order; the depository's fee is in none.

        What a contract note rounds over several orders is not rounded so here. Raises `BrokerError`.
        """
        ...
