"""A local Upstox that runs by itself: the demonstration's market and clients, kept in a folder."""

from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from brokers.simulators.serving.homes import clients_of, open_exchange, own_addresses, run
from brokers.simulators.serving.server import ServedAt
from brokers.simulators.upstox.apps import PLATFORM, own_app
from brokers.simulators.upstox.server import LocalUpstox
from data.clock import Clock, SystemClock
from data.reference.phases import load_calendar

BROKER = "upstox"
"""The word that marks Upstox's clients in the demonstration."""


async def serve(
    home: Path,
    port: int,
    *,
    clock: Clock | None = None,
    begins: time | None = None,
    switches: Mapping[str, Any] | None = None,
    on_start: Callable[[LocalUpstox], None] | None = None,
) -> None:
    """Serve the demonstration on loopback until cancelled; what happened is found again in `home`.

    Accounts carry the clients' user ids at the broker. Its days begin at `begins` in India where that is
    before trading opens; `switches` are set before it starts. `on_start` is told once it answers requests.
    Raises `BadInput` for a switch that there is not, `OSError` where the port is taken or the folder cannot
    be written.
    """
    clock = clock or SystemClock()
    clients = clients_of(BROKER)
    api_keys = dict([PLATFORM, *(own_app(client.broker_user_id) for client in clients)])
    exchange = open_exchange(home, clock, load_calendar(), clients, begins)
    try:
        place = ServedAt(port=port, keep=home / "local_upstox.db")
        upstox = LocalUpstox(exchange, clock, api_keys=api_keys, place=place)
        upstox.switches.static_ips = own_addresses(clients)
        upstox.switches.change(switches or {})
        await run(upstox, on_start)
    finally:
        exchange.close()
