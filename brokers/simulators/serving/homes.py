"""A simulated broker by itself: the demonstration's market and one broker's clients, in a folder."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from datetime import date, time
from pathlib import Path
from typing import TypeVar

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.serving.server import AnySimulatedBroker
from data.clock import Clock
from data.reference.phases import Calendar
from data.reference.seed import DemoClient, demo_clients, demo_lots, universe

B = TypeVar("B", bound=AnySimulatedBroker)


def clients_of(broker: str) -> list[DemoClient]:
    """The demonstration's clients at the broker of this word."""
    return [client for client in demo_clients() if client.broker == broker]


def own_address(number: int) -> str:
    """A loopback address from which the calls of the client of this number, up to 16,000, are to come.

    Empty where this system has one loopback address alone.
    """
    block, host = divmod(number - 1, 250)
    address = f"127.0.{block + 1}.{host + 1}"
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return ""
    return address


def own_addresses(clients: Sequence[DemoClient]) -> dict[str, list[str]]:
    """Each client's own address by user id, where this system has so many."""
    return {
        client.broker_user_id: [address] for client in clients if (address := own_address(client.client_id))
    }


def open_exchange(
    home: Path, clock: Clock, calendar: Calendar, clients: Sequence[DemoClient], begins: time | None
) -> PaperExchange:
    """The exchange of a folder, which is made where it is not there, with accounts under user ids.

    Raises `OSError` where the folder cannot be written.
    """
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
        for client in clients
    ]
    codes = {client.broker_user_id: client.code for client in clients}
    settling = calendar.previous_trading_day(exchange.trading_day)
    exchange.open_accounts(fresh, lambda user_id: _shares_of(user_id, codes[user_id], settling))
    return exchange


async def run(broker: B, on_start: Callable[[B], None] | None) -> None:
    """Serve until cancelled; `on_start` is told once it answers. Raises `OSError` where the port is taken."""
    try:
        await broker.start()
        if on_start is not None:
            on_start(broker)
        await asyncio.Event().wait()
    finally:
        await broker.stop()


def _shares_of(user_id: str, code: str, settling: date) -> list[HoldingOpening]:
    """What a client of the demonstration brings; what was bought on the day of `settling` is on its way."""
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
