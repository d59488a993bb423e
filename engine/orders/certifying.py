"""From the read-backs of a halt to its certificate, and the sweep for orders that this desk had not sent."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brokers.contract import BrokerOrder
from data.vocabulary import OrderState
from engine.accounts.book import Book
from engine.accounts.views import HaltView, OrderView
from engine.orders.cancels import Canceller
from engine.orders.certificate import Certificate, CertificateLine, CertificateOrder, CertificateStranger
from engine.orders.dispatch import covers
from engine.orders.watch import Watcher
from engine.parts import Parts
from engine.rules import READERS


@dataclass(slots=True)
class Before:
    """What stood when a halt was fired: blocked paise by order, available paise by client."""

    orders: dict[int, int]
    available: dict[int, int]
    unsent_freed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for the halt's row."""
        return {
            "orders": list(self.orders.items()),
            "available": list(self.available.items()),
            "unsent_freed": self.unsent_freed,
        }

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Before":
        """What a halt's row says."""
        return Before(dict(values["orders"]), dict(values["available"]), values["unsent_freed"])


@dataclass(slots=True)
class Results:
    """What the last read-back showed: refused orders, paise released per order, clients not reached."""

    refused: set[int]
    released: dict[int, int]
    unreachable: set[int]
    read_at: datetime
    strangers: tuple[CertificateStranger, ...] = ()
    swept: bool = True


@dataclass(slots=True)
class Sweep:
    """Finds live orders in a halt's scope that this desk had not sent, and cancels them."""

    parts: Parts
    canceller: Canceller
    watcher: Watcher
    halt: HaltView
    unreachable: set[int] = field(default_factory=set[int])
    _met: dict[tuple[int, str], BrokerOrder] = field(default_factory=dict[tuple[int, str], BrokerOrder])
    _task: "asyncio.Task[None] | None" = None

    def start(self, client_ids: Iterable[int]) -> None:
        """Read the books of clients without orders of ours, beside everything else."""
        self._task = asyncio.create_task(self._sweep(sorted(client_ids)))

    async def wait(self, seconds: float) -> None:
        """Wait until every client has been read once, but no longer than this."""
        if self._task is not None:
            patience = asyncio.create_task(self.parts.clock.sleep(seconds))
            await asyncio.wait({self._task, patience}, return_when=asyncio.FIRST_COMPLETED)
            patience.cancel()

    @property
    def done(self) -> bool:
        """Whether every client has been read once."""
        return self._task is None or self._task.done()

    async def _sweep(self, client_ids: list[int]) -> None:
        readers = asyncio.Semaphore(READERS)

        async def one(client_id: int) -> None:
            async with readers:
                if not await self.read(client_id):
                    self.unreachable.add(client_id)

        await asyncio.gather(*(one(client_id) for client_id in client_ids))

    async def read(self, client_id: int) -> bool:
        """Read a client's books and cancel what is live there and not ours; gives whether it was read."""
        read = await self.watcher.read(client_id)
        client = self.parts.book.clients[client_id]
        theirs = [
            (name, order)
            for name, order in self.parts.book.foreign.get(client_id, {}).items()
            if covers(self.halt, client, f"{order.exchange}:{order.tradingsymbol}")
        ]
        if theirs:
            self._met |= {(client_id, name): order for name, order in theirs}
            await asyncio.gather(*(self.canceller.stranger(client_id, name) for name, _ in theirs))
            read = await self.watcher.read(client_id)
        if read:
            self.unreachable.discard(client_id)
        return read

    def waiting(self) -> set[int]:
        """Clients whose strangers still live."""
        return {client_id for client_id, name in self._met if self._lives(client_id, name)}

    def _lives(self, client_id: int, name: str) -> bool:
        return name in self.parts.book.foreign.get(client_id, {})

    def strangers(self) -> tuple[CertificateStranger, ...]:
        """What has become of each order met."""
        return tuple(
            CertificateStranger(
                client_id,
                name,
                f"{order.exchange}:{order.tradingsymbol}",
                order.side.value,
                order.quantity,
                "live" if self._lives(client_id, name) else "ended",
            )
            for (client_id, name), order in sorted(self._met.items())
        )

    def close(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()


Sent = Mapping[int, tuple[datetime, datetime]]
"""When the first and the latest cancel of each order left."""


def certify(book: Book, halt: HaltView, before: Before, seen: Results, sent: Sent) -> Certificate:
    """The certificate as the last read-back gives it."""
    orders: list[CertificateOrder] = []
    by_client: dict[int, list[CertificateOrder]] = defaultdict(list)
    for order_id in before.orders:
        order = book.orders[order_id]
        entry = CertificateOrder(
            order_id,
            order.client_id,
            order.key,
            order.side.value,
            order.quantity,
            order.filled_quantity,
            _result(order, order_id in seen.refused),
            seen.released.get(order_id, 0),
        )
        orders.append(entry)
        by_client[order.client_id].append(entry)
    results = Counter(entry.result for entry in orders)
    lines = [
        _line(book, client_id, entries, halt, before, seen, sent) for client_id, entries in by_client.items()
    ]
    first, last = _times(before.orders, halt, sent)
    return Certificate(
        number=halt.number,
        scope=halt.scope,
        value=halt.value,
        by=halt.by,
        at=halt.at,
        last_read_at=seen.read_at,
        ended=seen.swept
        and not any(book.orders[order_id].live for order_id in before.orders)
        and not any(stranger.result == "live" for stranger in seen.strangers),
        cancelled=results["cancelled"],
        filled_meanwhile=results["filled"],
        refused=results["refused"],
        unknown=results["unknown"] + results["live"],
        unreachable=len(seen.unreachable),
        unsent_freed=before.unsent_freed,
        released_paise=sum(entry.released_paise for entry in orders),
        blocked_before_paise=sum(before.orders.values()),
        still_blocked_paise=sum(book.orders[order_id].blocked_paise for order_id in before.orders),
        lines=tuple(sorted(lines, key=lambda line: line.code)),
        orders=tuple(orders),
        strangers=seen.strangers,
        first_cancel_s=first,
        last_cancel_s=last,
    )


def _line(
    book: Book,
    client_id: int,
    entries: list[CertificateOrder],
    halt: HaltView,
    before: Before,
    seen: Results,
    sent: Sent,
) -> CertificateLine:
    client = book.clients[client_id]
    results = Counter(entry.result for entry in entries)
    first, last = _times([entry.order_id for entry in entries], halt, sent)
    ends = [book.orders[entry.order_id].ended_at for entry in entries]
    ended = [end for end in ends if end is not None]
    return CertificateLine(
        client_id=client_id,
        code=client.code,
        name=client.name,
        cancelled=results["cancelled"],
        filled=results["filled"],
        refused=results["refused"],
        unknown=results["unknown"] + results["live"],
        released_paise=sum(entry.released_paise for entry in entries),
        available_before_paise=before.available[client_id],
        available_now_paise=book.funds[client_id].available_paise,
        note="the broker could not be read" if client_id in seen.unreachable else "",
        first_cancel_s=first,
        last_cancel_s=last,
        ended_s=_after(halt, max(ended)) if len(ended) == len(ends) and ended else None,
    )


def _times(order_ids: Iterable[int], halt: HaltView, sent: Sent) -> tuple[float | None, float | None]:
    """When the first and the last cancel of these orders left, in seconds after the halt."""
    pairs = [sent[order_id] for order_id in order_ids if order_id in sent]
    if not pairs:
        return None, None
    return _after(halt, min(first for first, _ in pairs)), _after(halt, max(last for _, last in pairs))


def _after(halt: HaltView, at: datetime) -> float:
    return max(0.0, round((at - halt.at).total_seconds(), 3))


def _result(order: OrderView, refused: bool) -> str:
    if order.state is OrderState.FILLED:
        return "filled"
    if not order.live:
        return "cancelled" if order.state is OrderState.CANCELLED else order.state.value.lower()
    if order.state is OrderState.UNKNOWN:
        return "unknown"
    return "refused" if refused else "live"
