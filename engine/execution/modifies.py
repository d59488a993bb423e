"""Changing live orders: what a modify asks for is blocked first, sent once, and confirmed by the order book.

While it is open the larger of both forms of the order stays blocked. One at a time for an order; a cancel
does not wait for it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select, update

from brokers.connections import Connections
from brokers.contract import Ambiguous, NotSent, OrderChange, Outcome
from data.audit import AuditEntry
from data.columns import table
from data.errors import BadInput
from data.ledger import Line, Transfer, post, reserve_money, reserve_shares
from data.money import amount_words
from data.order_tables import Order, Request
from data.reference.instruments import InstrumentIndex
from data.reference.names import name_now
from data.store import Unit
from data.vocabulary import Account, OrderState, OrderType, RequestKind, RequestState
from engine.book.book import Book
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covered
from engine.book.kept import Kept
from engine.book.reading import read_halts
from engine.booking.facts import ChangeEnded
from engine.booking.needs import open_need
from engine.booking.recorder import Recorder
from engine.booking.requests import open_cancels, open_change
from engine.execution.book_reads import Watcher
from engine.execution.calls import LastLook, no_answer, outcome_of
from engine.execution.dispatch import HALTED
from engine.execution.trading import require_trading
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.planning.checks import band_words
from engine.planning.intent import check_lots, check_price
from engine.refusals import Halted, Refusal
from engine.timing import Timing

_JUST_OVER_S = 0.1
"""Beyond its age, so that a modify that waits for its turn wakes too old."""


@dataclass(frozen=True, slots=True)
class Asked:
    """When the trader asked for a modify, by the wall's clock and by the monotonic one."""

    at: datetime
    steady_s: float


def check_terms(change: OrderChange, key: str, market_data: MarketData) -> None:
    """Refuse a price off the tick, a limit outside the day's band where that is known, a count off the lot.

    Raises `BadInput`.
    """
    instrument, quote = market_data.index.get(key), market_data.quotes.quote(key)
    if instrument is None:
        return
    if change.quantity is not None:
        check_lots(change.quantity, instrument)
    for name, price in (("limit", change.price_paise), ("trigger", change.trigger_paise)):
        if price is not None:
            check_price(name, price, instrument)
    limit = change.price_paise
    if limit is None or quote is None:
        return
    lower, upper = quote.lower_circuit_paise, quote.upper_circuit_paise
    if limit < lower or (upper and limit > upper):
        raise BadInput("limit", limit / 100, f"give a price within {band_words(lower, upper)}")


def check_change(order: dict[str, Any], change: OrderChange) -> tuple[int, int]:
    """The quantity and the reserve price a modify would give an order; tick, band and lot are `check_terms`'.

    Raises `BadInput` for a quantity that has traded already, a price that its type does not have, or a change
    of nothing.
    """
    kind = OrderType(order["order_type"])
    if kind in (OrderType.MARKET, OrderType.SL_M) and change.price_paise is not None:
        raise BadInput("limit", change.price_paise / 100, f"a {kind.value} order has no limit price")
    if kind in (OrderType.MARKET, OrderType.LIMIT) and change.trigger_paise is not None:
        raise BadInput("trigger", change.trigger_paise / 100, f"a {kind.value} order has no trigger")
    quantity = order["quantity"] if change.quantity is None else change.quantity
    if quantity <= order["filled_quantity"]:
        raise BadInput("quantity", quantity, f"give more than the {order['filled_quantity']} already traded")
    terms = (
        quantity,
        change.price_paise or order["limit_paise"],
        change.trigger_paise or order["trigger_paise"],
    )
    if terms == (order["quantity"], order["limit_paise"], order["trigger_paise"]):
        raise BadInput("change", "nothing", "give a quantity or a price other than the order's")
    reserve = order["reserve_price_paise"]
    if kind is OrderType.SL_M and change.trigger_paise and order["trigger_paise"]:
        reserve += change.trigger_paise - order["trigger_paise"]  # the protected price moves with the trigger
    return quantity, change.price_paise or reserve


def _key_now(unit: Unit, order: Mapping[str, Any]) -> str:
    """What an order's instrument is called now."""
    exchange = order["exchange"]
    return f"{exchange}:{name_now(unit.connection, order['security'], exchange, order['tradingsymbol'])}"


def ask_change(
    unit: Unit,
    order_id: int,
    change: OrderChange,
    why: str,
    book: Book,
    engine: ThisEngine,
    index: InstrumentIndex,
) -> int:
    """Block what a modify needs beyond the order as it is and write its request; gives the request's number.

    Raises `BadInput` or a `Refusal`; then nothing has changed.
    """
    orders, requests = table(Order), table(Request)
    row = unit.connection.execute(select(orders).where(orders.c.id == order_id)).mappings().one()
    order = dict(row)
    if order["state"] != OrderState.OPEN.value:
        raise BadInput("order", order_id, f"only an OPEN order can be changed; this one is {order['state']}")
    if open_change(unit, order_id) is not None:
        raise BadInput(
            "order", order_id, "a change of it is under way; wait for its end, or cancel the order"
        )
    if open_cancels(unit, [order_id]):
        raise BadInput("order", order_id, "it is being cancelled")
    if unit.differing(Order, [order_id]):
        raise BadInput("order", order_id, "it is not as the audit left it; let the doctor look at the books")
    client = book.clients[order["client_id"]]
    if covered(read_halts(unit.connection), client, _key_now(unit, order)):
        raise Halted("a halt covers this order; resume it first")
    made, last = unit.connection.execute(
        select(
            func.count().filter(requests.c.kind == RequestKind.MODIFY.value),
            func.coalesce(func.max(requests.c.number), 0),
        ).where(requests.c.order_id == order_id)
    ).one()
    connection = book.carrier_of(client.id)
    if connection is None:
        raise BadInput("client", client.code, f"this desk has no connection to {client.broker}")
    most = connection.capabilities.most_changes
    if made >= most:
        raise BadInput("order", order_id, f"a broker takes {most} changes of one order; cancel it instead")
    quantity, reserve_paise = check_change(order, change)
    order.update(asked_quantity=quantity, asked_reserve_paise=reserve_paise)
    _block_more(unit, order, book, index)
    unit.insert(
        Request,
        [
            {
                "order_id": order_id,
                "number": last + 1,
                "kind": RequestKind.MODIFY.value,
                "state": RequestState.REQUESTED.value,
                "why": why,
                "quantity": change.quantity,
                "limit_paise": change.price_paise,
                "trigger_paise": change.trigger_paise,
                "instance_id": engine.id,
                "requested_at": unit.now,
            }
        ],
    )
    details = {
        "request": last + 1,
        "quantity": change.quantity,
        "limit_paise": change.price_paise,
        "trigger_paise": change.trigger_paise,
    }
    unit.audit(
        AuditEntry(
            "MODIFY_REQUESTED",
            engine.actor,
            order["client_id"],
            order_id,
            order["plan_number"],
            order["run_number"],
            details,
        )
    )
    unit.touched.orders.add(order_id)
    unit.touched.clients.add(order["client_id"])
    return last + 1


def more_needed(order: dict[str, Any]) -> tuple[int, int, int]:
    """Money, loan room and shares that the asked form of an order needs beyond what it has blocked."""
    money, loan, shares = open_need(order)
    return (
        max(0, money - order["blocked_paise"]),
        max(0, loan - order["mtf_reserved_paise"]),
        max(0, shares - order["blocked_shares"]),
    )


def _block_more(unit: Unit, order: dict[str, Any], book: Book, index: InstrumentIndex) -> None:
    """Reserve what the asked form of an order needs beyond what is blocked, or raise a `Refusal`."""
    orders = table(Order)
    client_id = order["client_id"]
    more, more_loan, more_shares = more_needed(order)
    if (more or more_loan) and not reserve_money(unit, {client_id: (more, more_loan)}):
        available = amount_words(book.funds[client_id].available_paise)
        raise Refusal(
            f"the change needs ₹{amount_words(more)} more of the client's money and ₹{available} is "
            "available" + (", or it goes beyond the MTF limit" if more_loan else "")
        )
    if more_shares:
        instrument = index.get(_key_now(unit, order))
        settled_only = instrument is not None and instrument.trade_to_trade
        if not reserve_shares(
            unit, [(client_id, order["security"], order["product"], more_shares, settled_only)]
        ):
            raise Refusal(f"the change needs {more_shares} more shares than the client can sell")
    if more:
        lines = [Line(Account.AVAILABLE, -more), Line(Account.BLOCKED, more, order["id"])]
        post(
            unit,
            [
                Transfer(
                    client_id, "reserve", order["trading_date"], lines, order_id=order["id"], reserved=True
                )
            ],
        )
    unit.connection.execute(
        update(orders)
        .where(orders.c.id == order["id"])
        .values(
            asked_quantity=order["asked_quantity"],
            asked_reserve_paise=order["asked_reserve_paise"],
            blocked_paise=order["blocked_paise"] + more,
            mtf_reserved_paise=order["mtf_reserved_paise"] + more_loan,
            blocked_shares=order["blocked_shares"] + more_shares,
            updated_at=unit.now,
        )
    )


class Changer:
    """Sends modifies: each once, within its client's budget, never under a halt or when it is too old."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        market_data: MarketData,
        recorder: Recorder,
        watcher: Watcher,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._market_data = market_data
        self._recorder = recorder
        self._watcher = watcher
        self._tasks: set[asyncio.Task[None]] = set()

    async def change(self, order_id: int, change: OrderChange, why: str) -> int:
        """Ask for a live order to be changed; gives the request's number once it is durable.

        Raises `BadInput`, a `Refusal`, or `StoreError`; then nothing was sent.
        """
        order = self._kept.book.orders[order_id]
        check_terms(change, order.key, self._market_data)
        if halt_file_stands(self._kept.halt_file):
            raise Halted("the desk is halted; resume it first")
        asked = Asked(self._timing.wall.now(), self._timing.wall.monotonic())
        await require_trading(self._kept.store, self._engine)
        number = await self._kept.store.write(
            lambda unit: ask_change(
                unit, order_id, change, why, self._kept.book, self._engine, self._market_data.index
            )
        )
        task = asyncio.create_task(self._send(order_id, number, change, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return number

    async def resume(self) -> None:
        """Put the modifies in doubt that an earlier run of the program left: they may have been sent."""
        requests, orders = table(Request), table(Order)
        async with self._kept.store.reader() as connection:
            rows = await connection.execute(
                select(requests.c.order_id, requests.c.number, requests.c.instance_id)
                .join(orders, orders.c.id == requests.c.order_id)
                .where(
                    requests.c.kind == RequestKind.MODIFY.value,
                    requests.c.state == RequestState.REQUESTED.value,
                    orders.c.ended_at.is_(None),
                )
            )
            for order_id, number, instance_id in rows:
                if not self._engine.lives(instance_id):
                    words = "the program ended while the change was being sent"
                    self._recorder.put(ChangeEnded(order_id, number, Ambiguous(words)))

    async def settle(self) -> None:
        """Wait until no call is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _send(self, order_id: int, number: int, change: OrderChange, asked: Asked) -> None:
        last_look = LastLook(partial(self._kept_back, order_id, asked))
        call = self._call(order_id, replace(change, last_look=last_look), asked)
        what, silence = f"a change of order {order_id}", no_answer(self._timing.waits)
        outcome = await outcome_of(call, what, silence, last_look)
        self._engine.reached("modify_sent")
        self._recorder.put(ChangeEnded(order_id, number, outcome))
        await self._watcher.read(self._kept.book.orders[order_id].client_id)

    def _age_s(self, asked: Asked) -> float:
        """Seconds since a modify was asked for: the larger of two clocks, since one may be set back."""
        clock = self._timing.wall
        return max((clock.now() - asked.at).total_seconds(), clock.monotonic() - asked.steady_s)

    def _kept_back(self, order_id: int, asked: Asked) -> str:
        """Why a modify must not leave after all; empty where it may. Asked by the thread that sends it."""
        order = self._kept.book.orders[order_id]
        client = self._kept.book.clients[order.client_id]
        if halt_file_stands(self._kept.halt_file) or covered(self._kept.book.halts, client, order.key):
            return HALTED
        if order.broker_order_id is None or not order.live:
            return "the order has ended"
        age_s, valid_s = self._age_s(asked), self._timing.waits.modify_valid_s
        if age_s > valid_s:
            return f"it was asked for {age_s:.0f} s ago, {valid_s:g} s are allowed; ask again"
        return ""

    async def _call(self, order_id: int, change: OrderChange, asked: Asked) -> Outcome:
        """One modify, within the client's budget; given up once it is too old."""
        order = self._kept.book.orders[order_id]
        broker, account = self._connections.broker_of(order.client_id)
        lane = self._connections.lane(order.client_id)
        while (
            not (why := self._kept_back(order_id, asked))
            and (wait := lane.wait_s(self._timing.wall.now())) > 0
        ):
            left_s = self._timing.waits.modify_valid_s - self._age_s(asked)
            await self._timing.wall.sleep(min(wait, left_s + _JUST_OVER_S))
        if why or order.broker_order_id is None:
            return NotSent(why)
        lane.take(self._timing.wall.now())
        if order.order_type is OrderType.SL_M:
            change = replace(change, protection_bps=order.protection_bps)
        async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
            return await broker.modify(account, order.broker_order_id, change)
