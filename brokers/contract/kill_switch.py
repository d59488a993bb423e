"""A client's own lock at a broker, which bars its orders in a segment for hours."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from brokers.contract.account import BrokerAccount
from brokers.contract.trading import Outcome


class KillSwitch(Struct, frozen=True):
    """Whether orders of one segment, such as `NSE_EQ`, are barred; `status` is the broker's word for it."""

    segment: str
    on: bool
    status: str = ""


@runtime_checkable
class HasKillSwitches(Protocol):
    """What an adapter has besides `Broker` where its broker lets clients bar themselves."""

    async def kill_switches(self, account: BrokerAccount) -> Sequence[KillSwitch]:
        """Every segment of a client with its switch. Raises `BrokerError`."""
        ...

    async def set_kill_switch(self, account: BrokerAccount, segment: str) -> Outcome:
        """Bar the client's orders in a segment; `Accepted` says that it was taken, a read that it is on."""
        ...
