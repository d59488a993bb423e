"""What changes orders at Groww, each sent once.

Groww's documents say that a reference may be sent again until an order is found by it. It is not: what
may have been taken is in doubt until its reference has told, and a reference that Groww has already is in
doubt too.
"""

import re
from collections.abc import Mapping
from typing import cast

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerAccount,
    BrokerError,
    Conditional,
    NotSent,
    OrderChange,
    OrderRequest,
    Outcome,
    Refused,
    SessionExpired,
)
from brokers.groww.answers.conditionals import cancel_call
from brokers.groww.answers.orders import kind_of
from brokers.groww.answers.rows import CASH, TYPE_WORDS, GrowwRow
from brokers.groww.calls import IN_DOUBT, GrowwCalls
from brokers.groww.listings import GrowwListings, Listed
from brokers.groww.market import GrowwMarket
from brokers.meter import CallKind
from brokers.wire.calls import Call
from brokers.wire.outcomes import (
    BAD_INPUT,
    NOT_LISTED,
    NOT_PROTECTED,
    SESSION_EXPIRED,
    CallFailure,
    asked_outcome,
)
from brokers.wire.reading import Reading
from brokers.wire.rows import rupees
from data.clock import Clock
from data.money import BPS
from data.vocabulary import OrderType, Product, Side, Validity

NOT_OFFERED = "not_offered"
BAD_REFERENCE = "bad_reference"
"""Codes of what this adapter itself does not send."""

REFERENCE = re.compile(r"(?=.{8,20}$)[A-Za-z0-9]+(-[A-Za-z0-9]+){0,2}")
"""What an order's reference may be (Groww Trading API documentation, place order)."""

_MARKETS = {OrderType.MARKET: OrderType.LIMIT, OrderType.SL_M: OrderType.SL}
"""As what an order at the market's price is sent: with a limit as far away as its protection lets it
trade."""


class GrowwOrders:
    """Sends what changes orders. What may have been placed without its answer is kept by its reference."""

    def __init__(
        self,
        calls: GrowwCalls,
        reading: Reading,
        listings: GrowwListings,
        market: GrowwMarket,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._reading = reading
        self._listings = listings
        self._market = market
        self._clock = clock
        self.in_doubt: dict[BrokerAccount, dict[str, float]] = {}
        """References of placements that may have been taken, with when, until a look has shown them."""

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, once. After Groww has turned one away as too many, an account's next ones wait."""
        if words := self._calls.resting_words(account):
            return NotSent(words)
        refused = _refusal(request)
        if refused is not None:
            return refused
        key = f"{request.exchange}:{request.tradingsymbol}"
        listed = self._listings.of([key]).get(key)
        if listed is None or listed.is_index:
            return Refused(NOT_LISTED, f"Groww lists no {key}")
        try:
            limit_paise = await self._limit(account, key, request)
        except BrokerError as error:
            return NotSent(f"the limit of a protected order takes the last price: {error}")
        body = place_fields(request, listed, limit_paise)
        self.in_doubt.setdefault(account, {})[request.tag] = self._clock.monotonic()
        answer = await self._calls.run(
            account,
            Call(
                CallKind.PLACE,
                "POST",
                "/v1/order/create",
                body=body,
                once=True,
                last_look=request.last_look,
            ),
            self._calls.waits.send_s,
        )
        self._calls.note_placed(account, answer)
        outcome = _placed(answer, request.tag)
        if not isinstance(outcome, Ambiguous):
            self.in_doubt[account].pop(request.tag, None)
        return outcome

    async def _limit(self, account: BrokerAccount, key: str, request: OrderRequest) -> int | None:
        """The limit that an order is sent with. Raises `BrokerError` where the last price cannot be had."""
        if request.order_type not in _MARKETS:
            return request.price_paise
        assert request.protection_bps is not None, "looked at before"
        bps, side, tick_paise = request.protection_bps, request.side, request.tick_paise
        if request.order_type is OrderType.SL_M:
            return protected(request.trigger_paise or 0, bps, side, tick_paise)
        quote = await self._market.quote_now(account, key)
        limit_paise = protected(quote.last_paise, bps, side, tick_paise)
        lower, upper = quote.lower_circuit_paise, quote.upper_circuit_paise
        return max(lower, min(limit_paise, upper or limit_paise))

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order, once.

        Groww wants the whole of an order named again, so it is read first: what stays is as the broker has it
        now. Without that nothing is sent.
        """
        call = detail_call(broker_order_id)
        try:
            standing = GrowwRow("order", await self._reading.answer(account, call))
            body = change_fields(standing, broker_order_id, change)
        except SessionExpired as error:
            return Refused(SESSION_EXPIRED, str(error))
        except BrokerError as error:
            return Refused(error.code, str(error)) if error.code == BAD_INPUT else NotSent(str(error))
        answer = await self._calls.run(
            account,
            Call(
                CallKind.MODIFY,
                "POST",
                "/v1/order/modify",
                body=body,
                once=True,
                last_look=change.last_look,
            ),
            self._calls.waits.send_s,
        )
        return _outcome(answer, broker_order_id)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""
        body = {"groww_order_id": broker_order_id, "segment": CASH}
        call = Call(CallKind.CANCEL, "POST", "/v1/order/cancel", body=body, once=True)
        answer = await self._calls.run(account, call, self._calls.waits.cancel_s)
        return _outcome(answer, broker_order_id)

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Cancel a smart order."""
        try:
            call = cancel_call(conditional)
        except BrokerError as error:
            return Refused(BAD_INPUT, str(error))
        answer = await self._calls.run(account, call, self._calls.waits.cancel_s)
        return _outcome(answer, conditional.number)


def detail_call(broker_order_id: str) -> Call:
    """The read of one order as it stands."""
    path = f"/v1/order/detail/{broker_order_id}"
    return Call(CallKind.ORDERS, "GET", path, query={"segment": CASH})


def _refusal(request: OrderRequest) -> Refused | None:
    """Why an order is not sent though Groww was not asked; None where nothing speaks against it."""
    if REFERENCE.fullmatch(request.tag) is None:
        words = "an order's reference at Groww has 8 to 20 letters and digits, with at most two hyphens"
        return Refused(BAD_REFERENCE, words)
    if request.product is Product.MTF:
        return Refused(NOT_OFFERED, "Groww takes no MTF order by its interface")
    if request.validity is not Validity.DAY:
        return Refused(NOT_OFFERED, f"Groww takes no {request.validity.value} order by its interface")
    if request.after_market:
        return Refused(NOT_OFFERED, "Groww takes no order for the next session by its interface")
    if request.disclosed_quantity:
        return Refused(NOT_OFFERED, "Groww takes no disclosed quantity by its interface")
    if request.order_type in _MARKETS and request.protection_bps is None:
        return Refused(NOT_PROTECTED, "no order at the market's price is sent to Groww without protection")
    if request.order_type in _MARKETS and not request.tick_paise:
        return Refused(NOT_PROTECTED, "the limit of a protected order takes the share's tick")
    return None


def _placed(answer: object | CallFailure, reference: str) -> Outcome:
    """The word for a placement: accepted where the answer names an order of its own reference."""
    if isinstance(answer, CallFailure):
        return _outcome(answer)
    told = cast("Mapping[str, object]", answer if isinstance(answer, Mapping) else {})
    number, named = told.get("groww_order_id"), told.get("order_reference_id")
    if not isinstance(number, str) or not number.strip():
        return Ambiguous("the answer names no order")
    if isinstance(named, str) and named and named != reference:
        return Ambiguous("the answer names an order of another reference")
    return Accepted(number)


def _outcome(answer: object | CallFailure, named: str = "") -> Outcome:
    """The word for a write; a code that leaves open what became of it counts whatever its status."""
    if isinstance(answer, CallFailure) and answer.code in IN_DOUBT:
        return Ambiguous(answer.text)
    return asked_outcome(answer, named)


def place_fields(request: OrderRequest, listed: Listed, limit_paise: int | None) -> dict[str, object]:
    """An order as Groww takes it, with what is not used left out."""
    kind = _MARKETS.get(request.order_type, request.order_type)
    fields: dict[str, object] = {
        "trading_symbol": listed.symbol,
        "quantity": request.quantity,
        "validity": request.validity.value,
        "exchange": listed.exchange,
        "segment": CASH,
        "product": request.product.value,
        "order_type": TYPE_WORDS[kind],
        "transaction_type": request.side.value,
        "order_reference_id": request.tag,
    }
    if limit_paise is not None:
        fields["price"] = rupees(limit_paise)
    if request.trigger_paise is not None:
        fields["trigger_price"] = rupees(request.trigger_paise)
    return fields


def change_fields(standing: GrowwRow, broker_order_id: str, change: OrderChange) -> dict[str, object]:
    """A change as Groww takes it: what does not change, as the order stands. Raises `BrokerError`.

    A protected stop, which stands as one with a limit, has its limit follow its trigger.
    """
    kind = kind_of(standing)
    trigger = change.trigger_paise
    if trigger is None:
        trigger = standing.paise_or_zero("trigger_price")
    price = standing.paise_or_zero("price") if change.price_paise is None else change.price_paise
    if kind is OrderType.SL and change.price_paise is None and change.protection_bps is not None:
        side = standing.word("transaction_type", Side)
        price = protected(trigger, change.protection_bps, side, change.tick_paise or 1)
    fields: dict[str, object] = {
        "groww_order_id": broker_order_id,
        "segment": CASH,
        "order_type": TYPE_WORDS[kind],
        "quantity": standing.count("quantity") if change.quantity is None else change.quantity,
    }
    if kind in (OrderType.LIMIT, OrderType.SL):
        fields["price"] = rupees(price)
    if kind in (OrderType.SL, OrderType.SL_M):
        fields["trigger_price"] = rupees(trigger)
    return fields


def protected(near_paise: int, bps: int, side: Side, tick_paise: int) -> int:
    """The farthest price at which a protected order may trade, on the tick and within its protection."""
    away = near_paise * bps
    if side is Side.BUY:
        return (near_paise * BPS + away) // BPS // tick_paise * tick_paise
    lowest = near_paise * BPS - away
    return -(-lowest // (BPS * tick_paise)) * tick_paise
