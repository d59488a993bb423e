"""An Upstox adapter over a local Upstox on a loopback socket, as the conformance cases stand on it."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from brokers.simulators.serving.delays import NO_DELAYS, Delays
from brokers.simulators.serving.orders.laid_rows import LaidRow
from brokers.simulators.serving.server import ServedAt
from brokers.simulators.upstox.server import LocalUpstox
from brokers.upstox.broker import UpstoxBroker
from brokers.upstox.roots import upstox_roots
from brokers.wire.access import AccountRoute
from brokers.wire.calls import CallWaits
from data.reference.instruments import at_broker
from tests.brokers.kite_stands import ANN, KEYS, LAST, POOR, STRANGER, fast_clock, open_exchange
from tests.brokers.kite_stub import Access
from tests.brokers.stand import Stand

_ODD = {"orders": "quantity", "holdings": "average_price"}
"""A field by book without which a row is odd."""


@asynccontextmanager
async def upstox_stand(
    delays: Delays = NO_DELAYS, switches: Mapping[str, object] | None = None
) -> AsyncIterator[tuple[Stand, LocalUpstox]]:
    """Both clients signed in, the instruments' file read."""
    clock = fast_clock()
    exchange, still, walking = open_exchange(clock)
    place = ServedAt(delays=delays, rng=random.Random(7))
    upstox = LocalUpstox(exchange, clock, api_keys=KEYS, place=place)
    upstox.switches.rate_limits = False  # a machine that is busy squeezes many calls into one of its seconds
    upstox.switches.change(dict(switches or {}))
    await upstox.start()
    access = Access({ANN: AccountRoute("annkey"), POOR: AccountRoute("poorkey")}, {}, dict(KEYS))
    waits = CallWaits(cool_down_s=0.0)
    broker = UpstoxBroker(access, upstox_roots(upstox.url), clock, waits=waits, rng=random.Random(7))
    await broker.open()
    try:
        for account, key in ((ANN, "annkey"), (POOR, "poorkey")):
            await broker.exchange_token(account, upstox.sessions.request_token(key, account.user_id))
        await broker.instruments()
        await broker.follow([ANN, POOR])
        secrets = (*access.secrets.values(), *access.tokens.values())

        def move(price: int) -> None:
            exchange.pin("RELIANCE", price, LAST)

        listed = at_broker(still, f"NSE_EQ|{still.isin}")

        def spoil(book: str, of: str) -> None:
            row = of if book == "orders" else listed.token
            upstox.laid_rows.lay(LaidRow("ANN", book, {_ODD[book]: None}, row))

        yield Stand(broker, listed, walking, LAST, move, ANN, POOR, STRANGER, secrets, spoil), upstox
    finally:
        await broker.close()
        await upstox.stop()
        exchange.close()
