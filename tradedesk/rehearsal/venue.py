"""The broker of a rehearsal as a process: a local Kite that takes its time, whose ledger is the proof.

    python -m tradedesk.rehearsal.venue CLIENTS SEED

It answers by lines (`lines.py`), and notes when each order came, ended and was asked to be cancelled, by the
clock that all processes of this machine have in common.
"""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from brokers.contract import BrokerStatus
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.kite.apps import own_app
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.kite.serving import BROKER
from brokers.simulators.serving.answers import Row, read_form
from brokers.simulators.serving.homes import own_address
from brokers.simulators.serving.orders.entries import CANCELLED, COMPLETE, REJECTED
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from tradedesk.rehearsal.lines import answer_lines
from tradedesk.rehearsal.people import CASH_PAISE, user_of

QUICK_S, SLOW_S, SLOWEST_S = 0.05, 0.3, 2.0
"""What a call takes at a broker: between the first two, of a hundred one up to the last."""

TAIL = 0.01

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RehearsedKite(LocalKite):
    """One whose calls take as long as a broker's do, and which notes the moments of orders."""

    def __init__(self, exchange: PaperExchange, apps: dict[str, str], dice: random.Random) -> None:
        super().__init__(exchange, SystemClock(), api_keys=apps, rng=dice)
        self.came = dict[str, float]()
        """When a placement came first, by its tag."""
        self.cancels = list[float]()
        """When each cancel came."""
        self.traded = dict[str, float]()
        """When an order was told as traded in full, by its id."""
        self.listen_orders(self._note)

    def add_routes(self, app: web.Application) -> None:
        """Serve as it does, but no quicker than a broker."""

        @web.middleware
        async def take_time(request: web.Request, handler: Handle) -> web.StreamResponse:
            return await self._take_time(request, handler)

        app.middlewares.append(take_time)
        super().add_routes(app)

    def _note(self, _user_id: str, row: Row) -> None:
        if row.get("status") == COMPLETE:
            self.traded.setdefault(str(row["order_id"]), self.clock.monotonic())

    async def _take_time(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        if request.path == "/" or request.path.startswith("/control/"):
            return await handle(request)
        if request.path.startswith("/orders/"):
            await self._note_call(request)
        slow = self.dice.random() < TAIL
        takes = self.dice.uniform(SLOW_S, SLOWEST_S) if slow else self.dice.uniform(QUICK_S, SLOW_S)
        await self.clock.sleep(takes / 2)
        answer = await handle(request)
        await self.clock.sleep(takes / 2)
        return answer

    async def _note_call(self, request: web.Request) -> None:
        now = self.clock.monotonic()
        if request.method == "POST":
            self.came.setdefault(read_form(await request.read()).get("tag", ""), now)
        elif request.method == "DELETE":
            self.cancels.append(now)


class RehearsedVenue:
    """What is asked of it."""

    def __init__(self, clients: int, seed: int) -> None:
        self._users = [user_of(number) for number in range(1, clients + 1)]
        self._exchange = PaperExchange(None, SystemClock(), load_calendar(), seed=seed)
        self._exchange.list_instruments(universe())
        self._exchange.open_accounts(AccountOpening(one, CASH_PAISE, rates=BROKER) for one in self._users)
        apps = dict(map(own_app, self._users))
        self.kite = RehearsedKite(self._exchange, apps, random.Random(f"venue:{seed}"))
        homes = {one: own_address(number) for number, one in enumerate(self._users, 1)}
        self.kite.switches.static_ips = {one: [address] for one, address in homes.items() if address}

    async def url(self) -> str:
        """Where it answers."""
        return self.kite.url

    async def moments(self) -> object:
        """When orders came and traded, and cancels came."""
        return {"came": self.kite.came, "traded": self.kite.traded, "cancels": self.kite.cancels}

    async def ledger(self) -> object:
        """Everything it knows of orders, trades and money, in the words of its books and in paise."""
        waiting: defaultdict[str, int] = defaultdict(int)
        for user, amount in self._exchange.database.execute("SELECT user_id, amount_paise FROM unsettled"):
            waiting[user] += amount
        orders, trades = list[dict[str, Any]](), list[dict[str, Any]]()
        for entry in self.kite.journal.entries():
            orders.append(
                {
                    "id": entry.order_id,
                    "tag": entry.request.tag,
                    "user": entry.user_id,
                    "ended": entry.status in (COMPLETE, CANCELLED, REJECTED),
                    "filled": sum(one.quantity for one in entry.trades),
                }
            )
            trades += [
                {
                    "id": one.trade_id,
                    "order": entry.order_id,
                    "quantity": one.quantity,
                    "paise": one.price_paise,
                }
                for one in entry.trades
            ]
        money = {user: self._exchange.funds(user) for user in self._users}
        received = Counter[str]()
        for (route, _, tag), count in self.kite.received.items():
            received[tag] += count if route == "place" else 0
        return {
            "orders": orders,
            "trades": trades,
            "received": +received,
            "cash": {
                user: [one.available_paise + one.blocked_paise, waiting[user], one.mtf_loan_paise]
                for user, one in money.items()
            },
            "live": sum(
                one.status is BrokerStatus.OPEN for user in self._users for one in self._exchange.orders(user)
            ),
        }


async def _serve(clients: int, seed: int) -> None:
    venue = RehearsedVenue(clients, seed)
    await venue.kite.start()
    try:
        await answer_lines({"url": venue.url, "moments": venue.moments, "ledger": venue.ledger})
    finally:
        await venue.kite.stop()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
