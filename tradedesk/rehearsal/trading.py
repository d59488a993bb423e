"""What the trader of a headless desk does: bulks on the beat of a clock, changes and cancels."""

import random
from contextlib import suppress

from data.errors import BadInput
from data.money import tick_down
from data.reference.seed import universe
from data.store import StoreError
from data.vocabulary import OrderState, OrderType, Product, Side, SizingKind
from engine.book.views import OrderView
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.refusals import Refusal

SYMBOLS = ("RELIANCE", "TCS", "INFY", "HDFCBANK", "ICICIBANK", "SBIN", "ITC", "LT")

RESTING = 0.25
"""Of the bulks, how many rest below the price."""

MOST_CHANGED = 5
"""Resting orders that are changed, and as many cancelled, behind each bulk."""

AWAY_BPS = 300
"""How far below the price an order rests."""


class HeadlessTrader:
    """One trader at one desk. Sends for all of its clients; what the desk refuses is no fault."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self._desk, self._dice = desk, dice
        self._ticks = {row.instrument.key: row.instrument.tick_paise for row in universe()}
        self._keyed = dict[int, float]()
        self._reserved = list[float]()
        self.refused = 0

    async def trade(self, every_s: float) -> None:
        """Trade until cancelled; where the desk is slower than that, the next bulk waits for the last."""
        clock = self._desk.clock
        due = clock.monotonic() + self._dice.uniform(0, every_s)  # traders do not press their keys together
        while True:
            await clock.sleep(max(0.0, due - clock.monotonic()))
            due = max(due + every_s, clock.monotonic())
            try:
                await self._bulk(AWAY_BPS if self._dice.random() < RESTING else None)
                await self._change_some()
            except (Refusal, BadInput, StoreError):
                self.refused += 1

    async def lay(self) -> None:
        """An order of every client that rests."""
        await self._bulk(AWAY_BPS)

    async def moments(self) -> dict[str, object]:
        """When the key was pressed for each order, by tag; seconds from a key to its reservation."""
        keyed = {
            tag: self._keyed[one.id]
            for one in self._desk.orders.all()
            if (tag := one.tag) and one.id in self._keyed
        }
        return {"keyed": keyed, "reserved": self._reserved, "refused": self.refused}

    async def _bulk(self, away_bps: int | None) -> None:
        key = f"NSE:{self._dice.choice(SYMBOLS)}"
        plan = await self._desk.plans.freeze(await self._intent(key, away_bps))
        pressed = self._desk.clock.monotonic()
        run = await self._desk.runs.start(plan, plan.digest)
        self._reserved.append(self._desk.clock.monotonic() - pressed)
        self._keyed.update(dict.fromkeys(run.order_ids, pressed))

    async def _intent(self, key: str, away_bps: int | None) -> Intent:
        limit: int | None = None
        if away_bps is not None:
            quote = self._desk.market.quote(key)
            if quote is None:
                await self._desk.market.fetch([key])
                quote = self._desk.market.quote(key)
            if quote is not None:
                limit = tick_down(quote.last_paise * (10_000 - away_bps) // 10_000, self._ticks[key])
        return Intent(
            side=Side.BUY,
            key=key,
            sizing=Sizing(SizingKind.FIXED_QUANTITY, self._dice.randint(1, 3)),
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            product=Product.CNC,
            limit_paise=limit,
            selection=Selection(),
            again=True,
        )

    async def _change_some(self) -> None:
        resting = [
            one
            for one in self._desk.orders.all(live=True)
            if one.state is OrderState.OPEN and one.order_type is OrderType.LIMIT and not one.modifying
        ]
        self._dice.shuffle(resting)
        for one in resting[:MOST_CHANGED]:
            with suppress(Refusal, BadInput):
                await self._desk.orders.modify(one.id, one.quantity + 1, self._lower(one))
        gone = [one.id for one in resting[MOST_CHANGED : 2 * MOST_CHANGED]]
        if gone:
            await self._desk.orders.cancel(gone)

    def _lower(self, order: OrderView) -> int | None:
        if order.limit_paise is None:
            return None
        return tick_down(order.limit_paise * 9_990 // 10_000, self._ticks[order.key])
