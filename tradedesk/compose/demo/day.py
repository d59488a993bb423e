"""A whole day of the paper market in a minute: what a dealer does in it, at its times, and the day's figures.

Whatever is done goes the way of a typed line: understood by the command line's grammar, planned, frozen,
confirmed by its hash and sent.
"""

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta

from msgspec import Struct

from data.clock import IST
from data.errors import BadInput
from data.vocabulary import ClientStatus, SessionState
from engine.colon.asked import AskedBasket, AskedOrders, AskedToFlatten
from engine.colon.grammar import parse
from engine.desk import Desk
from engine.planning.intent import Intent
from engine.refusals import Refusal
from engine.words import formats
from engine.words.refusals import refusal_words
from engine.words.trading.flattens import counts_words as flatten_words
from engine.words.trading.reasons import counts_words
from engine.words.trading.runs import run_words
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.foundation import calendar_of

ACTS: tuple[tuple[time, str], ...] = (
    (time(9, 16), "buy RELIANCE 10%"),
    (time(9, 40), "buy TCS 5% g:hni mtf"),
    (time(10, 30), "buy ICICIBANK 4% mis"),
    (time(12, 0), "basket buy INFY:3% HDFCBANK:3%"),
    (time(13, 30), "sell RELIANCE 50%"),
    (time(14, 50), "flatten desk mis"),
)
"""Typed lines, and from when on of the market's day."""

STEP_S = 0.5
"""Seconds of the wall between two moves of the market."""

PATIENCE_S = 20.0
"""How long an act is waited for before the day goes on."""


class Told(Struct, frozen=True):
    """Something that happened in the day: when by the market, the line that was typed, what came of it."""

    at: datetime
    line: str
    words: str


async def played_day(desk: Desk, seconds: float = 45.0) -> AsyncIterator[Told]:
    """Play what is left of the paper market's day, moving it on for so many seconds, and tell what happened.

    What is sent takes its own time besides. It ends in the day's last minute. Raises `BadInput` at a desk
    without a paper exchange.
    """
    exchange, market = exchange_of(desk), desk.market
    acts = [act for act in ACTS if _at(market.now(), act[0]) >= market.now()]
    ends = calendar_of(desk.home).session_close(desk.market_clock.trading_day) - timedelta(minutes=1)
    step = (ends - market.now()) / max(seconds / STEP_S, 1)
    yield Told(market.now(), "", f"the market's day {desk.market_clock.trading_day:%d %b} begins")
    await _everybody_compared(desk)
    while (now := market.now()) < ends:
        due = _at(now, acts[0][0]) if acts else ends
        if due <= now:
            _, line = acts.pop(0)
            yield Told(now, line, await _done(desk, line))
            continue
        exchange.jump(min(due, now + step, ends))
        await desk.clock.sleep(STEP_S)
    yield Told(market.now(), "", _figures(desk))


def _at(day: datetime, at: time) -> datetime:
    return datetime.combine(day.astimezone(IST).date(), at, IST)


async def _everybody_compared(desk: Desk) -> None:
    """Have the books of whoever may trade compared with the exchange's, before the first order."""
    for client in desk.clients.all():
        if client.status is ClientStatus.ACTIVE and client.session is SessionState.OK:
            await desk.reconcile.check(client.id)


async def _done(desk: Desk, line: str) -> str:
    """Carry out a typed line, and say what came of it."""
    try:
        asked = parse(line, desk.known())
        match asked:
            case AskedOrders(intent):
                return await _sent(desk, intent)
            case AskedBasket(intent) if intent is not None:
                return await _sent(desk, intent)
            case AskedToFlatten(scope, value, what):
                number = await desk.flatten.start(scope, value, what)
                return flatten_words(await desk.flatten.follow(number))
            case _:
                raise BadInput("line", line, "a day is played by orders, baskets and flattens")
    except (BadInput, Refusal) as problem:
        return refusal_words(problem)


async def _sent(desk: Desk, intent: Intent) -> str:
    plan = await desk.plans.freeze(intent)
    if not plan.orders:
        return f"nothing to send: {counts_words(plan.skipped_by_reason)}"
    run = await desk.runs.start(plan, plan.digest)
    await desk.runs.settled(run.number, PATIENCE_S)
    await desk.settle()
    return run_words(desk.runs.get(run.number))


def _figures(desk: Desk) -> str:
    """The day's orders and what it brought, as they stand."""
    orders, value = desk.orders.all(), desk.valuation.total(client.id for client in desk.clients.all())
    filled = sum(1 for order in orders if order.filled_quantity)
    return (
        f"the day is over: {formats.counted(len(orders), 'order')}, {filled} filled, "
        f"net {formats.signed_amount(value.net_day_pnl_paise)} after charges"
    )
