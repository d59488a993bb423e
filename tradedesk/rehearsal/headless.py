"""A desk of a rehearsal as a process: a home's engine without a screen, and a trader who is a clock.

    python -m tradedesk.rehearsal.headless HOME SEED

It answers by lines (`lines.py`). Moments are of the clock that all processes of this machine have in common.
"""

import asyncio
import logging
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from data.engines.counting import StatementCounts
from data.errors import BadInput
from data.store import StoreError
from data.vocabulary import DeskKind, OrderState
from engine.desk import Desk
from engine.events import Event, HaltChanged, OrderChanged
from engine.refusals import Refusal
from tradedesk.compose.rehearsing.rehearsal import request_token
from tradedesk.compose.wiring import compose_desk
from tradedesk.rehearsal.lines import answer_lines
from tradedesk.rehearsal.trading import HeadlessTrader

REST_S = 270.0
"""Within which whatever is under way must have its end; what is in doubt is known after four minutes."""

LOOK_S = 0.05
"""How often it is looked whether it has."""

LAID_S = 60.0
"""Within which a desk may trade again behind a silent broker, and orders that are laid have left."""


class Headless:
    """What is asked of it."""

    def __init__(self, desk: Desk, seed: str) -> None:
        self._desk = desk
        self._trader = HeadlessTrader(desk, random.Random(seed))
        self._trading: asyncio.Task[None] | None = None
        self._counts = StatementCounts()
        self._booked = dict[str, float]()
        self._halted = dict[int, float]()
        desk.events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        now = self._desk.clock.monotonic()
        if isinstance(event, HaltChanged):
            self._halted.setdefault(event.number, now)
        elif isinstance(event, OrderChanged):
            for one in event.order_ids:
                order = self._desk.orders.get(one)
                if order.state is OrderState.FILLED and order.broker_order_id:
                    self._booked.setdefault(order.broker_order_id, now)

    async def sign_in(self) -> int:
        """Have every client that is due signed in; returns how many clients it has."""
        for _ in range(5):
            for client in self._desk.sessions.due():
                with suppress(BadInput):  # a call that took too long is made again
                    await self._desk.sessions.sign_in(client.id, await request_token(self._desk, client))
        await self._desk.reconcile.ensure([one.id for one in self._desk.clients.all()])
        return len(self._desk.clients.all())

    async def trade(self, every_s: float) -> None:
        """Trade from here on, a bulk of all clients so often."""
        await self.stop()
        self._counts.begin_again()
        self._trading = asyncio.create_task(self._trader.trade(every_s))

    async def stop(self) -> None:
        """Trade no more."""
        if self._trading is not None:
            self._trading.cancel()
            trading, self._trading = self._trading, None
            with suppress(asyncio.CancelledError):
                await trading  # what it has failed by is told

    async def lay(self) -> int:
        """Lay an order of every client far from the price; returns how many live."""
        end = self._desk.clock.monotonic() + LAID_S
        while True:  # a price may be old, or clients' books unread, behind a broker that was silent
            try:
                await self._trader.lay()
                break
            except Refusal:
                if self._desk.clock.monotonic() > end:
                    raise
                await self._desk.clock.sleep(1.0)
        await self._until(lambda: not self._to_leave(), LAID_S)
        return len(self._desk.orders.all(live=True))

    async def halt(self) -> object:
        """Halt the firm as two presses of F9 do, and return what the certificate says."""
        began = self._desk.clock.monotonic()
        made = await self._desk.halt.fire(self._desk.actor)
        return {
            "began": began,
            "ended": self._desk.clock.monotonic(),
            "number": made.number,
            "unread": len(made.unread),
        }

    async def halted(self) -> dict[int, float]:
        """When this desk knew of each halt."""
        return self._halted

    async def resume(self) -> None:
        """End every halt that stands."""
        for halt in self._desk.halt.active():
            with suppress(BadInput):
                await self._desk.halt.resume(halt.number, "resume", self._desk.actor)

    async def rest(self) -> object:
        """Come to rest: nothing lives, nothing is in doubt, all books are read; tells what is wrong then."""
        await self.stop()
        await self._until(lambda: not self._on_its_way())
        for _ in range(3):
            live = [one.id for one in self._desk.orders.all(live=True)]
            if live:
                with suppress(Refusal, BadInput, StoreError):
                    await self._desk.orders.cancel(live)
            await self._until(lambda: not self._desk.orders.all(live=True))
        await self._read()
        live = self._desk.orders.all(live=True)
        wrong = [f"{one.state} order {one.id} of {one.client_id}" for one in live[:3]]
        wrong += [f"doctor: {one.name}: {one.detail}" for one in await self._desk.doctor.run() if not one.ok]
        wrong += [f"break: {one}" for one in self._desk.reconcile.breaks()]
        if trouble := self._desk.trading_disabled:
            wrong.append(f"it sends nothing: {trouble}")
        return {"clients": len(self._desk.clients.all()), "wrong": wrong}

    async def measures(self) -> object:
        """The moments of its orders, by tag or by the broker's id, and how much it said to the server."""
        return {
            **await self._trader.moments(),
            "booked": self._booked,
            "statements": self._counts.statements,
            "commits": self._counts.commits,
        }

    def _on_its_way(self) -> bool:
        moving = (OrderState.SENDING, OrderState.UNKNOWN)
        return any(one.state in moving for one in self._desk.orders.all(live=True))

    def _to_leave(self) -> bool:
        leaving = (OrderState.RESERVED, OrderState.SENDING)
        return any(one.state in leaving for one in self._desk.orders.all(live=True))

    async def _read(self) -> None:
        clients = [one.id for one in self._desk.clients.all()]
        watcher = self._desk.workings.workers.watcher
        await asyncio.gather(*map(watcher.read, clients))
        await self._desk.reconcile.ensure(clients)
        await self._desk.settle()

    async def _until(self, happened: Callable[[], bool], within_s: float = REST_S) -> None:
        end = self._desk.clock.monotonic() + within_s
        while not happened() and self._desk.clock.monotonic() < end:
            await self._desk.clock.sleep(LOOK_S)


async def _serve(home: Path, seed: str) -> None:
    async with compose_desk(home, DeskKind.APP) as desk:
        headless = Headless(desk, seed)
        words = ("sign_in", "trade", "stop", "lay", "halt", "halted", "resume", "rest", "measures")
        await answer_lines({word: getattr(headless, word) for word in words})
        await headless.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
