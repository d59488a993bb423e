"""Placing, modifying and cancelling at Kite: what is sent, and under which variety."""

from collections.abc import Callable

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerAccount,
    BrokerError,
    Conditional,
    ConditionalKind,
    Conversion,
    NotSent,
    OrderChange,
    OrderRequest,
    Outcome,
    Refused,
)
from brokers.kite.calls import KiteCalls, Purpose
from brokers.kite.client import KiteClient
from brokers.kite.outcomes import AUTHORISATION, Failure, write_outcome
from brokers.kite.statuses import AFTER_MARKET, REGULAR
from brokers.meter import CallKind
from brokers.wire.rows import percent_text, rupees_text
from data.clock import Clock
from data.vocabulary import OrderType, Side

_UNKNOWN_ORDER = ("variety", "find", "not found", "does not exist", "no such order")
"""Words of a refusal that speak of where an order is looked for, not of the order."""


class KiteOrders:
    """Sends what changes orders, and keeps each order's variety as placements and books have told it."""

    def __init__(self, calls: KiteCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._varieties: dict[tuple[BrokerAccount, str], str] = {}
        self._resting_until: dict[BrokerAccount, float] = {}

    def remember(self, account: BrokerAccount, broker_order_id: str, variety: str) -> None:
        """Keep an order's variety. Most are regular, which is what is assumed of an order not kept."""
        if variety == REGULAR:
            self._varieties.pop((account, broker_order_id), None)
        else:
            self._varieties[account, broker_order_id] = variety

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, once. After Kite has turned one away as too many, an account's next ones wait.

        The order's last look is taken in the thread that makes the call, when its connection stands.
        """
        resting = self._resting_until.get(account, 0.0) - self._clock.monotonic()
        if resting > 0:
            return NotSent(f"Kite turned calls away as too many; the next go in {resting:.0f} s")
        params = place_params(request)

        answer = await self._call(
            Purpose.PLACE, CallKind.PLACE, account, lambda client: client.place(params, request.last_look)
        )
        if isinstance(answer, Failure) and answer.status == 429 and not answer.capped:
            self._resting_until[account] = self._clock.monotonic() + self._calls.waits.cool_down_s
            self._calls.meter.rest(f"place {account.user_id}", self._calls.waits.cool_down_s)
        outcome = write_outcome(answer)
        if isinstance(outcome, Accepted):
            self.remember(account, outcome.broker_order_id, str(params["variety"]))
        elif isinstance(outcome, Refused) and outcome.code == AUTHORISATION:
            return Refused(AUTHORISATION, f"{outcome.message} {await self._where_to_authorise(account)}")
        return outcome

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order, naming only what changes, with a last look as a placement's."""
        params = change_params(change)

        def ask(variety: str) -> Callable[[KiteClient], str | Failure]:
            return lambda client: client.modify(variety, broker_order_id, params, change.last_look)

        return await self._by_variety(Purpose.PLACE, CallKind.MODIFY, account, broker_order_id, ask)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""

        def ask(variety: str) -> Callable[[KiteClient], str]:
            return lambda client: client.cancel(variety, broker_order_id)

        return await self._by_variety(Purpose.CANCEL, CallKind.CANCEL, account, broker_order_id, ask)

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert bought shares of a position, once, with a last look as a placement's."""
        params = {
            "exchange": conversion.exchange,
            "tradingsymbol": conversion.tradingsymbol,
            "transaction_type": Side.BUY.value,
            "position_type": "overnight" if conversion.overnight else "day",
            "quantity": conversion.quantity,
            "old_product": conversion.from_product.value,
            "new_product": conversion.to_product.value,
        }
        look = conversion.last_look
        return write_outcome(
            await self._call(
                Purpose.PLACE, CallKind.CONVERT, account, lambda client: client.convert(params, look)
            )
        )

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete a GTT or an alert."""
        delete = KiteClient.delete_gtt if conditional.kind is ConditionalKind.GTT else KiteClient.delete_alert
        ask: Callable[[KiteClient], str] = lambda client: delete(client, conditional.number)  # noqa: E731
        return write_outcome(await self._call(Purpose.CANCEL, CallKind.CONDITIONALS, account, ask))

    async def _by_variety(
        self,
        purpose: Purpose,
        kind: CallKind,
        account: BrokerAccount,
        broker_order_id: str,
        ask: Callable[[str], Callable[[KiteClient], str | Failure]],
    ) -> Outcome:
        """Ask under the order's variety, and under the other one where the first may have been wrong.

        An after-market order answers as `regular` from the opening on, which may not have been read yet, and
        fails in many ways under its old name (Kite's staff). A second try needs proof that the first changed
        nothing; a cancel can be asked for twice, since it ends an order once.
        """
        variety = self._varieties.get((account, broker_order_id), REGULAR)
        answer = await self._call(purpose, kind, account, ask(variety))
        first = write_outcome(answer)
        if isinstance(answer, str) or not _other_may_do(answer, first, variety, purpose):
            return first
        other = REGULAR if variety == AFTER_MARKET else AFTER_MARKET
        second = write_outcome(await self._call(purpose, kind, account, ask(other)))
        if isinstance(second, Accepted):
            self.remember(account, broker_order_id, other)
            return second
        # Of two refusals the one under the order's own variety speaks of the order; a doubt outweighs both.
        return second if isinstance(second, Ambiguous) else first

    async def _call(
        self,
        purpose: Purpose,
        kind: CallKind,
        account: BrokerAccount,
        ask: Callable[[KiteClient], str | Failure],
    ) -> str | Failure:
        waits = self._calls.waits
        return await self._calls.run(
            purpose, kind, account, ask, waits.cancel_s if purpose is Purpose.CANCEL else waits.send_s
        )

    async def _where_to_authorise(self, account: BrokerAccount) -> str:
        """Where the client authorises the sale; without Kite's own link, where to look for it."""
        wait_s = self._calls.waits.authorise_s
        link: str | Failure = Failure("no answer in time")
        try:
            async with self._clock.timeout(wait_s):
                link = await self._calls.run(
                    Purpose.READ, CallKind.SIGN_IN, account, KiteClient.authorise_holdings, wait_s
                )
        except (TimeoutError, BrokerError):
            pass
        if isinstance(link, Failure):
            return f"{account.user_id} must authorise the sale in Kite under Portfolio, Holdings."
        return f"{account.user_id} must authorise the sale at {link}"


def _other_may_do(answer: Failure, outcome: Outcome, variety: str, purpose: Purpose) -> bool:
    if variety not in (REGULAR, AFTER_MARKET) or not answer.sent or answer.refusal:
        return False
    if answer.unsettled or answer.wrong_address or answer.capped:  # of the order or the way, not of the name
        return False
    if isinstance(outcome, Refused):
        elsewhere = any(word in answer.words.lower() for word in _UNKNOWN_ORDER)
        return answer.status in (400, 404) and (variety == AFTER_MARKET or elsewhere)
    return purpose is Purpose.CANCEL and variety == AFTER_MARKET


def place_params(request: OrderRequest) -> dict[str, object]:
    """An order as Kite takes it; prices as exact decimals, since a float would be sent with its noise."""
    params: dict[str, object] = {
        "variety": AFTER_MARKET if request.after_market else REGULAR,
        "exchange": request.exchange,
        "tradingsymbol": request.tradingsymbol,
        "transaction_type": request.side.value,
        "quantity": request.quantity,
        "product": request.product.value,
        "order_type": request.order_type.value,
        "validity": request.validity.value,
        "tag": request.tag,
    }
    if request.price_paise is not None:
        params["price"] = rupees_text(request.price_paise)
    if request.trigger_paise is not None:
        params["trigger_price"] = rupees_text(request.trigger_paise)
    if request.protection_bps is not None and request.order_type in (OrderType.MARKET, OrderType.SL_M):
        params["market_protection"] = percent_text(request.protection_bps)
    if request.disclosed_quantity:
        params["disclosed_quantity"] = request.disclosed_quantity
    return params


def change_params(change: OrderChange) -> dict[str, object]:
    """A change as Kite takes it: what stays is left out, but for the protection of a stop without a limit.

    Kite takes no such order without it since April 2026, on a change as little as when it is placed.
    """
    params: dict[str, object] = {}
    if change.quantity is not None:
        params["quantity"] = change.quantity
    if change.price_paise is not None:
        params["price"] = rupees_text(change.price_paise)
    if change.trigger_paise is not None:
        params["trigger_price"] = rupees_text(change.trigger_paise)
    if change.protection_bps is not None:
        params["market_protection"] = percent_text(change.protection_bps)
    return params
