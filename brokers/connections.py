"""The connections of a desk: which of them carries a client, how fast, and which brings the prices."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from brokers.connection import Carried, Connection
from brokers.contract import Broker, BrokerAccount, Capabilities
from brokers.outages import Outages
from brokers.pacing import KeyLane, Lane, key_lane
from data.vocabulary import ConnectionKind, Product

_BY_DANGER = (ConnectionKind.PAPER, ConnectionKind.SIM, ConnectionKind.LIVE)


class Roster(Protocol):
    """Who the desk's clients are now."""

    @property
    def clients(self) -> Mapping[int, Carried]:
        """Every client by its number."""
        ...

    @property
    def by_code(self) -> Mapping[str, int]:
        """The numbers by code, in capitals."""
        ...

    @property
    def by_account(self) -> Mapping[tuple[str, str], int]:
        """The numbers by broker's word and user id there."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one plan for several clients keeps to: the tightest limits of an order and of a client's pace.

    `products` and `after_market` are what any of them offers.
    """

    max_order_quantity: int
    max_order_value_paise: int
    most_slices: int
    orders_per_second: int
    products: frozenset[Product]
    after_market: bool


def carrier(connections: Sequence[Connection], broker: str) -> Connection | None:
    """The connection that carries clients of this broker; None where there is none."""
    return next((one for one in connections if broker in one.serves), None)


def _nobody_told(client_id: int, why: str) -> None:
    pass


class Connections:
    """Every connection of one desk. Prices and instruments come from the first of them, the `feed`."""

    def __init__(self, connections: Sequence[Connection], roster: Roster) -> None:
        self._all = tuple(connections)
        self._roster = roster
        self._lanes: dict[int, Lane] = {}
        self._key_lanes: dict[str, KeyLane | None] = {}
        self.feed = self._all[0]
        self.outages = Outages()
        """What cannot be had of a client's broker at present."""
        self.session_lost: Callable[[int, str], None] = _nobody_told
        """Told of a client whose session its broker no longer takes, and the broker's words."""

    def __iter__(self) -> Iterator[Connection]:
        """Each of them, the feed first."""
        return iter(self._all)

    @property
    def kind(self) -> ConnectionKind:
        """The most dangerous kind among them."""
        return max((one.kind for one in self._all), key=_BY_DANGER.index)

    @property
    def take_after_market(self) -> bool:
        """Whether orders may wait for the next session (AMO) at any of them."""
        return any(one.capabilities.after_market for one in self._all)

    def of(self, client_id: int) -> Connection:
        """The connection that carries a client. Raises `KeyError` where none does."""
        found = carrier(self._all, self._roster.clients[client_id].broker)
        if found is None:
            raise KeyError(client_id)
        return found

    def capabilities(self, client_id: int) -> Capabilities:
        """What the connection of a client can do; of one that none carries, what the feed's can."""
        connection = carrier(self._all, self._roster.clients[client_id].broker)
        return (connection or self.feed).capabilities

    def limits(self, client_ids: Iterable[int]) -> Limits:
        """What may be asked of all these clients' connections alike; of nobody's, what the feed's takes."""
        carried = {id(can): can for can in map(self.capabilities, client_ids)}
        every = list(carried.values()) or [self.feed.capabilities]
        return Limits(
            max_order_quantity=min(can.max_order_quantity for can in every),
            max_order_value_paise=min(can.max_order_value_paise for can in every),
            most_slices=min(can.most_slices for can in every),
            orders_per_second=min(can.orders_per_second for can in every),
            products=frozenset[Product]().union(*(can.products for can in every)),
            after_market=any(can.after_market for can in every),
        )

    def serves(self, client_id: int) -> bool:
        """Whether a connection carries this client."""
        return carrier(self._all, self._roster.clients[client_id].broker) is not None

    def is_polled(self, client_id: int) -> bool:
        """Whether a client's api key has no stream, so that its order book is read instead."""
        return self.serves(client_id) and self.of(client_id).life.polls(client_id)

    @property
    def trouble(self) -> str:
        """Why a venue cannot be reached or its secrets not be read; empty where nothing is wrong."""
        return "; ".join(one.life.trouble for one in self._all if one.life.trouble)

    def account(self, client: Carried) -> BrokerAccount:
        """A client's account as the adapter of its connection addresses it. Raises `KeyError` without one."""
        return self.of(client.id).account(client)

    def broker_of(self, client_id: int) -> tuple[Broker, BrokerAccount]:
        """The adapter and account of a client. Raises `KeyError` where no connection carries it."""
        connection = self.of(client_id)
        return connection.broker, connection.account(self._roster.clients[client_id])

    def client_of(self, connection: Connection, user_id: str) -> int | None:
        """The client whose account at this connection it is."""
        if connection.kind is ConnectionKind.PAPER:
            return self._roster.by_code.get(user_id.upper())
        named = (self._roster.by_account.get((word, user_id)) for word in connection.serves)
        return next((client_id for client_id in named if client_id is not None), None)

    def lane(self, client_id: int) -> Lane:
        """The rate budget of a client's account. Raises `KeyError` where no connection carries it."""
        lane = self._lanes.get(client_id)
        if lane is None:
            connection = self.of(client_id)
            if connection.name not in self._key_lanes:
                self._key_lanes[connection.name] = key_lane(connection.capabilities)
            key = self._key_lanes[connection.name]
            lane = self._lanes[client_id] = Lane(connection.capabilities, key)
        return lane
