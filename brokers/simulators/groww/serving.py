"""A local Groww that runs by itself: the demonstration's market and clients, kept in a folder."""

from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from brokers.simulators.groww.apps import keys_of
from brokers.simulators.groww.server import LocalGroww
from brokers.simulators.serving.homes import clients_of, open_exchange, own_addresses, run
from brokers.simulators.serving.server import ServedAt
from data.clock import Clock, SystemClock
from data.reference.phases import load_calendar

BROKER = "groww"
"""The word that marks Groww's clients in the demonstration."""


async def serve(
    home: Path,
    port: int,
    *,
    clock: Clock | None = None,
    begins: time | None = None,
    switches: Mapping[str, Any] | None = None,
    on_start: Callable[[LocalGroww], None] | None = None,
) -> None:
    """Serve the demonstration on loopback until cancelled; what happened is found again in `home`.

    Accounts carry the clients' user ids at the broker. Its days begin at `begins` in India where that is
    before trading opens; `switches` are set before it starts. `on_start` is told once it answers requests.
    Raises `BadInput` for a switch that there is not, `OSError` where the port is taken or the folder cannot
    be written.
    """
    clock = clock or SystemClock()
    clients = clients_of(BROKER)
    api_keys = {key: one for client in clients for key, one in keys_of(client.broker_user_id).items()}
    exchange = open_exchange(home, clock, load_calendar(), clients, begins)
    try:
        place = ServedAt(port=port, keep=home / "local_groww.db")
        groww = LocalGroww(exchange, clock, api_keys=api_keys, place=place)
        groww.switches.static_ips = own_addresses(clients)
        groww.switches.change(switches or {})
        await run(groww, on_start)
    finally:
        exchange.close()
