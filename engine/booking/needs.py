"""What an order keeps blocked while it is open: money, loan room and shares, from its row alone."""

from collections.abc import Mapping
from typing import Any

from data.money import own_share
from data.reference.rates import estimate
from data.vocabulary import Policy, Product, Side
from engine.planning.sizing import SLACK_PAISE


def charges_for(order: Mapping[str, Any], notional_paise: int) -> int:
    """Estimated charges of an order once it has traded `notional_paise` in all, in paise."""
    return estimate(
        order["trading_date"],
        order["broker"],
        order["exchange"],
        Product(order["product"]),
        Side(order["side"]),
        notional_paise,
        demat_sale=order["demat_sale"],
    ).total_paise


def need(order: Mapping[str, Any], leaves: int, reserve_paise: int | None = None) -> tuple[int, int]:
    """What must stay blocked while `leaves` shares of a buy are open: money and loan room, in paise.

    `reserve_paise` is the price reserved for, else the order's own.
    """
    if leaves <= 0 or order["side"] == Side.SELL.value:
        return 0, 0
    price = order["reserve_price_paise"] if reserve_paise is None else reserve_paise
    total = order["filled_notional_paise"] + leaves * price
    own = own_share(total, order["margin_bps"]) - order["own_paise"]
    loan = leaves * price - own if order["product"] == Product.MTF.value else 0
    if order["policy"] == Policy.EXACT.value:
        return own, max(0, loan)
    return own + charges_for(order, total) - order["charges_paise"] + SLACK_PAISE, max(0, loan)


def open_need(order: Mapping[str, Any]) -> tuple[int, int, int]:
    """What the open rest of an order keeps blocked: money, loan room and, for a sell, shares.

    While a modify is open it is the larger of what the order is and what it would become, since either may
    trade.
    """
    forms = [(order["quantity"], order["reserve_price_paise"])]
    if order["asked_quantity"] is not None:
        forms.append((order["asked_quantity"], order["asked_reserve_paise"]))
    rests = [(max(0, quantity - order["filled_quantity"]), price) for quantity, price in forms]
    money, loan = zip(*(need(order, rest, price) for rest, price in rests), strict=True)
    shares = max(rest for rest, _ in rests) if order["side"] == Side.SELL.value else 0
    return max(money), max(loan), shares
