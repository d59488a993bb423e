"""A local Kite as a process of its own: it outlives the engines that are killed, its ledger is the oracle."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.kite.books.delays import Delays
from brokers.simulators.kite.books.entries import CANCELLED, REJECTED, Entry
from brokers.simulators.kite.mishaps import Mishap
from brokers.simulators.kite.server import LocalKite
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from engine.accounts.client_file import NewClient
from tests.faults.chaos_broker import Account, Ledger
from tests.faults.clock import FastClock, HeldClock
from tests.faults.scenery import PINNED, held, opening_price, roster

NAP_S = 0.005
"""Real seconds that a sleep lasts at least, so that a fast clock leaves the machine time for the calls."""

_ENDS = {REJECTED: BrokerStatus.REJECTED, CANCELLED: BrokerStatus.CANCELLED}


def clients_at_kite(count: int) -> list[NewClient]:
    """`count` clients of the scenery, all of them at Zerodha under their codes."""
    return [replace(one, broker="zerodha", broker_user_id=one.code) for one in roster(count)]


def own_app(user_id: str) -> tuple[str, str]:
    """Api key and secret of a client's own app at this local Kite."""
    return f"key{user_id}", f"secretof{user_id}"


@dataclass(frozen=True, slots=True)
class House:
    """A running local Kite as the harness knows it: `pipe` leads to its process."""

    url: str
    pipe: Connection

    def ask(self, what: str) -> Any:
        """`calm` ends every fault and halts the market, `go` lets it run on, `ledger` gives a `Ledger`."""
        self.pipe.send(what)
        if not self.pipe.poll(30):
            raise TimeoutError(f"the local Kite did not answer {what}")
        return self.pipe.recv()


class _Server:
    def __init__(self, clock: FastClock, clients: int, seed: int) -> None:
        self._held = HeldClock(clock)
        self._exchange = exchange = PaperExchange(None, self._held, load_calendar(), seed=seed)
        exchange.list_instruments(universe())
        people = clients_at_kite(clients)
        exchange.open_accounts(
            AccountOpening(
                one.broker_user_id, one.available_paise, one.mtf_limit_paise, one.hold_paise, one.broker
            )
            for one in people
        )
        exchange.open_holdings(
            HoldingOpening(one.code, one.instrument.key, one.quantity, one.cost_paise)
            for one in held(clients)
        )
        for symbol in PINNED:
            exchange.pin(symbol, opening_price(symbol))
        self._users = [one.broker_user_id for one in people]
        self._kite = LocalKite(
            exchange,
            clock.napping(NAP_S),
            api_keys=dict(own_app(user) for user in self._users),
            delays=Delays(),
            rng=random.Random(f"kite:{seed}"),
        )
        self._met: Counter[str] = Counter()
        drawn = self._kite.mishaps.draw

        def draw(user_id: str, route: str) -> Mishap | None:
            rule = drawn(user_id, route)
            if rule is not None:
                self._met[rule.fault] += 1
            return rule

        self._kite.mishaps.draw = draw

    async def serve(self, pipe: Connection) -> None:
        await self._kite.start()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def asked() -> None:
            try:
                pipe.send(self._answer(pipe.recv()))
            except (EOFError, OSError):
                ended.set()

        loop.add_reader(pipe.fileno(), asked)
        pipe.send(self._kite.url)
        await ended.wait()

    def _answer(self, what: str) -> object:
        match what:
            case "calm":
                self._kite.mishaps.clear()
                self._kite.sockets.stall(False)
                self._held.hold(True)
                return True
            case "go":
                self._held.hold(False)
                return True
            case "ledger":
                return self._ledger()
            case _:
                raise ValueError(what)

    def _ledger(self) -> Ledger:
        kite, exchange = self._kite, self._exchange
        entries = list(kite.journal.entries())
        ids = {entry.exchange_id: entry.order_id for entry in entries if entry.exchange_id}
        at_exchange = {one.broker_order_id: one for user in self._users for one in exchange.orders(user)}
        waiting: defaultdict[str, int] = defaultdict(int)
        for user, amount in exchange.database.execute("SELECT user_id, amount_paise FROM unsettled"):
            waiting[user] += amount
        received: Counter[str] = Counter()
        for (route, _, tag), count in kite.received.items():
            received[tag] += count if route == "place" else 0
        trades = [one for user in self._users for one in exchange.trades(user)]
        return Ledger(
            accounts={
                user: Account(user, exchange.funds(user), waiting[user], tuple(exchange.holdings(user)))
                for user in self._users
            },
            orders=tuple(_order(entry, at_exchange.get(entry.exchange_id)) for entry in entries),
            trades=tuple(_named(one, ids) for one in trades),
            receipts=+received,
            placed=dict(Counter(entry.request.tag for entry in entries)),
            met=dict(self._met),
            terms={entry.order_id: _terms(entry) for entry in entries if entry.modifications},
        )


def _order(entry: Entry, order: BrokerOrder | None) -> BrokerOrder:
    """An order under the id that Kite gave it; one that never reached the exchange is made of the request."""
    asked, tags = entry.request, (entry.request.tag,)
    if order is not None:
        return replace(order, broker_order_id=entry.order_id, tags=tags)
    return BrokerOrder(
        broker_order_id=entry.order_id,
        user_id=entry.user_id,
        tags=tags,
        exchange=asked.exchange,
        tradingsymbol=asked.tradingsymbol,
        side=asked.side,
        product=asked.product,
        order_type=asked.order_type,
        quantity=asked.quantity,
        filled_quantity=0,
        average_price_paise=0,
        status=_ENDS.get(entry.status, BrokerStatus.OPEN),
        status_text=entry.status,
        placed_at=entry.placed_at,
        updated_at=entry.requested_at,
        price_paise=asked.price_paise,
    )


def _named(trade: BrokerTrade, ids: dict[str, str]) -> BrokerTrade:
    return replace(trade, broker_order_id=ids.get(trade.broker_order_id, trade.broker_order_id))


def _terms(entry: Entry) -> frozenset[str]:
    """Every quantity and limit that the order has had since it was first changed."""
    states = [row["status"] for row in entry.history]
    first = states.index("MODIFIED") + 1 if "MODIFIED" in states else len(states)
    return frozenset(
        f"{entry.order_id}:{row['quantity']}@{round(row['price'] * 100)}" for row in entry.history[first:]
    )


def run(pipe: Connection, clock: FastClock, clients: int, seed: int) -> None:
    """A local Kite as a forked process; sends its address first and then lives until it is killed."""
    asyncio.run(_Server(clock, clients, seed).serve(pipe))
