"""A local Kite that runs by itself: the demonstration's market and clients, kept in a folder."""

import asyncio
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.kite.apps import PLATFORM, own_address, own_app
from brokers.simulators.kite.books.delays import Delays
from brokers.simulators.kite.server import LocalKite
from data.clock import Clock, SystemClock
from data.reference.phases import Calendar, load_calendar
from data.reference.seed import DemoClient, demo_clients, demo_lots, universe

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
    calendar = load_calendar()
    api_keys = dict([PLATFORM, *(own_app(client.broker_user_id) for client in _clients())])
    exchange = _open_exchange(home, clock, calendar, begins)
    try:
        keep = home / "local_kite.db"
        kite = LocalKite(
            exchange,
            clock,
            api_keys=api_keys,
            redirects=dict.fromkeys(api_keys, redirect) if redirect else None,
            port=port,
            delays=delays,
            calendar=calendar,
            keep=keep,
        )
        kite.switches.static_ips = {
            client.broker_user_id: [address]
            for client in _clients()
            if (address := own_address(client.client_id))
        }
        try:
            await kite.start()
            if on_start is not None:
                on_start(kite)
            await asyncio.Event().wait()
        finally:
            await kite.stop()
    finally:
        exchange.close()


def _open_exchange(home: Path, clock: Clock, calendar: Calendar, begins: time | None) -> PaperExchange:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    exchange = PaperExchange(home / "exchange.db", clock, calendar, begins=begins)
    exchange.list_instruments(universe())
    fresh = [
        AccountOpening(
            client.broker_user_id,
            client.available_paise,
            client.mtf_limit_paise,
            client.hold_paise,
            client.broker,
        )
        for client in _clients()
    ]
    settling = calendar.previous_trading_day(exchange.trading_day)
    exchange.open_accounts(fresh, lambda user_id: _shares_of(user_id, settling))
    return exchange


def _shares_of(user_id: str, settling: date) -> list[HoldingOpening]:
    """What a client of the demonstration brings; what was bought on the day of `settling` is on its way."""
    code = next(client.code for client in _clients() if client.broker_user_id == user_id)
    return [
        HoldingOpening(
            user_id,
            f"NSE:{lot.symbol}",
            lot.quantity,
            lot.cost_paise,
            lot.product,
            lot.loan_paise,
            lot.bought_on if lot.bought_on == settling else None,
        )
        for lot in demo_lots()
        if lot.code == code
    ]


def _clients() -> list[DemoClient]:
    return [client for client in demo_clients() if client.broker == BROKER]
