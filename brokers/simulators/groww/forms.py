"""Bodies as clients send them in JSON, read into the contract's requests with Groww's own refusals."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from brokers.contract import OrderChange, OrderRequest
from brokers.simulators.groww.answers import bad_request, refused
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving.protection import automatic_band_bps
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, Product, Side, Validity

REFERENCE = re.compile(r"(?=.{8,20}\Z)[A-Za-z0-9]+(-[A-Za-z0-9]+){0,2}")
"""An order's reference: eight to twenty letters and digits, with at most two hyphens between them."""

ORDER_TYPES = {kind.value.replace("-", "_"): kind for kind in OrderType}
"""Groww's words for the types of orders."""

TYPE_WORDS = {kind: word for word, kind in ORDER_TYPES.items()}
"""The same, by type."""

PRODUCTS = {one.value: one for one in (Product.CNC, Product.MIS, Product.MTF)}
"""Groww's words for the products that are traded here."""

PROTECTED = frozenset({OrderType.MARKET, OrderType.SL_M})
_STOPS = frozenset({OrderType.SL, OrderType.SL_M})
_PRICED = frozenset({OrderType.LIMIT, OrderType.SL})

Body = Mapping[str, Any]


def read_json(body: bytes) -> object:
    """A posted JSON value. Raises `Turned`."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise bad_request("The request body should be JSON") from None


def read_object(body: bytes) -> Body:
    """A posted JSON object. Raises `Turned`."""
    given = read_json(body)
    if not isinstance(given, dict):
        raise bad_request("The request body should be a JSON object")
    return cast("dict[str, Any]", given)


def read_reference(body: Body, name: str = "order_reference_id") -> str:
    """The reference that a client names its order by. Raises `Turned`."""
    given = body.get(name)
    if not isinstance(given, str) or not REFERENCE.fullmatch(given):
        words = "should be 8 to 20 letters and digits with at most two hyphens"
        raise bad_request(f"{name} {words}")
    return given


def read_order(body: Body, instrument: Instrument, last_paise: int, switches: GrowwSwitches) -> OrderRequest:
    """A posted order. Raises `Turned` naming the first field that cannot be."""
    order_type = read_type(body)
    protected = order_type in PROTECTED
    if protected and not switches.market_orders:
        raise refused("Market orders are not allowed via API. Please use a limit order")
    return OrderRequest(
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        side=read_side(body),
        quantity=read_quantity(body),
        product=read_product(body, switches),
        order_type=order_type,
        tag=read_reference(body),
        validity=_validity(body, switches),
        price_paise=_price(body, "price") if order_type in _PRICED else None,
        trigger_paise=_price(body, "trigger_price") if order_type in _STOPS else None,
        protection_bps=automatic_band_bps(last_paise) if protected else None,
    )


def read_change(body: Body, order_type: OrderType) -> OrderChange:
    """A posted modification of an order that is of this type. Raises `Turned`."""
    return OrderChange(
        quantity=read_quantity(body),
        price_paise=_price(body, "price") if order_type in _PRICED else None,
        trigger_paise=_price(body, "trigger_price") if order_type in _STOPS else None,
    )


def read_type(body: Body) -> OrderType:
    """The order type of a body. Raises `Turned`."""
    given = ORDER_TYPES.get(str(body.get("order_type")))
    if given is None:
        raise _invalid(body, "order_type")
    return given


def read_side(body: Body) -> Side:
    """Whether a body buys or sells. Raises `Turned`."""
    if body.get("transaction_type") not in ("BUY", "SELL"):
        raise _invalid(body, "transaction_type")
    return Side(body["transaction_type"])


def read_product(body: Body, switches: GrowwSwitches, name: str = "product") -> Product:
    """The product of a body. Raises `Turned`."""
    product = PRODUCTS.get(str(body.get(name)))
    if product is None or (product is Product.MTF and not switches.mtf_orders):
        raise _invalid(body, name)
    return product


def read_quantity(body: Body) -> int:
    """How many shares a body asks for. Raises `Turned`."""
    quantity = body.get("quantity")
    if type(quantity) is not int or not 0 < quantity < 10**12:
        raise _invalid(body, "quantity")
    return quantity


def read_price(body: Body, name: str) -> Decimal | None:
    """A price in rupees, told as a number or as a text; None where there is none. Raises `Turned`."""
    given: object = body.get(name)
    if given is None or given == "":
        return None
    try:
        number = Decimal(given) if isinstance(given, (int, str, Decimal)) else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > 10**9:
        raise _invalid(body, name)
    return number


def _price(body: Body, name: str) -> int:
    """A price in paise; one between two paise is off every tick."""
    paise = (read_price(body, name) or Decimal(0)) * 100
    if paise <= 0:
        raise bad_request(f"{name} is required")
    if paise != paise.to_integral_value():
        raise bad_request(f"{name} is not a multiple of the tick size")
    return int(paise)


def _validity(body: Body, switches: GrowwSwitches) -> Validity:
    given = body.get("validity")
    if given not in (("DAY", "IOC") if switches.ioc_orders else ("DAY",)):
        raise _invalid(body, "validity")
    return Validity(given)


def _invalid(body: Body, name: str) -> Exception:
    given = body.get(name)
    return bad_request(f"{name} is required" if given is None else f"Invalid {name}: {given}")
