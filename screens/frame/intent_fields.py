"""What the fields of an order start with and offer, in the bulk form and the ticket alike."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from data.errors import BadInput
from data.money import price_from_text
from data.vocabulary import OrderType, Side, SizingKind
from engine.planning.intent import STANDINGS
from engine.planning.titles import MARKED, shown_title

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.intent import Selection

AS_HELD = "as held"
"""The product of a sell that takes whatever each client holds."""

FIRST_VALUES = {
    SizingKind.PERCENT_OF_CAPITAL: "25",
    SizingKind.PERCENT_OF_AVAILABLE: "25",
    SizingKind.PERCENT_OF_POSITION: "100",
    SizingKind.PERCENT_OF_PORTFOLIO: "10",
    SizingKind.TARGET_WEIGHT: "10",
    SizingKind.FIXED_AMOUNT: "",
    SizingKind.FIXED_QUANTITY: "",
}
"""What stands in the value field of a fresh form."""

SIZES = {
    Side.BUY: (
        SizingKind.PERCENT_OF_CAPITAL,
        SizingKind.PERCENT_OF_AVAILABLE,
        SizingKind.FIXED_AMOUNT,
        SizingKind.FIXED_QUANTITY,
        SizingKind.PERCENT_OF_PORTFOLIO,
        SizingKind.TARGET_WEIGHT,
    ),
    Side.SELL: (
        SizingKind.PERCENT_OF_POSITION,
        SizingKind.FIXED_QUANTITY,
        SizingKind.FIXED_AMOUNT,
        SizingKind.PERCENT_OF_CAPITAL,
        SizingKind.TARGET_WEIGHT,
    ),
}
"""The sizings of each side, the one it starts with first."""


KINDS = (OrderType.MARKET, OrderType.LIMIT, OrderType.SL, OrderType.SL_M)
PRICED = frozenset({OrderType.LIMIT, OrderType.SL})
STOPS = frozenset({OrderType.SL, OrderType.SL_M})
"""Types that forms offer, those with a limit, and those that wait for a trigger."""


def standings(desk: Desk) -> list[str]:
    """How long orders may stand, as forms offer it; AMO only where the broker takes such orders."""
    return [word for word in STANDINGS if word != "AMO" or desk.connections.take_after_market]


def prices_from(order_type: OrderType, price: str, trigger: str) -> tuple[int | None, int | None]:
    """Limit and trigger in paise of what was typed, None for those the type has not. Raises `BadInput`."""
    named = f"{'an' if order_type in STOPS else 'a'} {order_type}"
    limit_paise = trigger_paise = None
    if order_type in PRICED:
        if not price.strip():
            raise BadInput("price", price, f"{named} order needs a price; @ takes the last")
        limit_paise = price_from_text(price, "price")
    if order_type in STOPS:
        if not trigger.strip():
            raise BadInput("trigger", trigger, f"{named} order needs the price that sets it off")
        trigger_paise = price_from_text(trigger, "trigger")
    return limit_paise, trigger_paise


def with_limit(kind: str) -> str:
    """The order type that a limit price makes of another: a stop order stays one."""
    return (OrderType.SL if kind in STOPS else OrderType.LIMIT).value


def with_trigger(kind: str) -> str:
    """The order type that a trigger makes of another: one that had a limit keeps it."""
    return (OrderType.SL if kind in PRICED else OrderType.SL_M).value


def narrowed(selection: Selection, total: int) -> bool:
    """Whether a selection is of marked clients, or of those left in view."""
    title = selection.title
    return MARKED in title or title == shown_title(len(selection.client_ids), total)


def symbol_problem(desk: Desk, text: str) -> BadInput:
    """Why a text is no symbol yet, with the nearest ones where there are any."""
    if not text.strip():
        return BadInput("symbol", text, "type a symbol or a company's name")
    try:
        desk.market.index.resolve(text)
    except BadInput as bad:
        return bad
    return BadInput("symbol", text, "choose one from the list with Enter")


def client_problem(desk: Desk, text: str) -> BadInput:
    """Why a text is no client yet, with the nearest codes where there are any."""
    if not text.strip():
        return BadInput("client", text, "type a client's code or name")
    try:
        desk.clients.find(text)
    except BadInput as bad:
        return bad
    return BadInput("client", text, "choose one from the list with Enter")


def suggest_symbols(desk: Desk, text: str) -> list[tuple[Hashable, str]]:
    """Symbols for a field: the tradable ones, the code first."""
    return [
        (found.key, f"{found.tradingsymbol} {found.exchange} {found.name}")
        for found in desk.market.search(text, 12)
        if found.tradable
    ]
