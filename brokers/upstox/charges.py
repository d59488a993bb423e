"""Upstox's charges of one order (Upstox API documentation, charges)."""

from brokers.contract import TradedLine
from brokers.meter import CallKind
from brokers.upstox.answers.rows import PRODUCT_CODES, UpstoxRow
from brokers.wire.calls import Call
from data.reference.rates import Charges

_ROUNDED = 6
"""Paise that six parts, each to the nearest one, may be apart from their sum."""


_OTHERS = ("other_taxes", "otherTaxes", "other_charges")
"""How the part that exchange and regulator take is spelled; documents and official clients differ."""


def charges_call(order: TradedLine, token: str) -> Call:
    """A traded order as it is asked for, at its average price."""
    query = {
        "instrument_token": token,
        "quantity": str(order.quantity),
        "product": PRODUCT_CODES[order.product],
        "transaction_type": order.side.value,
        "price": f"{order.value_paise / order.quantity / 100:.4f}",
    }
    return Call(CallKind.CHARGES, "GET", "/v2/charges/brokerage", query=query)


def charges_of(answer: object) -> Charges:
    """The charges of one order by kind. Raises `BrokerError` where they do not add up.

    The exchange's part includes its fund for investors, which the exchange bills with it.
    """
    row = UpstoxRow("charges", answer).child("charges")
    spelled = next((name for name in _OTHERS if row.get(name) is not None), _OTHERS[0])
    taxes, others = row.child("taxes"), row.child(spelled)
    found = Charges(
        brokerage_paise=row.paise("brokerage"),
        stt_paise=taxes.paise("stt"),
        exchange_paise=sum(others.paise_or_zero(name) for name in ("transaction", "clearing", "ipft")),
        sebi_paise=others.paise_or_zero("sebi_turnover"),
        stamp_paise=taxes.paise("stamp_duty"),
        gst_paise=taxes.paise("gst"),
    )
    if abs(found.total_paise - row.paise("total")) > _ROUNDED:
        raise row.wrong("total", f"about {found.total_paise / 100:.2f}, what its parts come to")
    return found
