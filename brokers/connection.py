"""One connection of a desk: an adapter, what else it does, and whom it carries under which name."""

from dataclasses import dataclass, field
from typing import Protocol

from brokers.contract import Broker, BrokerAccount, Capabilities
from brokers.life import Life
from data.vocabulary import ConnectionKind


class Carried(Protocol):
    """What a connection has to know of a client to carry its orders."""

    @property
    def id(self) -> int:
        """The desk's own number of it."""
        ...

    @property
    def code(self) -> str:
        """The trader's code of it."""
        ...

    @property
    def broker(self) -> str:
        """The word of the broker whose rules and charges apply to it."""
        ...

    @property
    def connection(self) -> str:
        """The name of the connection that carries it, empty where none does."""
        ...

    @property
    def broker_user_id(self) -> str:
        """Its user id at that broker."""
        ...


@dataclass(slots=True, eq=False)
class Connection:
    """One way to a venue. `name` is unique in a home; `address` and `identity` are those of its row there."""

    name: str
    kind: ConnectionKind
    broker: Broker
    life: Life = field(default_factory=Life)
    address: str = ""
    identity: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """What its adapter can do, and how fast it may be driven."""
        return self.broker.capabilities

    @property
    def simulated(self) -> bool:
        """Whether it leads to a stand-in on this machine, where no money is anybody's."""
        return self.kind is not ConnectionKind.LIVE

    def takes(self, broker: str) -> bool:
        """Whether it can carry clients of the broker with this word; paper stands in for every one."""
        return self.kind is ConnectionKind.PAPER or broker == self.broker.name

    def user_id(self, client: Carried) -> str:
        """The name of a client's account there; at the paper exchange the client's code."""
        return client.code if self.kind is ConnectionKind.PAPER else client.broker_user_id

    def account(self, client: Carried) -> BrokerAccount:
        """A client's account as the adapter addresses it."""
        return BrokerAccount(client.id, self.user_id(client))
