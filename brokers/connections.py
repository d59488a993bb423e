"""The connections of a desk: which of them carries a client, how fast, and which brings the prices."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from brokers.connection import Carried, Connection
from brokers.contract import Broker, BrokerAccount, Capabilities
from brokers.outages import Outages
from brokers.pacing import KeyLane, Lane, account_lane, key_lane
from brokers.silences import Silences
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


class PlanLimits(Struct, frozen=True):
    """What one plan for several clients keeps to: the tightest limits of an order and of a client's pace.

    `products` and `after_market` are what any of them offers. `limited_by` is the broker whose limits of an
    order are the tightest, empty where all have the same.
    """

    max_order_quantity: int
    max_order_value_paise: int
    most_slices: int
    orders_per_second: int
    products: frozenset[Product]
    after_market: bool
    limited_by: str = ""


def carrier(connections: Iterable[Connection], name: str) -> Connection | None:
    """The connection of this name; None where there is none."""
    for one in connections:  # asked many times an order: no generator is made for it
        if one.name == name:
            return one
    return None


def carrier_for(connections: Iterable[Connection], broker: str) -> str:
    """The name of the connection for a client of this broker: its own, else paper, else empty."""
    able = [one for one in connections if one.takes(broker)]
    able.sort(key=lambda one: one.kind is ConnectionKind.PAPER)
    return able[0].name if able else ""


class Readers:
    """Places for what is asked at brokers, so many at each connection: one that hangs takes nobody else's."""

    def __init__(self, carrier_of: Callable[[int], Connection | None], count: int) -> None:
        self._carrier_of = carrier_of
        self._count = count
        self._places: dict[str, asyncio.Semaphore] = {}

    def of(self, client_id: int) -> asyncio.Semaphore:
        """Those of the connection that carries a client."""
        found = self._carrier_of(client_id)
        name = "" if found is None else found.name
        return self._places.setdefault(name, asyncio.Semaphore(self._count))


class Connections:
    """Every connection of one desk. Prices and instruments come from the first of them, the `feed`."""

    def __init__(self, connections: Sequence[Connection], roster: Roster) -> None:
        self._all = tuple(connections)
        self._by_name = {one.name: one for one in self._all}
        self.roster = roster
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._key_lanes: dict[str, KeyLane | None] = {}
        self.feed = self._all[0]
        self.outages = Outages()
        """What cannot be had of a client's broker at present."""
        self.silences = Silences()
        """Whose brokers answer nobody."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

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
        found = self._carrier(client_id)
        if found is None:
            raise KeyError(client_id)
        return found

    def capabilities(self, client_id: int) -> Capabilities:
        """What the connection of a client can do; of one that none carries, what the feed's can."""
        return (self._carrier(client_id) or self.feed).capabilities

    def broker_word(self, client_id: int) -> str:
        """The word of the broker at which a client trades; empty where no connection carries it."""
        found = self._carrier(client_id)
        return "" if found is None else found.broker.name

    def limits(self, client_ids: Iterable[int]) -> PlanLimits:
        """What may be asked of all these clients' connections alike; of nobody's, what the feed's takes."""
        by = {one.name: one for one in ((self._carrier(c) or self.feed) for c in client_ids)}
        of_broker = [(one.capabilities, one.broker.name) for one in by.values()]
        every = [can for can, _ in of_broker] or [self.feed.capabilities]
        sizes = [(can.max_order_quantity * can.most_slices, can.max_order_value_paise) for can in every]
        tightest = of_broker[sizes.index(min(sizes))][1] if len(set(sizes)) > 1 else ""
        return PlanLimits(
            max_order_quantity=min(can.max_order_quantity for can in every),
            max_order_value_paise=min(can.max_order_value_paise for can in every),
            most_slices=min(can.most_slices for can in every),
            orders_per_second=min(can.orders_per_second for can in every),
            products=frozenset[Product]().union(*(can.products for can in every)),
            after_market=any(can.after_market for can in every),
            limited_by=tightest,
        )

    def serves(self, client_id: int) -> bool:
        """Whether a connection carries this client."""
        return self._carrier(client_id) is not None

    def _carrier(self, client_id: int) -> Connection | None:
        client = self.roster.clients.get(client_id)  # another desk may have it by now
        return None if client is None else self._by_name.get(client.connection)

    def is_polled(self, client_id: int) -> bool:
        """Whether a client's api key has no stream, so that its order book is read instead."""
        return self.serves(client_id) and self.of(client_id).life.polls(client_id)

    @property
    def trouble(self) -> str:
        """Why a venue cannot be reached or its secrets not be read; empty where nothing is wrong."""
        return "; ".join(one.life.trouble for one in self._all if one.life.trouble)

    @property
    def days_differ(self) -> str:
        """Why nothing may be traded, in words: venues are not of one day. Empty while they are.

        One of them would take orders for another's session. Asked by any thread.
        """
        days = {one.name: day for one in self._all if (day := one.life.trading_day()) is not None}
        if len(set(days.values())) < 2:
            return ""
        told = " and ".join(f"{name} is at {day:%d %b %Y}" for name, day in days.items())
        return f"{told}: their days differ, and orders leave again once they agree"

    def account(self, client: Carried) -> BrokerAccount:
        """A client's account as the adapter of its connection addresses it. Raises `KeyError` without one."""
        return self.of(client.id).account(client)

    def broker_of(self, client_id: int) -> tuple[Broker, BrokerAccount]:
        """The adapter and account of a client. Raises `KeyError` where no connection carries it."""
        connection = self.of(client_id)
        return connection.broker, connection.account(self.roster.clients[client_id])

    def read_ended(
        self, log: logging.Logger, client_id: int, what: str, problem: Exception | None, at: datetime
    ) -> None:
        """Note how a read of a client's at its broker ended; `problem` is None where it was answered."""
        if problem is None:
            self.outages.over(client_id, what)
        else:
            self.outages.failed(log, client_id, what, repr(problem))
        self.call_ended(client_id, problem, at)

    def call_ended(self, client_id: int, problem: Exception | None, at: datetime) -> None:
        """The same of a call that is in nobody's log."""
        if (found := self._carrier(client_id)) is not None:
            self.silences.ended(found.name, client_id, problem, at)

    def client_of(self, connection: Connection, user_id: str) -> int | None:
        """The client whose account at this connection it is."""
        if connection.kind is ConnectionKind.PAPER:
            found = self.roster.by_code.get(user_id.upper())
        else:
            found = self.roster.by_account.get((connection.broker.name, user_id))
        return found if found is not None and self._carrier(found) is connection else None

    def lane(self, client_id: int) -> Lane:
        """The rate budget of a client's account. Raises `KeyError` where no connection carries it."""
        connection = self.of(client_id)
        lane = self._lanes.get((connection.name, client_id))
        if lane is None:
            if connection.name not in self._key_lanes:
                self._key_lanes[connection.name] = key_lane(connection.capabilities)
            key = self._key_lanes[connection.name]
            lane = self._lanes[connection.name, client_id] = account_lane(connection.capabilities, key)
        return lane
