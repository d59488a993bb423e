"""Watching the broker: its stream, and its books where the stream is silent or not enough.

The stream is a hint. The order book is read for every client with live orders every few seconds, sooner
for UNKNOWN orders and for a status that is ahead of its trades.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from brokers.contract import Broker, BrokerError, Heartbeat, OrderUpdate, Tick
from data.store import StoreError
from data.vocabulary import OrderState
from engine.orders.lifecycle import Applied, Seen
from engine.orders.record import Recorder
from engine.parts import Parts

log = logging.getLogger(__name__)


class Watcher:
    """Turns what brokers say into facts and quotes."""

    def __init__(self, parts: Parts, recorder: Recorder) -> None:
        self._parts = parts
        self._recorder = recorder
        self._reading: dict[int, asyncio.Task[bool]] = {}
        self._due: dict[int, float] = {}
        self._soon: set[asyncio.Task[Any]] = set()
        recorder.after(self._read_again)

    async def follow_stream(self, broker: Broker) -> None:
        """Take in a broker's stream for as long as the desk lives, opening it anew when it ends."""
        while True:
            try:
                async for event in broker.stream():
                    if isinstance(event, Tick):
                        self._parts.quotes.put(event)
                    elif isinstance(event, Heartbeat):
                        self._parts.quotes.heartbeat(event.received_at)
                    else:
                        self._take(broker, event)
            except BrokerError as problem:
                log.warning("the stream of %s ended: %s", broker.name, problem)
            except Exception:  # without the stream the desk is deaf, so it is opened anew whatever it was
                log.exception("the stream of %s failed", broker.name)
            self._parts.quotes.reopened()
            await self._parts.clock.sleep(self._parts.waits.not_sent_pause_s)

    def _take(self, broker: Broker, update: OrderUpdate) -> None:
        client_id = self._parts.client_of(broker, update.order.user_id)
        if client_id is not None:
            self._recorder.put(Seen(client_id, update.order, update.trades))

    async def poll(self) -> None:
        """Read the books of clients with live or UNKNOWN orders on the schedule of `Waits`."""
        waits = self._parts.waits
        while True:
            await self._parts.clock.sleep(waits.not_sent_pause_s)
            now = self._parts.clock.monotonic()
            for client_id in self._clients_to_read():
                due = self._due.get(client_id)
                if due is None:
                    self._due[client_id] = now + self._interval(client_id)
                elif due <= now:
                    self._due[client_id] = now + self._interval(client_id)
                    self.read_soon([client_id])

    def _clients_to_read(self) -> set[int]:
        book = self._parts.book
        clients = {
            book.orders[order_id].client_id
            for order_id in book.live
            if book.orders[order_id].state in (OrderState.OPEN, OrderState.UNKNOWN)
        }
        for client_id in self._due.keys() - clients:
            del self._due[client_id]
        return clients

    def _interval(self, client_id: int) -> float:
        """The next read of a client's book: growing with the age of its oldest UNKNOWN order."""
        book, waits = self._parts.book, self._parts.waits
        now = self._parts.clock.now()
        ages = [
            (now - book.orders[order_id].updated_at).total_seconds()
            for order_id in book.live
            if book.orders[order_id].client_id == client_id
            and book.orders[order_id].state is OrderState.UNKNOWN
        ]
        if not ages:
            return waits.live_poll_s
        later = [step for step in waits.resolve_after_s if step > min(ages)]
        return max(0.5, (later[0] - min(ages)) if later else waits.resolve_after_s[-1])

    def read_soon(self, client_ids: Iterable[int]) -> None:
        """Start reading the books of these clients, unless that is under way."""
        for client_id in client_ids:
            task = asyncio.create_task(self.read(client_id))
            self._soon.add(task)
            task.add_done_callback(self._soon.discard)

    async def read(self, client_id: int) -> bool:
        """Read a client's orders and trades and book what is said of ours; gives whether the read succeeded.

        A failed read changes nothing.
        """
        running = self._reading.get(client_id)
        if running is None:
            running = self._reading[client_id] = asyncio.create_task(self._read(client_id))
            running.add_done_callback(lambda _: self._reading.pop(client_id, None))
        return await asyncio.shield(running)

    async def _read(self, client_id: int) -> bool:
        try:
            broker, account = self._parts.broker_of(client_id)
            async with asyncio.timeout(self._parts.waits.send_timeout_s):
                orders = await broker.orders(account)
                trades = await broker.trades(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            log.warning("the books of client %s could not be read: %r", client_id, problem)
            return False
        book = self._parts.book
        for order in orders:
            order_id = book.by_broker_id.get((client_id, order.broker_order_id))
            if order_id is not None:
                known = book.orders[order_id]
                if not known.live and known.filled_quantity == order.filled_quantity:
                    continue
            own = tuple(trade for trade in trades if trade.broker_order_id == order.broker_order_id)
            self._recorder.put(Seen(client_id, order, own))
        try:
            await self._recorder.flush()
        except StoreError:
            return False
        return True

    async def ids_by_tag(self, client_id: int) -> dict[str, str]:
        """The broker's order ids by tag, from its own book; empty where that cannot be read."""
        try:
            broker, account = self._parts.broker_of(client_id)
            async with asyncio.timeout(self._parts.waits.send_timeout_s):
                orders = await broker.orders(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            log.warning("the orders of client %s could not be read: %r", client_id, problem)
            return {}
        return {tag: order.broker_order_id for order in orders for tag in order.tags}

    def _read_again(self, applied: Applied) -> None:
        if applied.read_again:
            task = asyncio.create_task(self._read_after_pause(applied.read_again))
            self._soon.add(task)
            task.add_done_callback(self._soon.discard)

    async def _read_after_pause(self, client_ids: Iterable[int]) -> None:
        await self._parts.clock.sleep(self._parts.waits.drain_poll_s)
        self.read_soon(client_ids)
