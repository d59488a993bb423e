"""A local Kite that runs by itself: the demonstration's market and clients, kept in a folder."""

from collections.abc import Callable
from datetime import time
from pathlib import Path

from brokers.simulators.kite.apps import PLATFORM, own_app
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.homes import clients_of, open_exchange, own_addresses, run
from data.clock import Clock, SystemClock
from data.reference.phases import load_calendar

BROKER = "zerodha"
"""The word that marks Kite's clients in the demonstration."""


async def serve(
    home: Path,
    port: int,
    *,
    clock: Clock | None = None,
    delays: Delays | None = None,
    begins: time | None = None,
    redirect: str = "",
    on_start: Callable[[LocalKite], None] | None = None,
) -> None:
    """Serve the demonstration on loopback until cancelled; what happened is found again in `home`.

    Accounts carry the clients' user ids at the broker. Its days begin at `begins` in India where that is
    before trading opens; sign-ins lead to `redirect`, or to a page of its own. `on_start` is told once it
    answers requests. Raises `OSError` where the port is taken or the folder cannot be written.
    """
    clock = clock or SystemClock()
    clients = clients_of(BROKER)
    api_keys = dict([PLATFORM, *(own_app(client.broker_user_id) for client in clients)])
    exchange = open_exchange(home, clock, load_calendar(), clients, begins)
    try:
        kite = LocalKite(
            exchange,
            clock,
            api_keys=api_keys,
            redirects=dict.fromkeys(api_keys, redirect) if redirect else None,
            port=port,
            delays=delays,
            keep=home / "local_kite.db",
        )
        kite.switches.static_ips = own_addresses(clients)
        await run(kite, on_start)
    finally:
        exchange.close()
