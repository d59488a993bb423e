"""A desk in a process of its own, with a home and clients of its own, which does what it is told by lines.

    python -m tests.server.desk_process FOLDER NAME ADDRESS CLIENTS

It answers each line with one of JSON.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from brokers.contract import BrokerAccount, OrderRequest, Outcome
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.vocabulary import OrderState, SizingKind
from engine.desk import Desk
from tests.desks import MISSION_PINS, Wire, books_are_sound, buy
from tests.faults.actions import patience
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam


async def serve(folder: Path, name: str, address: str, clients: str) -> None:
    """Have the desk open, and do what is asked of it until there is nothing more."""
    settings = Settings(trader=name, database_url=address, desk_clients=clients)
    venue = PaperExchange(folder / "venue.db", SystemClock(), load_calendar())
    async with compose_desk(folder / name, settings=settings, exchange=venue, latency=(0.0, 0.0)) as desk:
        tell(sorted(one.code for one in desk.clients.all()))
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            tell(await DOES[line[0]](desk, *line[1:]))


def tell(answer: object) -> None:
    """Answer."""
    print(json.dumps(answer), flush=True)


async def make(desk: Desk) -> object:
    """Lay the demonstration's clients into the books."""
    await prepare_demo(desk, shares=False)
    for symbol, (last, previous) in MISSION_PINS.items():
        exchange_of(desk).pin(symbol, last, previous)
    return sorted(one.code for one in desk.clients.all())


async def trade(desk: Desk, symbol: str, quantity: str) -> object:
    """Buy so many for every client; returns how the orders ended."""
    plan = await desk.plans.freeze(buy(symbol, SizingKind.FIXED_QUANTITY, int(quantity), again=True))
    run = await desk.runs.start(plan, plan.digest)
    run = await desk.runs.settled(run.number, 60)
    await desk.settle()
    return Counter(desk.orders.get(one).state.value for one in run.order_ids)


async def half(desk: Desk, symbol: str) -> object:
    """Send for every client, and hear of no order what became of it, once each has arrived."""
    wire, silent, arrived = Wire(desk), asyncio.Event(), list[str]()

    async def place(account: BrokerAccount, request: OrderRequest) -> Outcome:
        await wire.broker.place(account, request)
        arrived.append(request.tag)
        await silent.wait()
        raise AssertionError("nobody answers")

    wire.on_place = place
    seam(desk).workers.recorder.put = lambda fact: None
    plan = await desk.plans.freeze(buy(symbol, SizingKind.FIXED_QUANTITY, 1, again=True))
    run = await desk.runs.start(plan, plan.digest)
    while len(arrived) < len(run.order_ids):
        await patience(0.01)
    return len(arrived)


async def has(desk: Desk, count: str) -> object:
    """Wait until it has so many clients, and nothing of theirs lives but what was never sent."""
    book = seam(desk).kept.book
    while len(book.clients) < int(count) or any(
        book.orders[one].state is not OrderState.RESERVED for one in book.live
    ):
        await patience(0.05)
    return sorted(one.code for one in desk.clients.all())


async def differs(desk: Desk) -> object:
    """What of the clients' trades stands otherwise in the books than at the venue; nothing is sound."""
    await books_are_sound(desk)
    book, venue = seam(desk).kept.book, exchange_of(desk)
    found: dict[str, object] = {}
    for client in book.clients.values():
        ours, theirs = Counter[str](), Counter[str]()
        for order_id in book.orders_of_client.get(client.id, ()):
            order = book.orders[order_id]
            ours[order.tradingsymbol] += order.filled_quantity
        for one in venue.trades(client.code):
            theirs[one.tradingsymbol] += one.quantity
        if +ours != +theirs:
            found[client.code] = [dict(ours), dict(theirs)]
    return found


DOES = {"make": make, "trade": trade, "half": half, "has": has, "differs": differs}


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *sys.argv[2:5]))
