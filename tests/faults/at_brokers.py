"""The brokers whose adapters are put through faults and kills over sockets, each beside its stand-in."""

import random
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, cast

from msgspec import Struct

from brokers.connection import Connection
from brokers.groww.broker import GrowwBroker
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.groww.apps import ApiKey
from brokers.simulators.groww.server import LocalGroww
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.server import AnySimulatedBroker, ServedAt
from brokers.simulators.upstox.server import LocalUpstox
from brokers.upstox.broker import UpstoxBroker
from brokers.wire.calls import CallWaits
from brokers.wire.life import SignedInLife
from data.clock import Clock
from data.repositories.connections import ConnectionRow
from engine.desk import Desk
from tradedesk.compose.brokers import groww, kite, upstox
from tradedesk.compose.desk_access import DeskAccess
from tradedesk.compose.settings import Settings

KITE_WAITS = KiteWaits(connect_s=1.0, send_s=0.6, cancel_s=0.6, read_s=2.0)
CALL_WAITS = CallWaits(connect_s=1.0, send_s=0.6, cancel_s=0.6, read_s=2.0)
"""Those of the adapters; but for the rest after a 429 these are real seconds."""

Serve = Callable[[PaperExchange, Clock, Mapping[str, str], random.Random], AnySimulatedBroker]
"""Makes a stand-in over an exchange, by apps and their secrets, with the usual delays."""


class AtBroker(Struct, frozen=True):
    """One broker: its word in client files, its market and url in the settings, its stand-in, its adapter."""

    word: str
    market: str
    serve: Serve
    composed: ModuleType
    adapter: str
    waiting: Callable[..., object]
    row: Callable[[str], ConnectionRow]

    def settings(self, url: str) -> Settings:
        """A desk's own whose first connection is the stand-in of this address."""
        return Settings.model_validate(
            {"market": self.market, f"{self.market}_url": url, "vault": "file", "trader": "tester"}
        )

    def wait_less(self) -> None:
        """Have the adapters that this process makes from here on wait as said here."""
        cast(Any, self.composed).__dict__[self.adapter] = self.waiting


def _local_kite(
    exchange: PaperExchange, clock: Clock, apps: Mapping[str, str], rng: random.Random
) -> AnySimulatedBroker:
    return LocalKite(exchange, clock, api_keys=apps, delays=Delays(), rng=rng)


def _local_upstox(
    exchange: PaperExchange, clock: Clock, apps: Mapping[str, str], rng: random.Random
) -> AnySimulatedBroker:
    return LocalUpstox(exchange, clock, api_keys=apps, place=ServedAt(rng=rng))


def _local_groww(
    exchange: PaperExchange, clock: Clock, apps: Mapping[str, str], rng: random.Random
) -> AnySimulatedBroker:
    keys = {key: ApiKey(key.removeprefix("key"), secret) for key, secret in apps.items()}
    return LocalGroww(exchange, clock, api_keys=keys, place=ServedAt(rng=rng))


KITE = AtBroker(
    "zerodha", "kite", _local_kite, kite, "KiteBroker", partial(KiteBroker, waits=KITE_WAITS), kite.kite_row
)
UPSTOX = AtBroker(
    "upstox",
    "upstox",
    _local_upstox,
    upstox,
    "UpstoxBroker",
    partial(UpstoxBroker, waits=CALL_WAITS),
    upstox.upstox_row,
)
GROWW = AtBroker(
    "groww",
    "groww",
    _local_groww,
    groww,
    "GrowwBroker",
    partial(GrowwBroker, waits=CALL_WAITS),
    groww.groww_row,
)
PLACES = {
    "kite": (KITE,),
    "upstox": (UPSTOX,),
    "groww": (GROWW,),
    "both": (KITE, UPSTOX),
    "all": (KITE, UPSTOX, GROWW),
}
"""The brokers of a run's home, the feed first, over one exchange."""


def connections_of(desk: Desk) -> dict[str, Connection]:
    """A desk's connections to stand-ins, by the word of the broker."""
    return {one.broker.name: one for one in desk.connections if isinstance(one.life, SignedInLife)}


def secrets_of(desk: Desk, word: str) -> DeskAccess:
    """Where the secrets of the connection to a broker are kept."""
    life = connections_of(desk)[word].life
    assert isinstance(life, SignedInLife)
    access = life.access
    assert isinstance(access, DeskAccess)
    return access
