"""One intent confirmed more than once: one plan after the other, and by two engines on one file at once."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from data.clock import ManualClock
from data.vocabulary import DeskKind, OrderState, SizingKind
from engine.desk import Desk
from engine.planning.plan import Plan
from engine.refusals import DuplicateIntent
from tests.desks import MISSION_PINS, START, buy, filed_desk, until
from tests.faults.clock import monotonic

ROUNDS = 10
"""Intents of one home, each confirmed two to four times."""

Wanted = tuple[int, str, int]
"""What one round wants of one client: its id, the symbol, and a quantity that no other round has."""


@dataclass(slots=True)
class TwiceResult:
    """What came of one home's intents: how many, and how many orders too many the broker has received."""

    intents: int = 0
    sent_again: int = 0
    whole_s: float = 0.0
    faults: list[str] = field(default_factory=list[str])


def twice_home(folder: Path, seed: int) -> TwiceResult:
    """Confirm the intents of one home more than once each, and count what the broker has received."""
    began = monotonic()
    result = asyncio.run(_confirm_twice(folder, seed))
    result.whole_s = monotonic() - began
    return result


async def _confirm_twice(folder: Path, seed: int) -> TwiceResult:
    dice, clock, result = random.Random(seed), ManualClock(START), TwiceResult(intents=ROUNDS)
    wanted = set[Wanted]()
    async with filed_desk(folder, clock) as one, filed_desk(folder, clock, DeskKind.COMMAND, seed=8) as other:
        for number in range(ROUNDS):
            wanted |= await _round((one, other), dice, number + 1)
            await until(one, lambda: not _unsent(one) and not _unsent(other))
        received = await _received(one)
    for each in sorted(wanted | received.keys()):
        result.sent_again += max(0, received[each] - 1)
        if received[each] != 1 or each not in wanted:
            result.faults.append(
                f"{folder.name} seed {seed}: {each} reached the broker {received[each]} times"
            )
    return result


async def _round(desks: tuple[Desk, Desk], dice: random.Random, quantity: int) -> set[Wanted]:
    """Plans of one intent, some for more clients than others; returns what must reach the broker once."""
    symbol = dice.choice(sorted(MISSION_PINS))
    ready = [client.id for client in desks[0].clients.all() if client.gate is None]
    some = dice.sample(ready, dice.randint(1, 4))
    confirmed: list[tuple[Desk, Plan]] = []
    for _ in range(dice.randint(2, 4)):
        more = dice.sample(ready, 2) if dice.random() < 0.3 else []
        desk = dice.choice(desks)
        intent = buy(symbol, SizingKind.FIXED_QUANTITY, quantity, *dict.fromkeys((*some, *more)))
        plan = await desk.plans.freeze(intent)
        if plan.orders:
            confirmed.append((desk, plan))
    if dice.random() < 0.5:
        for desk, plan in confirmed:
            await _start(desk, plan)
    else:
        await asyncio.gather(*(_start(desk, plan) for desk, plan in confirmed))
    return {(line.client_id, symbol, quantity) for _, plan in confirmed for line in plan.ok_lines}


async def _start(desk: Desk, plan: Plan) -> None:
    try:
        await desk.runs.start(plan, plan.digest)
    except DuplicateIntent:
        return  # every client had it


def _unsent(desk: Desk) -> bool:
    waiting = (OrderState.RESERVED, OrderState.SENDING)
    return any(order.state in waiting for order in desk.orders.all(live=True))


async def _received(desk: Desk) -> Counter[Wanted]:
    """How often the broker has received what was wanted."""
    found = Counter[Wanted]()
    for client in desk.clients.all():
        account = desk.connections.account(client)
        found.update(
            (client.id, order.tradingsymbol, order.quantity)
            for order in await desk.connections.feed.broker.orders(account)
        )
    return found
