"""Simulated brokers as a process of their own: it outlives the engines that are killed, and is the oracle."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.serving.mishaps import Mishap
from brokers.simulators.serving.orders.entries import CANCELLED, REJECTED, Entry
from brokers.simulators.serving.server import AnySimulatedBroker
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from engine.accounts.client_file import NewClient
from tests.faults.at_brokers import PLACES, AtBroker
from tests.faults.chaos_broker import Account, Ledger
from tests.faults.clock import FastClock, HeldClock
from tests.faults.scenery import PINNED, held, opening_price, roster

NAP_S = 0.005
"""Real seconds that a sleep lasts at least, so that a fast clock leaves the machine time for the calls."""

_ENDS = {REJECTED: BrokerStatus.REJECTED, CANCELLED: BrokerStatus.CANCELLED}


def clients_at(places: Sequence[AtBroker], count: int) -> list[NewClient]:
    """Clients of the scenery, `count` at each of these brokers in their order, under their codes."""
    words = [at.word for at in places for _ in range(count)]
    people = zip(roster(len(words)), words, strict=True)
    return [replace(one, broker=word, broker_user_id=one.code) for one, word in people]


def own_app(user_id: str) -> tuple[str, str]:
    """Api key and secret of a client's own app at this broker."""
    return f"key{user_id}", f"secretof{user_id}"


@dataclass(frozen=True, slots=True)
class House:
    """Running simulated brokers over one exchange; `pipe` leads to their process."""

    urls: tuple[str, ...]
    pipe: Connection

    def ask(self, what: str) -> Any:
        """`calm` ends every fault and halts the market, `go` lets it run on, `ledger` gives a `Ledger`."""
        self.pipe.send(what)
        if not self.pipe.poll(30):
            raise TimeoutError(f"the simulated broker did not answer {what}")
        return self.pipe.recv()


class _Server:
    def __init__(self, places: Sequence[AtBroker], clock: FastClock, clients: int, seed: int) -> None:
        self._held = HeldClock(clock)
        self._exchange = exchange = PaperExchange(None, self._held, load_calendar(), seed=seed)
        exchange.list_instruments(universe())
        people = clients_at(places, clients)
        exchange.open_accounts(
            AccountOpening(
                one.broker_user_id, one.available_paise, one.mtf_limit_paise, one.hold_paise, one.broker
            )
            for one in people
        )
        exchange.open_holdings(
            HoldingOpening(one.code, one.instrument.key, one.quantity, one.cost_paise)
            for one in held(len(people))
        )
        for symbol in PINNED:
            exchange.pin(symbol, opening_price(symbol))
        self._users = [one.broker_user_id for one in people]
        self._met: Counter[str] = Counter()
        self._brokers: list[AnySimulatedBroker] = []
        self._at: dict[str, AnySimulatedBroker] = {}
        for at in places:
            users = [one.broker_user_id for one in people if one.broker == at.word]
            self._brokers.append(made := self._made(at, clock, seed, users))
            self._at.update(dict.fromkeys(users, made))

    def _made(self, at: AtBroker, clock: FastClock, seed: int, users: Sequence[str]) -> AnySimulatedBroker:
        apps = dict(own_app(user) for user in users)
        made = at.serve(self._exchange, clock.napping(NAP_S), apps, random.Random(f"{at.market}:{seed}"))
        drawn = made.mishaps.draw

        def draw(user_id: str, route: str) -> Mishap | None:
            rule = drawn(user_id, route)
            if rule is not None:
                self._met[rule.fault] += 1
            return rule

        made.mishaps.draw = draw
        return made

    async def serve(self, pipe: Connection) -> None:
        for broker in self._brokers:
            await broker.start()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def asked() -> None:
            try:
                pipe.send(self._answer(pipe.recv()))
            except (EOFError, OSError):
                ended.set()

        loop.add_reader(pipe.fileno(), asked)
        pipe.send(tuple(broker.url for broker in self._brokers))
        await ended.wait()

    def _answer(self, what: str) -> object:
        match what:
            case "calm":
                for broker in self._brokers:
                    broker.mishaps.clear()
                    broker.sockets.stall(False)
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
        exchange = self._exchange
        # Each broker has what it finds at the exchange in its journal, the other one's orders too.
        every = [(broker, entry) for broker in self._brokers for entry in broker.journal.entries()]
        entries = [entry for broker, entry in every if self._at[entry.user_id] is broker]
        ids = {entry.exchange_id: entry.order_id for entry in entries if entry.exchange_id}
        at_exchange = {one.broker_order_id: one for user in self._users for one in exchange.orders(user)}
        waiting: defaultdict[str, int] = defaultdict(int)
        for user, amount in exchange.database.execute("SELECT user_id, amount_paise FROM unsettled"):
            waiting[user] += amount
        received: Counter[str] = Counter()
        for broker in self._brokers:
            for (route, _, tag), count in broker.received.items():
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
    """An order under its id at the broker; one that never reached the exchange is made of the request."""
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
    states = [row["status"].upper() for row in entry.history]
    first = states.index("MODIFIED") + 1 if "MODIFIED" in states else len(states)
    return frozenset(
        f"{entry.order_id}:{row['quantity']}@{round(row['price'] * 100)}" for row in entry.history[first:]
    )


def run(pipe: Connection, market: str, clock: FastClock, clients: int, seed: int) -> None:
    """Simulated brokers as a forked process; sends their addresses first, and lives until it is killed."""
    asyncio.run(_Server(PLACES[market], clock, clients, seed).serve(pipe))
