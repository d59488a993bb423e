"""What the stands of every adapter share: accounts, clock and exchange; and Kite's over a local Kite."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from brokers.contract import BrokerAccount, ConditionalKind
from brokers.kite.access import kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import NO_DELAYS, Delays
from brokers.simulators.serving.orders.laid_rows import LaidRow
from brokers.wire.access import AccountRoute
from data.reference.instruments import BrokerInstrument, Instrument
from data.reference.phases import load_calendar
from data.reference.seed import universe
from tests.brokers.kite_stub import Access
from tests.brokers.stand import Stand
from tests.faults.clock import FastClock, monotonic

ANN, POOR, STRANGER = (BrokerAccount(number, name) for number, name in enumerate(("ANN", "POOR", "ZED"), 1))
KEYS = {"annkey": "secretofann0123456789", "poorkey": "secretofpoor012345678"}
LAST = 2_450_00
SPEED = 20.0
"""How much faster than the machine's the clock is: budgets of reads and heartbeats are clock seconds."""

SHORT_DELAYS = Delays(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)


def fast_clock() -> FastClock:
    return FastClock(monotonic(), SPEED, nap_s=0.005)


def open_exchange(clock: FastClock) -> tuple[PaperExchange, BrokerInstrument, Instrument]:
    exchange = PaperExchange(None, clock, load_calendar(), seed=3)
    exchange.list_instruments(universe())
    by_key = {row.instrument.key: row.instrument for row in universe()}
    accounts = [AccountOpening("ANN", 50_00_00_000_00, 10_00_000_00), AccountOpening("POOR", 1_00)]
    exchange.open_accounts(accounts)
    exchange.open_holdings([HoldingOpening("ANN", "NSE:RELIANCE", 100, 100 * 2_000_00)])
    exchange.pin("RELIANCE", LAST, LAST)
    still = by_key["NSE:RELIANCE"]
    assert isinstance(still, BrokerInstrument)
    return exchange, still, by_key["NSE:HDFCBANK"]


@asynccontextmanager
async def kite_stand(delays: Delays = NO_DELAYS) -> AsyncIterator[tuple[Stand, LocalKite]]:
    """A Kite adapter over a local Kite on a loopback socket, both clients signed in."""
    clock = fast_clock()
    exchange, still, walking = open_exchange(clock)
    kite = LocalKite(exchange, clock, api_keys=KEYS, delays=delays, rng=random.Random(7))
    kite.switches.rate_limits = False  # a machine that is busy squeezes many calls into one of its seconds
    await kite.start()
    routes = {ANN: AccountRoute("annkey"), POOR: AccountRoute("poorkey")}
    access = Access(routes, {}, dict(KEYS))
    waits = KiteWaits(cool_down_s=0.0)
    broker = KiteBroker(access, kite_roots(kite.url), clock, waits=waits, rng=random.Random(7))
    await broker.open()
    try:
        for account, key in ((ANN, "annkey"), (POOR, "poorkey")):
            await broker.exchange_token(account, kite.sessions.request_token(key, account.user_id))
        await broker.follow([ANN, POOR])
        secrets = (*access.secrets.values(), *access.tokens.values())
        move = lambda price: exchange.pin("RELIANCE", price, LAST)  # noqa: E731

        def spoil(book: str, of: str) -> None:
            field = "order_timestamp" if book == "orders" else "average_price"
            kite.laid_rows.lay(LaidRow("ANN", book, {field: None}, of))

        def rest(kind: ConditionalKind, symbol: str) -> None:
            if kind is ConditionalKind.GTT:
                condition = {"exchange": "NSE", "tradingsymbol": symbol or None, "trigger_values": [2_300.0]}
                order = {"transaction_type": "BUY", "quantity": 1, "product": "CNC", "price": 2_300.0}
                kite.conditionals.add_gtt("ANN", "single", condition, [order])
                return
            watched = {"lhs_tradingsymbol": symbol, "operator": ">=", "rhs_type": "constant"}
            kite.conditionals.add_alert(
                "ANN", {"name": "up", "type": "simple", "rhs_constant": "2500", **watched}
            )

        yield Stand(broker, still, walking, LAST, move, ANN, POOR, STRANGER, secrets, spoil, rest), kite
    finally:
        await broker.close()
        await kite.stop()
        exchange.close()
