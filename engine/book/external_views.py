"""Orders at the brokers that this desk did not send, as screens and commands read them."""

from msgspec import Struct

from brokers.contract import BrokerOrder


class ExternalOrderView(Struct, frozen=True):
    """A client's order that another terminal sent, as the broker's book shows it; `live` if it may trade."""

    client_id: int
    order: BrokerOrder
    live: bool

    @property
    def key(self) -> str:
        """Its instrument."""
        return f"{self.order.exchange}:{self.order.tradingsymbol}"
