"""What changes orders and positions at Upstox, each sent once."""

from collections.abc import Mapping
from typing import cast

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerAccount,
    BrokerError,
    Conditional,
    Conversion,
    NotSent,
    OrderChange,
    OrderRequest,
    Outcome,
    Refused,
    SessionExpired,
)
from brokers.meter import CallKind
from brokers.upstox.answers.rows import PRODUCT_CODES, UpstoxRow
from brokers.upstox.calls import UpstoxCalls
from brokers.upstox.listings import UpstoxListings
from brokers.wire.calls import Call
from brokers.wire.outcomes import (
    BAD_INPUT,
    NOT_LISTED,
    NOT_PROTECTED,
    ROUTE,
    SESSION_EXPIRED,
    CallFailure,
    asked_outcome,
    write_outcome,
)
from brokers.wire.reading import Reading
from brokers.wire.rows import rupees
from data.clock import Clock
from data.money import BPS
from data.vocabulary import OrderType, Side

ALGO_HEADER = "X-Algo-Name"

DETAILS = "/v2/order/details"
KILL_SWITCH = "/v2/user/kill-switch"

_PROTECTED = (OrderType.MARKET, OrderType.SL_M)


class UpstoxOrders:
    """Sends what changes orders. `algos` are the names of apps registered as algos, by their api key.

    What may have been placed without its answer is kept by its tag, so that the book can be asked for it.
    """

    def __init__(
        self,
        calls: UpstoxCalls,
        reading: Reading,
        listings: UpstoxListings,
        clock: Clock,
        algos: Mapping[str, str],
    ) -> None:
        self._calls = calls
        self._reading = reading
        self._listings = listings
        self._clock = clock
        self._algos = algos
        self.in_doubt: dict[BrokerAccount, dict[str, float]] = {}
        """Tags of placements that may have been taken, with when, until the book has shown them."""

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, once. After Upstox has turned one away as too many, an account's next ones wait."""
        if words := self._calls.resting_words(account):
            return NotSent(words)
        key = f"{request.exchange}:{request.tradingsymbol}"
        token = self._listings.tokens([key]).get(key)
        if token is None:
            return Refused(NOT_LISTED, f"Upstox lists no {key}")
        if request.order_type in _PROTECTED and request.protection_bps is None:
            return Refused(NOT_PROTECTED, "Upstox takes no market order without market protection")
        headers = self._headers(account)
        if isinstance(headers, Refused):
            return headers
        self.in_doubt.setdefault(account, {})[request.tag] = self._clock.monotonic()
        answer = await self._calls.run(
            account,
            Call(
                CallKind.PLACE,
                "POST",
                "/v3/order/place",
                body=place_fields(request, token),
                headers=headers,
                at_orders=True,
                once=True,
                last_look=request.last_look,
            ),
            self._calls.waits.send_s,
        )
        self._calls.note_placed(account, answer)
        outcome = _placed(answer)
        if not isinstance(outcome, Ambiguous):
            self.in_doubt[account].pop(request.tag, None)
        return outcome

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order, once.

        Upstox wants the whole of an order named again, so it is read first: what stays is as the broker has
        it now. Without that nothing is sent.
        """
        call = Call(CallKind.ORDERS, "GET", DETAILS, query={"order_id": broker_order_id})
        try:
            standing = UpstoxRow("order", await self._reading.answer(account, call))
            body = change_fields(standing, broker_order_id, change)
        except SessionExpired as error:
            return Refused(SESSION_EXPIRED, str(error))
        except BrokerError as error:
            return Refused(error.code, str(error)) if error.code == BAD_INPUT else NotSent(str(error))
        headers = self._headers(account)
        if isinstance(headers, Refused):
            return headers
        answer = await self._calls.run(
            account,
            Call(
                CallKind.MODIFY,
                "PUT",
                "/v3/order/modify",
                body=body,
                headers=headers,
                at_orders=True,
                once=True,
                last_look=change.last_look,
            ),
            self._calls.waits.send_s,
        )
        return asked_outcome(answer, broker_order_id)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""
        headers = self._headers(account)
        answer = await self._calls.run(
            account,
            Call(
                CallKind.CANCEL,
                "DELETE",
                "/v3/order/cancel",
                query={"order_id": broker_order_id},
                headers={} if isinstance(headers, Refused) else headers,
                at_orders=True,
                once=True,
            ),
            self._calls.waits.cancel_s,
        )
        return asked_outcome(answer, broker_order_id)

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert bought shares of a position, once, with a last look as a placement's."""
        key = f"{conversion.exchange}:{conversion.tradingsymbol}"
        token = self._listings.tokens([key]).get(key)
        if token is None:
            return Refused(NOT_LISTED, f"Upstox lists no {key}")
        body = {
            "instrument_token": token,
            "new_product": PRODUCT_CODES[conversion.to_product],
            "old_product": PRODUCT_CODES[conversion.from_product],
            "transaction_type": Side.BUY.value,
            "quantity": conversion.quantity,
        }
        call = Call(
            CallKind.CONVERT,
            "PUT",
            "/v2/portfolio/convert-position",
            body=body,
            once=True,
            last_look=conversion.last_look,
        )
        answer = await self._calls.run(account, call, self._calls.waits.send_s)
        return asked_outcome(answer)

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete a GTT order."""
        body = {"gtt_order_id": conditional.number}
        call = Call(CallKind.CONDITIONALS, "DELETE", "/v3/order/gtt/cancel", body=body, once=True)
        answer = await self._calls.run(account, call, self._calls.waits.cancel_s)
        return asked_outcome(answer, conditional.number)

    async def set_kill_switch(self, account: BrokerAccount, segment: str) -> Outcome:
        """Bar the client's orders in a segment, for twelve hours at the least."""
        body = [{"segment": segment, "action": "ENABLE"}]
        call = Call(CallKind.KILL_SWITCH, "POST", KILL_SWITCH, body=body, once=True)
        answer = await self._calls.run(account, call, self._calls.waits.send_s)
        return asked_outcome(answer)

    def _headers(self, account: BrokerAccount) -> Mapping[str, str] | Refused:
        """The name of the algo that the account's app is registered as, where it is one."""
        if not self._algos:
            return {}
        try:
            name = self._algos.get(self._calls.route_of(account).api_key)
        except BrokerError:
            return {}  # the call itself says what is missing
        if name is None:
            return {}
        if not name:
            return Refused(ROUTE, "the app is registered as an algo, and its name is not set")
        return {ALGO_HEADER: name}


def _placed(answer: object | CallFailure) -> Outcome:
    """The word for a placement: accepted where the answer names just one order."""
    if isinstance(answer, CallFailure):
        return write_outcome(answer)
    named: object = None
    if isinstance(answer, Mapping):
        told = cast("Mapping[str, object]", answer)
        named = told.get("order_ids") or [told.get("order_id")]
    listed = cast("list[object]", named) if isinstance(named, list) else []
    ids = [one for one in listed if isinstance(one, str) and one.strip()]
    return Accepted(ids[0]) if len(ids) == 1 else Ambiguous(f"the answer names {len(ids)} orders")


def place_fields(request: OrderRequest, token: str) -> dict[str, object]:
    """An order as Upstox takes it; the desk cuts its orders itself, so that each has a tag of its own."""
    fields: dict[str, object] = {
        "instrument_token": token,
        "transaction_type": request.side.value,
        "quantity": request.quantity,
        "product": PRODUCT_CODES[request.product],
        "order_type": request.order_type.value,
        "validity": request.validity.value,
        "price": rupees(request.price_paise),
        "trigger_price": rupees(request.trigger_paise),
        "disclosed_quantity": request.disclosed_quantity,
        "is_amo": request.after_market,
        "tag": request.tag,
        "slice": False,
    }
    if request.order_type in _PROTECTED and request.protection_bps is not None:
        fields["market_protection"] = percent(request.protection_bps)
    return fields


def change_fields(standing: UpstoxRow, broker_order_id: str, change: OrderChange) -> dict[str, object]:
    """A change as Upstox takes it: what does not change, as the order stands. Raises `BrokerError`."""
    kind = standing.word("order_type", OrderType)

    def stands(field: str, changed: int | None) -> float | int:
        return rupees(standing.paise_or_zero(field) if changed is None else changed)

    fields: dict[str, object] = {
        "order_id": broker_order_id,
        "order_type": kind.value,
        "validity": standing.text("validity"),
        "quantity": standing.count("quantity") if change.quantity is None else change.quantity,
        "price": 0 if kind in _PROTECTED else stands("price", change.price_paise),
        "trigger_price": stands("trigger_price", change.trigger_paise),
        "disclosed_quantity": standing.count_or_zero("disclosed_quantity"),
    }
    if kind in _PROTECTED:
        bps = change.protection_bps
        fields["market_protection"] = AUTOMATIC if bps is None else percent(bps)
    return fields


AUTOMATIC = -1
"""Protection by the broker's own band, for an order whose own is not known any more."""


def percent(bps: int) -> float | int:
    """Basis points as the percentage that is sent, such as 2 or 2.5."""
    hundredth = BPS // 100
    return bps // hundredth if bps % hundredth == 0 else bps / hundredth
