"""What a trader might do to a desk, by dice: bulk buys and sells, modifies, cancels, halts."""

import asyncio
import random
from collections import Counter
from contextlib import suppress

from data.errors import BadInput
from data.money import tick_down
from data.store import StoreError
from data.vocabulary import (
    FlattenWhat,
    HaltScope,
    OrderState,
    OrderType,
    PerClient,
    Product,
    Side,
    SizingKind,
)
from engine.desk import Desk
from engine.planning.intent import Intent, Leg, Selection, Sizing
from engine.refusals import Refusal
from tests.faults.guarding import guard_some
from tests.faults.remote import RemoteBroker
from tests.faults.scenery import PINNED, SYMBOLS, stocks

UNREAD_SHARE = 0.33
"""Of halts, how many are fired while some clients' books cannot be read."""


BASKETS = 0.3
"""Of bulks, how many have further legs."""

FLATTENS = 0.02
"""Of what is done, how often a client is taken flat."""

GUARDS = 0.06
"""Of what is done, how often guards are seen to and one more is set."""

CONVERSIONS = 0.1
"""Of what is done, how often shares on margin are made a client's own."""


CONVERSIONS_AT_LAST = 5
"""How many are tried once all orders have left, of shares that are bought on margin for it."""

MARGIN_WAIT_S = 60
"""Seconds of the clock for which they are waited for."""


async def act(desk: Desk, dice: random.Random, halts: float) -> None:
    """Do one thing to the desk, a halt with the given share. What the desk refuses is no fault."""
    drawn = dice.random()
    with suppress(Refusal, BadInput, StoreError):
        if drawn < halts:
            await halt_and_resume(desk, dice)
        elif drawn < halts + FLATTENS:
            await flatten_some(desk, dice)
        elif drawn < halts + FLATTENS + GUARDS:
            await guard_some(desk, dice)
        elif drawn < halts + FLATTENS + GUARDS + CONVERSIONS:
            await convert_some(desk, dice)
        elif drawn < 0.70:
            await bulk(desk, dice)
        elif drawn < 0.86:
            await modify_some(desk, dice)
        else:
            await cancel_some(desk, dice)


async def bulk(desk: Desk, dice: random.Random) -> None:
    """One bulk order, or a basket of several legs, for some of the clients."""
    everyone = [client.id for client in desk.clients.all()]
    count = dice.randint(1, len(everyone))
    intent = await _intent(desk, dice, tuple(sorted(dice.sample(everyone, count))))
    plan = await desk.plans.freeze(intent)
    await desk.runs.start(plan, plan.digest)


async def _intent(desk: Desk, dice: random.Random, client_ids: tuple[int, ...]) -> Intent:
    symbol = dice.choice(SYMBOLS)
    key = f"NSE:{symbol}"
    quantity = dice.randint(1, 12)
    selling = dice.random() < 0.4
    product: Product | None = None if selling else Product.MTF if dice.random() < 0.2 else Product.CNC
    limit: int | None = None
    if dice.random() < 0.5:
        quote = desk.market.quote(key) or (await desk.market.fetch([key]), desk.market.quote(key))[1]
        if quote is not None:
            away = dice.choice((-60, -30, -10, 0, 20)) * (-1 if selling else 1)
            limit = tick_down(quote.last_paise * (10_000 + away) // 10_000, stocks()[symbol].tick_paise)
    return Intent(
        side=Side.SELL if selling else Side.BUY,
        key=key,
        sizing=Sizing(SizingKind.FIXED_QUANTITY, quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        product=product,
        limit_paise=limit,
        selection=Selection(client_ids=client_ids),
        again=True,
        further=_further(dice, symbol) if dice.random() < BASKETS else (),
        per_client=dice.choice(tuple(PerClient)),
    )


def _further(dice: random.Random, first: str) -> tuple[Leg, ...]:
    """Legs behind the first, of other symbols, which make a basket of it."""
    others = dice.sample([symbol for symbol in SYMBOLS if symbol != first], dice.randint(1, 2))
    return tuple(_leg(dice, symbol) for symbol in others)


def _leg(dice: random.Random, symbol: str) -> Leg:
    selling = dice.random() < 0.4
    sizing = Sizing(SizingKind.FIXED_QUANTITY, dice.randint(1, 12))
    return Leg(
        Side.SELL if selling else Side.BUY,
        f"NSE:{symbol}",
        sizing,
        product=None if selling else Product.CNC,
    )


async def modify_some(desk: Desk, dice: random.Random) -> None:
    """Change quantity or price of a few resting orders."""
    resting = [
        order
        for order in desk.orders.all(live=True)
        if order.state is OrderState.OPEN and order.order_type is OrderType.LIMIT
    ]
    for order in dice.sample(resting, min(len(resting), 5)):
        quantity = max(1, order.quantity + dice.choice((-3, -1, 0, 2, 5)))
        limit = order.limit_paise
        if limit is not None:
            limit = tick_down(limit * (10_000 + dice.choice((-20, 0, 0, 15))) // 10_000, _tick(order.key))
        with suppress(Refusal, BadInput, StoreError):
            await desk.orders.modify(order.id, quantity, limit)


def _tick(key: str) -> int:
    return stocks()[key.partition(":")[2]].tick_paise


async def cancel_some(desk: Desk, dice: random.Random) -> None:
    """Cancel some of what is live, a third of it at most."""
    spared = OrderState.RESERVED if dice.random() < 0.9 else None
    live = [order.id for order in desk.orders.all(live=True) if order.state is not spared]
    if live:
        await desk.orders.cancel(dice.sample(live, max(1, len(live) // 3)))


async def halt_and_resume(desk: Desk, dice: random.Random, share: float = UNREAD_SHARE) -> None:
    """Halt everything, a broker or a symbol, and resume once the certificate is there.

    With this chance the order books of a few clients cannot be read meanwhile, which it must say; where the
    broker is the local Kite its own faults do that.
    """
    scope, value = dice.choice(
        (
            (HaltScope.EVERYTHING, ""),
            (HaltScope.BROKER, "zerodha"),
            (HaltScope.SYMBOL, f"NSE:{dice.choice(SYMBOLS)}"),
        )
    )
    everyone = [client.id for client in desk.clients.all() if value in ("", client.broker) or ":" in value]
    unread = dice.sample(everyone, min(len(everyone), 3)) if dice.random() < share else []
    unreadable = Counter[int]()
    remote = desk.connections.feed.broker
    if isinstance(remote, RemoteBroker):
        unreadable = remote.unreadable
    else:
        unread = []
    unreadable.update(unread)
    try:
        made = await desk.halt.fire("tester", scope, value)
        if isinstance(remote, RemoteBroker) and unread:
            remote.unread_halts += 1
            named = {one.client_id for one in made.unread}
            if made.ended or not named.issuperset(unread):
                remote.false_proofs.append(
                    f"halt {made.number} names {sorted(named)} of {sorted(unread)} unread"
                )
    finally:
        unreadable.subtract(unread)
        await resume_all(desk)


async def flatten_some(desk: Desk, dice: random.Random) -> None:
    """Carry on what a crash left of flattens, and take one client flat."""
    for left in await desk.flatten.all():
        if left.ended_at is None:
            await desk.flatten.follow(left.number)
    client = dice.choice(desk.clients.all())
    what = dice.choice(tuple(FlattenWhat))
    number = await desk.flatten.start(HaltScope.CLIENT, str(client.id), what)
    await desk.flatten.follow(number)


async def convert_some(desk: Desk, dice: random.Random) -> None:
    """Have some of a client's shares on margin go on as its own; an answer may be lost on the way."""
    held = [
        (client.id, one.key, one.sellable)
        for client in desk.clients.all()
        for one in desk.holdings.of(client.id)
        if one.product is Product.MTF and one.sellable
    ]
    if held:
        client_id, key, free = dice.choice(held)
        quantity = dice.randint(1, free)
        await desk.conversions.convert(client_id, key, (Product.MTF, Product.CNC), quantity)


async def convert_at_last(desk: Desk, dice: random.Random) -> None:
    """Buy on margin for everybody whose limit allows it, and convert some of that."""
    everyone = tuple(client.id for client in desk.clients.all())
    intent = Intent(
        side=Side.BUY,
        key=f"NSE:{dice.choice(PINNED)}",
        sizing=Sizing(SizingKind.FIXED_QUANTITY, 6),
        product=Product.MTF,
        selection=Selection(client_ids=everyone),
        again=True,
    )
    with suppress(Refusal, BadInput, StoreError):
        plan = await desk.plans.freeze(intent)
        run = await desk.runs.start(plan, plan.digest)
        for _ in range(MARGIN_WAIT_S):
            if desk.runs.get(run.number).settled:
                break
            await desk.clock.sleep(1)
    for _ in range(CONVERSIONS_AT_LAST):
        with suppress(Refusal, BadInput, StoreError):
            await convert_some(desk, dice)


async def settle_conversions(desk: Desk) -> None:
    """Look at what became of the conversions in doubt, those of a life that has ended among them."""
    for one in await desk.conversions.open():
        with suppress(Refusal, BadInput, StoreError):
            await desk.conversions.settle(one.number)


async def resume_all(desk: Desk) -> None:
    """End every halt that stands."""
    for halt in desk.halt.active():
        with suppress(BadInput):
            await desk.halt.resume(halt.number, "resume", "tester")


async def free_unsent(desk: Desk) -> int:
    """The trader's word about what a crashed run left unsent: cancel it; returns how many orders."""
    unsent = [order.id for order in desk.orders.all(live=True) if order.state is OrderState.RESERVED]
    if unsent:
        await desk.orders.cancel(unsent, "left unsent by a crash")
    return len(unsent)


async def patience(seconds: float) -> None:
    """Let the machine work for some of its own seconds."""
    await asyncio.sleep(seconds)  # noqa: TID251 - real time, for the harness's own loops
