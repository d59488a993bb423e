"""What the conformance cases stand on: an open adapter, a market that the test moves, and patience."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from brokers.contract import (
    Accepted,
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    ConditionalKind,
    Heartbeat,
    OrderRequest,
    StreamEvent,
    Ticks,
)
from data.clock import SystemClock
from data.reference.instruments import BrokerInstrument, Instrument
from data.vocabulary import OrderType, Product, Side

T = TypeVar("T")

DEADLINE_S = 15.0
"""Real seconds within which whatever is waited for must happen."""

ENDED = frozenset(
    {BrokerStatus.COMPLETE, BrokerStatus.CANCELLED, BrokerStatus.REJECTED, BrokerStatus.EXPIRED}
)
NSE = "NSE"


@dataclass
class Stand:
    """An open adapter, signed in where that is asked for, and what moves the market behind it.

    `still` is a share that stands at `last_paise` until `move` says otherwise and trades without end there;
    `walking` is one with a book whose depth ends. `ann` has money, a limit for MTF and 100 of `still`; `poor`
    has one rupee; `stranger` has no account. `secrets` must be told to nobody. `spoil` makes one row of
    a book of ann's odd, named by its id or symbol; None where the adapter's rows cannot be. `rest` leaves a
    GTT or an alert of ann's for a symbol at the broker, an odd one for none; None where it keeps none.
    """

    broker: Broker
    still: BrokerInstrument
    walking: Instrument
    last_paise: int
    move: Callable[[int], None]
    ann: BrokerAccount
    poor: BrokerAccount
    stranger: BrokerAccount
    secrets: tuple[str, ...] = ()
    spoil: Callable[[str, str], None] | None = None
    rest: Callable[[ConditionalKind, str], None] | None = None
    tags: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def key(self) -> str:
        """The still share's key."""
        return self.still.key

    def away(self, bps: int) -> int:
        """A price so far from the last one, on the tick."""
        tick = self.still.tick_paise
        return self.last_paise * (10_000 + bps) // 10_000 // tick * tick

    def order(
        self, quantity: int = 10, price_paise: int | None = None, side: Side = Side.BUY
    ) -> OrderRequest:
        """An order in the still share; without a price a protected market order."""
        limit = price_paise is not None
        return OrderRequest(
            exchange=NSE,
            tradingsymbol=self.still.tradingsymbol,
            side=side,
            quantity=quantity,
            product=Product.CNC,
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            tag=f"tag{next(self.tags):05}",
            price_paise=price_paise,
            tick_paise=self.still.tick_paise,
            protection_bps=None if limit else 200,
        )

    def resting(self, quantity: int = 10) -> OrderRequest:
        """A buy too low to trade."""
        return self.order(quantity, self.away(-300))

    async def placed(self, request: OrderRequest, account: BrokerAccount | None = None) -> str:
        """Place what must be accepted; returns the broker's id."""
        outcome = await self.broker.place(account or self.ann, request)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.broker_order_id
        return outcome.broker_order_id

    async def book(self, account: BrokerAccount | None = None) -> dict[str, BrokerOrder]:
        """The order book by id."""
        orders = await self.broker.orders(account or self.ann)
        found = {order.broker_order_id: order for order in orders}
        assert len(found) == len(orders)
        return found

    async def at(
        self, order_id: str, *statuses: BrokerStatus, account: BrokerAccount | None = None
    ) -> BrokerOrder:
        """The order once the book has it at one of these statuses."""

        async def look() -> BrokerOrder | None:
            order = (await self.book(account)).get(order_id)
            return order if order is not None and order.status in statuses else None

        return await soon(look)

    async def waiting(self, order_id: str) -> BrokerOrder:
        """A stop order once the book has it waiting for its trigger; on its way there it is open too."""

        async def look() -> BrokerOrder | None:
            order = await self.at(order_id, BrokerStatus.OPEN)
            return order if order.trigger_pending else None

        return await soon(look)

    async def cancelled(self, order_id: str) -> None:
        """Ask for a cancel until it is taken: an order on its way to the exchange cannot be cancelled yet."""

        async def ask() -> bool | None:
            return isinstance(await self.broker.cancel(self.ann, order_id), Accepted) or None

        await soon(ask)

    async def fills(self, order_id: str) -> list[BrokerTrade]:
        """The order's trades."""
        return [one for one in await self.broker.trades(self.ann) if one.broker_order_id == order_id]

    async def available(self, account: BrokerAccount | None = None) -> int:
        """Money that is free to trade with, in paise."""
        return (await self.broker.funds(account or self.ann)).available_paise


async def soon(look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` returns, once it returns something."""
    clock = SystemClock()
    async with clock.timeout(DEADLINE_S):
        while (found := await look()) is None:
            await clock.sleep(0.01)
    return found


@asynccontextmanager
async def listening(stand: Stand) -> AsyncIterator[list[StreamEvent]]:
    """What the stream says, tick by tick; a lost stream is asked for again, as the contract has it."""
    heard: list[StreamEvent] = []

    async def listen() -> None:
        while True:
            with suppress(BrokerError):
                async for event in stand.broker.stream():
                    heard.extend(event.read() if isinstance(event, Ticks) else [event])
                return

    listener = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


def speaks_for(event: StreamEvent, key: str) -> bool:
    """Whether it is a heartbeat that renews the price of `key`."""
    return isinstance(event, Heartbeat) and (event.keys is None or key in event.keys)


async def heard_of(
    heard: list[StreamEvent], fits: Callable[[StreamEvent], bool], start: int = 0
) -> StreamEvent:
    """The first event from `start` on that fits."""

    async def look() -> StreamEvent | None:
        return next((event for event in heard[start:] if fits(event)), None)

    return await soon(look)
