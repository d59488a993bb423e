"""Bodies as clients send them in JSON, read into the contract's requests with Upstox's own refusals."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar, cast

from brokers.contract import OrderChange, OrderRequest, Refused
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.protection import automatic_band_bps
from brokers.simulators.upstox import answers
from brokers.simulators.upstox.answers import Fault, invalid
from brokers.simulators.upstox.switches import UpstoxSwitches
from data.money import BPS
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, Product, Side, Validity

TAG_LENGTH = 40
MOST_PROTECTION_PERCENT = 25

PRODUCTS = {"D": Product.CNC, "I": Product.MIS, "MTF": Product.MTF}
"""Upstox's codes of the products that are traded here."""

PRODUCT_CODES = {product: code for code, product in PRODUCTS.items()}
"""The same, by product."""

_PROTECTED = frozenset({OrderType.MARKET, OrderType.SL_M})
_STOPS = frozenset({OrderType.SL, OrderType.SL_M})
_PRICED = frozenset({OrderType.LIMIT, OrderType.SL})

Body = Mapping[str, Any]

W = TypeVar("W", bound=StrEnum)


def read_object(body: bytes) -> Body:
    """A posted JSON object. Raises `Turned`."""
    try:
        given: object = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise invalid("body", None, "The request body should be a JSON object")
    return cast("dict[str, Any]", given)


def turned_of(refused: Refused) -> Turned:
    """A refusal of the exchange as Upstox answers it."""
    return answers.refused(refused.message)


def read_order(body: Body, instrument: Instrument, last_paise: int, switches: UpstoxSwitches) -> OrderRequest:
    """A posted order. Raises `Turned` naming the first field that cannot be."""
    tag = body.get("tag") or ""
    if not isinstance(tag, str) or len(tag) > TAG_LENGTH:
        raise invalid("tag", tag, f"Tag should be at most {TAG_LENGTH} characters", "UDAPI1119")
    order_type = read_type(body)
    product = PRODUCTS.get(str(body.get("product", "")))
    if product is None:
        raise invalid("product", body.get("product"))
    side = body.get("transaction_type")
    if side not in ("BUY", "SELL"):
        raise invalid("transaction_type", side)
    if type(body.get("is_amo")) is not bool:
        raise invalid("is_amo", body.get("is_amo"))
    return OrderRequest(
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        side=Side(side),
        quantity=read_quantity(body),
        product=product,
        order_type=order_type,
        tag=tag,
        validity=read_validity(body),
        price_paise=_price(body, "price") if order_type in _PRICED else None,
        trigger_paise=_price(body, "trigger_price") if order_type in _STOPS else None,
        protection_bps=_protection(body, order_type, product, last_paise, switches),
        disclosed_quantity=_count(body, "disclosed_quantity"),
    )


def read_change(body: Body, order_type: OrderType) -> OrderChange:
    """A posted modification of an order that is of this type. Raises `Turned`."""
    return OrderChange(
        quantity=read_quantity(body) if body.get("quantity") is not None else None,
        price_paise=_price(body, "price") if order_type in _PRICED else None,
        trigger_paise=_price(body, "trigger_price") if order_type in _STOPS else None,
    )


def read_type(body: Body) -> OrderType:
    """The order type of a body. Raises `Turned`."""
    return _word(body, "order_type", OrderType, "UDAPI1004", "UDAPI1056")


def read_validity(body: Body) -> Validity:
    """The validity of a body. Raises `Turned`."""
    return _word(body, "validity", Validity, "UDAPI1007", "UDAPI1055")


def _word(body: Body, name: str, words: type[W], missing: str, wrong: str) -> W:
    """One of an enum's words; `missing` and `wrong` are the codes where there is none, or another."""
    given = body.get(name)
    if given is None:
        raise invalid(name, None, f"The {name} is required", missing)
    if given not in tuple(words):
        raise invalid(name, given, f"The {name} is invalid", wrong)
    return words(given)


def protection_bps(body: Body, last_paise: int) -> int:
    """How far from the last price a market order may trade; 0 for one without protection. Raises `Turned`."""
    percent = _number(body, "market_protection", Decimal(0))
    if percent == -1:
        return automatic_band_bps(last_paise)
    if percent > MOST_PROTECTION_PERCENT:
        words = f"Market protection should be at most {MOST_PROTECTION_PERCENT}"
        raise invalid("market_protection", float(percent), words, "UDAPI1176")
    bps = percent * 100
    if percent < 0 or bps != bps.to_integral_value():
        raise invalid("market_protection", float(percent), "Invalid market protection", "UDAPI1177")
    return int(bps)


def _protection(
    body: Body, order_type: OrderType, product: Product, last_paise: int, switches: UpstoxSwitches
) -> int | None:
    if order_type not in _PROTECTED:
        return None
    if not switches.protection_for_all and (order_type is OrderType.SL_M or product is Product.CNC):
        words = "Market protection is not allowed for this order"
        raise invalid("market_protection", None, words, "UDAPI1177")
    bps = protection_bps(body, last_paise)
    if bps == 0 and not switches.bare_market_orders:
        raise Fault("UDAPI1158", "Market orders without market protection are not allowed")
    # The exchange takes no order that may trade at any price; its widest band stands for none.
    return bps or MOST_PROTECTION_PERCENT * BPS // 100


def read_quantity(body: Body) -> int:
    """How many shares a body asks for. Raises `Turned`."""
    quantity = _count(body, "quantity")
    if quantity == 0:
        raise invalid("quantity", 0, "The quantity should be above zero", "UDAPI1052")
    return quantity


def _count(body: Body, name: str) -> int:
    value = body.get(name, 0)
    if type(value) is not int or not 0 <= value < 10**12:
        raise invalid(name, str(value))
    return value


def read_value(body: Body, price_paise: int | None = None) -> int:
    """What a calculation's `quantity` comes to at its `price`, or at this one where it names none, in paise.

    Raises `Turned`.
    """
    paise = _number(body, "price", None if price_paise is None else Decimal(0)) * 100
    if paise < 0 or (paise == 0 and price_paise is None):
        raise invalid("price", float(paise / 100), "The price is required", "UDAPI1043")
    each = paise if paise or price_paise is None else Decimal(price_paise)
    return int((each * read_quantity(body)).to_integral_value())


def _number(body: Body, name: str, missing: Decimal | None = None) -> Decimal:
    value: object = body.get(name)
    if value is None and missing is not None:
        return missing
    try:
        number = Decimal(value) if isinstance(value, (int, str, Decimal)) else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > 10**9:
        raise invalid(name, None if value is None else str(value))
    return number


def _price(body: Body, name: str) -> int:
    """A price in paise; one between two paise is off every tick."""
    paise = _number(body, name) * 100
    if paise <= 0:
        raise invalid(name, float(paise / 100), f"The {name} is required", "UDAPI1043")
    if paise != paise.to_integral_value():
        raise invalid(name, float(paise / 100), f"The {name} is not a multiple of the tick size")
    return int(paise)
