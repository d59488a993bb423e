"""Order forms as clients post them, read into the contract's requests with Kite's own refusals."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar, cast

from msgspec import Struct

from brokers.contract import Conversion, OrderChange, OrderRequest, Refused
from brokers.simulators.kite.answers import bad_input
from brokers.simulators.serving.answers import Turned
from data.vocabulary import OrderType, Product, Side, Validity

W = TypeVar("W", bound=StrEnum)

TAG_LENGTH = 20
AUTOMATIC_PROTECTION_BPS = 200
"""What `market_protection=-1` stands for here; Kite does not say what it takes."""

NO_PROTECTION = (
    "Market orders without market protection are not allowed via API. "
    "Please set market protection or use a Limit order."
)

Form = Mapping[str, str]

_KINDS = {
    "insufficient_funds": "MarginException",
    "mtf_limit": "MarginException",
    "insufficient_holding": "HoldingException",
}


def turned_of(refused: Refused) -> Turned:
    """A refusal of the exchange as Kite answers it."""
    return Turned(400, _KINDS.get(refused.code, "InputException"), refused.message)


def read_order(form: Form, variety: str) -> OrderRequest:
    """A posted order. Raises `Turned` naming the first field that cannot be."""
    if variety not in ("regular", "amo"):
        raise bad_input(f"Invalid `variety`: {variety}.")
    tag = form.get("tag", "")
    if len(tag) > TAG_LENGTH:
        raise bad_input(f"`tag` should be at most {TAG_LENGTH} characters long.")
    order_type = _word(form, "order_type", OrderType)
    needs_price = order_type in (OrderType.LIMIT, OrderType.SL)
    needs_trigger = order_type in (OrderType.SL, OrderType.SL_M)
    protected = order_type in (OrderType.MARKET, OrderType.SL_M)
    return OrderRequest(
        exchange=_text(form, "exchange"),
        tradingsymbol=_text(form, "tradingsymbol"),
        side=_word(form, "transaction_type", Side),
        quantity=_count(form, "quantity"),
        product=_word(form, "product", Product),
        order_type=order_type,
        tag=tag,
        validity=_word({"validity": "DAY", **form}, "validity", Validity),
        price_paise=_price(form, "price") if needs_price else None,
        trigger_paise=_price(form, "trigger_price") if needs_trigger else None,
        protection_bps=read_protection(form) if protected else None,
        after_market=variety == "amo",
        disclosed_quantity=_count(form, "disclosed_quantity") if form.get("disclosed_quantity") else 0,
    )


def read_conversion(form: Form) -> Conversion:
    """A posted conversion. Raises `Turned` naming the first field that cannot be."""
    if _word(form, "transaction_type", Side) is not Side.BUY:
        raise bad_input("Only bought positions are converted here.")
    return Conversion(
        exchange=_text(form, "exchange"),
        tradingsymbol=_text(form, "tradingsymbol"),
        quantity=_count(form, "quantity"),
        from_product=_word(form, "old_product", Product),
        to_product=_word(form, "new_product", Product),
        overnight=form.get("position_type") == "overnight",
    )


class Calculation(Struct, frozen=True):
    """One order of a margin calculation; `price_paise` is None for one at the market's price."""

    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    quantity: int
    price_paise: int | None

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"


class NotedOrder(Struct, frozen=True):
    """One order of a virtual contract note, at the average price of its trades."""

    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    quantity: int
    average_rupees: Decimal

    @property
    def value_paise(self) -> int:
        """What it traded, to the nearest paisa."""
        return int((self.average_rupees * self.quantity * 100).to_integral_value())


def read_calculations(body: bytes) -> list[Calculation]:
    """The orders of a margin calculation, a JSON array. Raises `Turned` for the first that cannot be."""
    return [_calculation(order) for order in _array(body)]


def read_traded(body: bytes) -> list[NotedOrder]:
    """Traded orders whose charges are asked for, a JSON array. Raises `Turned` as `read_calculations`."""
    return [_traded(order) for order in _array(body)]


def _array(body: bytes) -> list[object]:
    try:
        given: object = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_input("Couldn't parse the JSON request.") from None
    if not isinstance(given, list):
        raise bad_input("The request should be an array of orders.")
    return cast("list[object]", given)


def _calculated(order: object) -> dict[str, str]:
    if not isinstance(order, dict):
        raise bad_input("An order should be an object.")
    fields = cast("dict[str, object]", order).items()
    form = {name: "" if value is None else str(value) for name, value in fields}
    if _text(form, "variety") not in ("regular", "amo"):
        raise bad_input("Invalid `variety`.")
    return form


def _traded(order: object) -> NotedOrder:
    form = _calculated(order)
    _text(form, "order_id")
    average = _number(form, "average_price")
    if average <= 0:
        raise bad_input("Invalid `average_price`.")
    return NotedOrder(
        exchange=_text(form, "exchange"),
        tradingsymbol=_text(form, "tradingsymbol"),
        side=_word(form, "transaction_type", Side),
        product=_word(form, "product", Product),
        quantity=_count(form, "quantity"),
        average_rupees=average,
    )


def _calculation(order: object) -> Calculation:
    form = _calculated(order)
    priced = _word(form, "order_type", OrderType) in (OrderType.LIMIT, OrderType.SL)
    return Calculation(
        exchange=_text(form, "exchange"),
        tradingsymbol=_text(form, "tradingsymbol"),
        side=_word(form, "transaction_type", Side),
        product=_word(form, "product", Product),
        quantity=_count(form, "quantity"),
        price_paise=_price(form, "price") if priced else None,
    )


def read_protection(form: Form) -> int:
    """How far from the last price a market order may trade, in basis points. Raises `Turned`."""
    percent = _number(form, "market_protection") if form.get("market_protection") else Decimal(0)
    if percent == -1:
        return AUTOMATIC_PROTECTION_BPS
    if percent == 0:
        raise bad_input(NO_PROTECTION)
    bps = percent * 100
    if not 0 < percent <= 100 or bps != bps.to_integral_value():
        raise bad_input("`market_protection` should be -1, or above 0 and up to 100.")
    return int(bps)


def read_change(form: Form) -> OrderChange:
    """A posted modification; the order's type is left to the caller. Raises `Turned`."""
    return OrderChange(
        quantity=_count(form, "quantity") if form.get("quantity") else None,
        price_paise=_price(form, "price") if _given(form, "price") else None,
        trigger_paise=_price(form, "trigger_price") if _given(form, "trigger_price") else None,
    )


def _given(form: Form, name: str) -> bool:
    return bool(form.get(name)) and _number(form, name) != 0


def _text(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise bad_input(f"Missing `{name}`.")
    return value


def _word(form: Form, name: str, words: type[W]) -> W:
    value = _text(form, name)
    try:
        return words(value)
    except ValueError:
        raise bad_input(f"Invalid `{name}`.") from None


def _count(form: Form, name: str) -> int:
    value = _text(form, name)
    if not (value.isascii() and value.isdigit() and len(value) < 12 and int(value) > 0):
        raise bad_input(f"Invalid `{name}`.")
    return int(value)


def _number(form: Form, name: str) -> Decimal:
    try:
        value = Decimal(_text(form, name))
    except InvalidOperation:
        raise bad_input(f"Invalid `{name}`.") from None
    if not value.is_finite() or abs(value) > 10**9:
        raise bad_input(f"Invalid `{name}`.")
    return value


def _price(form: Form, name: str) -> int:
    """A price in paise; one between two paise is off every tick."""
    paise = _number(form, name) * 100
    if paise <= 0:
        raise bad_input(f"Invalid `{name}`.")
    if paise != paise.to_integral_value():
        raise bad_input(f"The `{name}` is not a multiple of the tick size.")
    return int(paise)
