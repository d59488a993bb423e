"""An order in words: its state, why it stands so, its price and its terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import half_up
from data.records import replace
from data.vocabulary import OrderState, OrderType, Side
from engine.words import formats
from engine.words.trading.reasons import words as reason_words

if TYPE_CHECKING:
    from brokers.recording.happenings import OrderHappened
    from engine.book.views import OrderView

STATE_WORDS = {
    OrderState.RESERVED: "unsent",
    OrderState.SENDING: "sending",
    OrderState.OPEN: "open",
    OrderState.UNKNOWN: "UNKNOWN",
    OrderState.FILLED: "filled",
    OrderState.CANCELLED: "cancelled",
    OrderState.REJECTED: "REJECTED",
    OrderState.DENIED: "DENIED",
    OrderState.EXPIRED: "expired",
    OrderState.NOT_RECEIVED: "NOT RECEIVED",
}
"""States as screens write them; what needs the trader stands in capitals."""


def origin_words(order: OrderView) -> str:
    """What an order was made for: `of run 3, plan 4`, `of flatten 1`, or that this desk did not send it."""
    if order.flatten_number is not None:
        return f"of flatten {order.flatten_number}"
    if order.run_number is None:
        return "that this desk did not send"
    return f"of run {order.run_number}, plan {order.plan_number}"


def state_words(order: OrderView) -> str:
    """The state; a part that filled is named, since it stays whatever comes."""
    words = STATE_WORDS[order.state]
    if order.after_market and order.live and not order.filled_quantity:
        words += " AMO"
    if order.modifying and order.live:
        words += ", changing"
    if order.live and order.limit_paise is not None and order.trigger_paise is not None:
        words += f" T{formats.price(order.trigger_paise)}"
    if order.filled_quantity and order.state is not OrderState.FILLED:
        return f"{words} {formats.quantity(order.filled_quantity)}/{formats.quantity(order.quantity)}"
    return words


def awaits_trigger(order: OrderView) -> bool:
    """Whether a stop order rests at its broker and waits for its price, as the broker's own word says."""
    return order.live and order.trigger_paise is not None and "trigger" in order.sub_status.casefold()


def board_words(order: OrderView) -> str:
    """The state in a table that shows the trigger in a column of its own."""
    if awaits_trigger(order) and not order.filled_quantity and not order.modifying:
        return "TRIGGER PENDING"
    return state_words(replace(order, trigger_paise=None))


def why_words(order: OrderView) -> str:
    """The broker's own words, else ours; of a filled order only what its broker said.

    A broker's word that is the state's own says nothing of why.
    """
    says_no_more = order.state is OrderState.FILLED or order.sub_status.casefold() == order.state.casefold()
    told = "" if says_no_more else order.sub_status
    return order.reason_text or reason_words(order.reason_code) or reason_words(told)


def flagged_why(order: OrderView) -> str:
    """Why an order stands as it does, behind the flags that a person must look at."""
    words, flags = why_words(order), " ".join(order.flags)
    return f"{flags}: {words}" if flags and words else flags or words


def order_price(order: OrderView) -> str:
    """The limit, the trigger of a stop order without one, or MARKET."""
    if order.limit_paise is not None:
        return formats.price(order.limit_paise)
    return "MARKET" if order.trigger_paise is None else f"T{formats.price(order.trigger_paise)}"


def bound_words(side: Side, paise: int) -> str:
    """The least favourable price an order can trade at: `up to 2,550.00` of a buy, `down to` of a sale."""
    return f"{'up' if side is Side.BUY else 'down'} to {formats.price(paise)}"


def terms_words(
    order_type: OrderType,
    limit_paise: int | None,
    trigger_paise: int | None,
    standing: str,
    bound: str = "",
) -> str:
    """Type and prices of an order in full: `SL 2,530.00 trigger 2,520.00`, `MARKET up to 2,550.00, IOC`.

    `bound` says how far an order without a limit is protected.
    """
    words = order_type.value
    if limit_paise is not None:
        words += f" {formats.price(limit_paise)}"
    if trigger_paise is not None:
        words += f" trigger {formats.price(trigger_paise)}"
    if limit_paise is None and bound:
        words += f" {bound}"
    return f"{words}, {standing}" if standing else words


def happened_words(order: OrderHappened) -> str:
    """A recorded order: `PS1015 order 12 BUY 10 RELIANCE CNC at 2,431.50: open 4/10 at 2,431.20`."""
    limit = f" at {formats.price(order.limit_paise)}" if order.limit_paise else ""
    trigger = f" T{formats.price(order.trigger_paise)}" if order.trigger_paise else ""
    words = f"{order.code} order {order.order} {order.side} {formats.quantity(order.quantity)} {order.symbol}"
    words += f" {order.product}{limit}{trigger}: {_state_told(order.state)}"
    if order.filled:
        average = formats.price(half_up(order.filled_notional_paise, order.filled))
        filled, quantity = formats.quantity(order.filled), formats.quantity(order.quantity)
        words += f" {filled}/{quantity} at {average}"
    return f"{words} · {order.why}" if order.why else words


def _state_told(stored: str) -> str:
    """A recorded state; one that is not known stays the word it is."""
    try:
        return STATE_WORDS[OrderState(stored)]
    except ValueError:
        return stored
