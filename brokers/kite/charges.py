"""Kite's charges of orders, as its virtual contract note tells them (Kite Connect documentation, margins)."""

from collections.abc import Mapping, Sequence

from brokers.contract import BrokerError, TradedLine
from brokers.kite.answers.rows import KiteRow
from brokers.kite.statuses import REGULAR
from data.reference.rates import Charges
from data.vocabulary import OrderType

MOST_ASKED = 100
"""Orders in one call; Kite names no limit, and what waits longer for one answer may lose all of it."""


def charges_fields(orders: Sequence[TradedLine]) -> list[Mapping[str, object]]:
    """Traded orders as they are sent. An order's id is not told back, so its place stands for it."""
    return [
        {
            "order_id": str(place),
            "exchange": order.exchange,
            "tradingsymbol": order.tradingsymbol,
            "transaction_type": order.side.value,
            "variety": REGULAR,
            "product": order.product.value,
            "order_type": OrderType.MARKET.value,
            "quantity": order.quantity,
            "average_price": order.value_paise / order.quantity / 100,  # Kite wants a JSON number here
        }
        for place, order in enumerate(orders, start=1)
    ]


def charges_of(orders: Sequence[TradedLine], answer: object) -> list[Charges]:
    """The charges of each order. Raises `BrokerError` where an answer is of others, or does not add up."""
    told = KiteRow.rows("charges", answer)
    if len(told) != len(orders):
        raise BrokerError(f"Kite: charges of {len(orders)} orders came in {len(told)} rows", "bad_row")
    return [_charges(order, row) for order, row in zip(orders, told, strict=True)]


def _charges(order: TradedLine, row: KiteRow) -> Charges:
    for field, expected in (
        ("tradingsymbol", order.tradingsymbol),
        ("exchange", order.exchange),
        ("transaction_type", order.side.value),
    ):
        if row.text(field) != expected:
            raise row.wrong(field, expected)
    if row.whole("quantity") != order.quantity:
        raise row.wrong("quantity", str(order.quantity))
    cost = row.child("charges")
    found = Charges(
        brokerage_paise=cost.paise("brokerage"),
        stt_paise=cost.paise("transaction_tax"),
        exchange_paise=cost.paise("exchange_turnover_charge"),
        sebi_paise=cost.paise("sebi_turnover_charge"),
        stamp_paise=cost.paise("stamp_duty"),
        gst_paise=cost.child("gst").paise("total"),
    )
    if abs(found.total_paise - cost.paise("total")) > _ROUNDED:
        raise cost.wrong("total", f"about {found.total_paise / 100:.2f}, what its parts come to")
    return found


_ROUNDED = 6
"""Paise that six parts, each to the nearest one, may be apart from their sum."""
