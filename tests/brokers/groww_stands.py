"""A Groww adapter over a local Groww on a loopback socket, as the conformance cases stand on it."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from brokers.groww.broker import GrowwBroker
from brokers.groww.roots import groww_roots
from brokers.simulators.groww.apps import keys_of, own_app
from brokers.simulators.groww.server import LocalGroww
from brokers.simulators.serving.delays import NO_DELAYS, Delays
from brokers.simulators.serving.orders.laid_rows import LaidRow
from brokers.simulators.serving.server import ServedAt
from brokers.wire.access import AccountRoute
from brokers.wire.calls import CallWaits
from data.reference.instruments import at_broker
from tests.brokers.kite_stands import ANN, LAST, POOR, STRANGER, fast_clock, open_exchange
from tests.brokers.kite_stub import Access
from tests.brokers.stand import Stand

_ODD = {"orders": "quantity", "holdings": "average_price"}
"""A field by book without which a row is odd."""


@asynccontextmanager
async def groww_stand(
    delays: Delays = NO_DELAYS, switches: Mapping[str, object] | None = None
) -> AsyncIterator[tuple[Stand, LocalGroww]]:
    """Both clients signed in by the secrets of their keys, the instruments' file read."""
    clock = fast_clock()
    exchange, still, walking = open_exchange(clock)
    place = ServedAt(delays=delays, rng=random.Random(7))
    groww = LocalGroww(exchange, clock, api_keys=keys_of("ANN") | keys_of("POOR"), place=place)
    groww.switches.rate_limits = False  # a machine that is busy squeezes many calls into one of its seconds
    groww.switches.change(dict(switches or {}))
    await groww.start()
    apps = {account: own_app(account.user_id) for account in (ANN, POOR)}
    routes = {account: AccountRoute(key) for account, (key, _) in apps.items()}
    access = Access(routes, {}, dict(apps.values()))
    waits = CallWaits(cool_down_s=0.0)
    broker = GrowwBroker(access, groww_roots(groww.url), clock, waits=waits, rng=random.Random(7))
    await broker.open()
    try:
        for account in (ANN, POOR):
            await broker.exchange_token(account, "")
        listed = {f"{row.exchange}:{row.tradingsymbol}": row for row in await broker.instruments()}
        await broker.holdings(ANN)  # before any sale, as a desk reads them in the morning
        await broker.follow([ANN, POOR])
        secrets = (*access.secrets.values(), *access.tokens.values())

        def move(price: int) -> None:
            exchange.pin("RELIANCE", price, LAST)

        def spoil(book: str, of: str) -> None:
            groww.laid_rows.lay(LaidRow("ANN", book, {_ODD[book]: None}, of))

        there = at_broker(still, listed[still.key].token)
        yield Stand(broker, there, walking, LAST, move, ANN, POOR, STRANGER, secrets, spoil), groww
    finally:
        await broker.close()
        await groww.stop()
        exchange.close()
