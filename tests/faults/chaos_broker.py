"""The paper exchange as a process of its own, which misbehaves by dice and whose own ledger is the oracle.

It serves the contract over a loopback connection to one desk at a time, lives on when that desk is killed,
and answers the harness's own questions under the method `control`.
"""

import asyncio
import pickle
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from brokers.contract import (
    Accepted,
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerTrade,
    Conversion,
    OrderChange,
    OrderRequest,
    Refused,
)
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.schema import SELECT_TRADE, broker_order, broker_trade, to_us
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import Faults
from data.errors import BadInput
from data.money import tick_down
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import Product, Side
from tests.faults.clock import FastClock, HeldClock, monotonic
from tests.faults.scenery import PINNED, opening_price, openings, roster, stocks
from tests.faults.wire import Call, pack, unpack

WRITES = ("place", "modify", "cancel", "convert")

PULSE_S = 0.02
"""Real seconds between two looks of the exchange's driver."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One write as it came in: machine and clock seconds, the method, whose, and its tag or broker's id."""

    machine_s: float
    clock_s: float
    method: str
    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """One client as the exchange has it; `unsettled_paise` are proceeds that wait for settlement."""

    user_id: str
    funds: BrokerFunds
    unsettled_paise: int
    holdings: tuple[BrokerHolding, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The oracle: everything the exchange knows of every client and day.

    `receipts` counts placements received by tag, `placed` orders made by tag, `met` the faults that struck;
    `terms` are the quantities and limits that modifies gave orders, by broker's id, as `ID:QUANTITY@PAISE`.
    """

    accounts: dict[str, Account]
    orders: tuple[BrokerOrder, ...]
    trades: tuple[BrokerTrade, ...]
    receipts: dict[str, int]
    placed: dict[str, int]
    met: dict[str, int]
    terms: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Lines:
    """How often the connection itself breaks: before a write is looked at, or after it was carried out."""

    before: float = 0.0
    after: float = 0.0


class RationedExchange(PaperExchange):
    """A paper exchange of whose sales of the day only a part trades, where that is asked for."""

    most_sold: int | None = None
    """So many shares of an intraday sale trade at each of its prices; None for all."""

    def place(self, user_id: str, request: OrderRequest, at_most: int | None = None) -> Accepted | Refused:
        """Take an order; an intraday sale is rationed."""
        if request.side is Side.SELL and request.product is Product.MIS:
            at_most = self.most_sold
        return super().place(user_id, request, at_most)

    def modify(self, user_id: str, broker_order_id: str, change: OrderChange) -> Accepted | Refused:
        """Change an order; at its next price as many shares of a rationed one trade again."""
        if self.most_sold:
            self.allow(user_id, broker_order_id, self.most_sold)
        return super().modify(user_id, broker_order_id, change)


class ChaosBroker:
    """The exchange, the broker in front of it, and the connections to it."""

    def __init__(
        self, clock: FastClock, clients: int, seed: int, faults: Faults, lines: Lines, moving: bool = True
    ) -> None:
        self._clock = clock
        self._dice = random.Random(f"market:{seed}")
        self._breaks = random.Random(f"lines:{seed}")
        self._lines = lines
        self._moving = moving
        self._calm = False
        self._held = HeldClock(clock)
        self._exchange = RationedExchange(None, self._held, load_calendar(), seed=seed)
        self._paper = PaperBroker(self._exchange, clock.napping(PULSE_S), latency=(0.0, 0.0))
        self._faulty = FaultyBroker(
            self._paper,
            clock,
            faults,
            random.Random(f"faults:{seed}"),
            overfill=self._exchange.overfill,
            resurrect=self._exchange.resurrect,
        )
        self._receipts: list[Receipt] = []
        self._met: Counter[str] = Counter()
        self._terms: dict[str, set[str]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._exchange.list_instruments(universe())
        accounts, shares = openings(clients)
        self._exchange.open_accounts(accounts)
        self._exchange.open_holdings(shares)
        self._users = [client.code for client in roster(clients)]
        self._prices = {symbol: opening_price(symbol) for symbol in PINNED}
        for symbol, price in self._prices.items():
            self._exchange.pin(symbol, price)

    async def serve(self, pipe: Connection) -> None:
        """Listen on a loopback port, tell it to `pipe`, and serve until killed."""
        await self._faulty.open()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._spawn(self._stream())
        if self._moving:
            self._spawn(self._move())
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- connections ---

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                call: Call = await unpack(reader)
                if self._breaks_now(call, self._lines.before):
                    self._met["line broke before"] += 1
                    writer.transport.abort()
                    return
                if call.method in WRITES:
                    self._received(call)
                self._spawn(self._answer(call, writer))
        except (asyncio.IncompleteReadError, OSError):
            pass  # the desk has gone; what it sent before is carried out
        finally:
            self._writers.discard(writer)
            with suppress(OSError):
                writer.close()

    def _breaks_now(self, call: Call, share: float) -> bool:
        return call.method in WRITES and not self._calm and self._breaks.random() < share

    def _received(self, call: Call) -> None:
        account, what = call.args[0], call.args[1]
        name = what.tag if isinstance(what, OrderRequest) else what
        if isinstance(what, Conversion):
            name = f"{what.quantity} {what.tradingsymbol}"
        self._receipts.append(
            Receipt(monotonic(), self._clock.monotonic(), call.method, account.user_id, name)
        )

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> None:
        well, value = True, None
        try:
            if call.method == "control":
                value = await getattr(self, f"control_{call.args[0]}")(*call.args[1:])
            elif call.method == "hello":
                value = self._faulty.capabilities
            else:
                broker = self._paper if self._calm else self._faulty
                value = await getattr(broker, call.method)(*call.args)
                if self._calm and call.method == "orders":  # what was shown as rejected stays so
                    value = replace(value, taken=tuple(self._faulty.books.order(order) for order in value))
        except BrokerError as problem:
            well, value = False, problem
        except Exception as problem:
            well, value = False, BrokerError(repr(problem))
        if isinstance(value, Accepted) and call.method == "modify":
            self._note_terms(call.args[0], value.broker_order_id)
        if self._breaks_now(call, self._lines.after):
            self._met["line broke after"] += 1
            writer.transport.abort()
            return
        self._send(writer, call.number, well, value)

    def _note_terms(self, account: BrokerAccount, broker_order_id: str) -> None:
        order = self._exchange.books.order(account.user_id, broker_order_id)
        if order is not None:
            words = f"{broker_order_id}:{order.quantity}@{order.limit_paise}"
            self._terms.setdefault(broker_order_id, set()).add(words)

    def _send(self, writer: asyncio.StreamWriter, number: int | None, well: bool, value: object) -> None:
        market = self._exchange.market_clock
        if not writer.is_closing():
            writer.write(pack((number, well, value, to_us(market.now()), market.trading_day)))

    async def _stream(self) -> None:
        async for event in self._faulty.stream():
            for writer in list(self._writers):
                self._send(writer, None, True, event)

    async def _move(self) -> None:
        """Move a pinned price now and then, by up to half a percent, within two percent of where it began."""
        while True:
            await self._clock.sleep(5)
            if self._calm:
                continue
            symbol = self._dice.choice(PINNED)
            instrument = stocks()[symbol]
            start = opening_price(symbol)
            wanted = self._prices[symbol] * (10_000 + self._dice.randint(-50, 50)) // 10_000
            wanted = max(start * 98 // 100, min(start * 102 // 100, wanted))
            self._prices[symbol] = price = tick_down(wanted, instrument.tick_paise)
            with suppress(BadInput):
                self._exchange.pin(symbol, price)

    # --- the harness's questions ---

    async def control_calm(self, calm: bool) -> None:
        """Stop misbehaving, deliver what is late and let the market stand; or go on."""
        self._calm = calm
        if calm:
            await self._faulty.settle()
        self._held.hold(calm)

    async def control_pin(self, symbol: str, paise: int) -> None:
        """Move a price."""
        self._exchange.pin(symbol, paise)

    async def control_ration(self, most_sold: int | None) -> None:
        """Let no more than so many shares of each intraday sale trade at one price."""
        self._exchange.most_sold = most_sold

    async def control_ledger(self) -> bytes:
        """The oracle, pickled once."""
        return pickle.dumps(self._ledger())

    async def control_receipts(self) -> list[Receipt]:
        """Every write received so far."""
        return self._receipts

    def _ledger(self) -> Ledger:
        exchange, books, database = self._exchange, self._exchange.books, self._exchange.database
        exchange.advance()
        waiting: Counter[str] = Counter()
        for user, amount in database.execute("SELECT user_id, amount_paise FROM unsettled"):
            waiting[user] += amount
        orders = tuple(broker_order(row) for row in books.orders_where("ORDER BY order_id", ()))
        places = [receipt.name for receipt in self._receipts if receipt.method == "place"]
        return Ledger(
            accounts={
                user: Account(user, exchange.funds(user), waiting[user], tuple(exchange.holdings(user)))
                for user in self._users
            },
            orders=tuple(replace(order, tags=order.tags[:1]) for order in orders),
            trades=tuple(broker_trade(row) for row in database.execute(SELECT_TRADE)),
            receipts=dict(Counter(places)),
            placed=dict(Counter(order.tags[0] for order in orders if order.tags)),
            met=dict(self._met + self._faulty.struck),
            terms={name: frozenset(terms) for name, terms in self._terms.items()},
        )


def run(
    pipe: Connection,
    clock: FastClock,
    clients: int,
    seed: int,
    faults: Faults,
    lines: Lines,
    moving: bool = True,
) -> None:
    """A chaos broker as a forked process; sends its port first and then lives until it is killed."""
    asyncio.run(ChaosBroker(clock, clients, seed, faults, lines, moving).serve(pipe))
