"""Groww's margin of one buy (Groww Trading API documentation, margin)."""

from brokers.groww.answers.rows import CASH, GrowwRow
from brokers.groww.listings import Listed
from brokers.meter import CallKind
from brokers.wire.calls import Call
from brokers.wire.margins import MarginBuy
from brokers.wire.rows import rupees
from data.vocabulary import Product, Side

_FIELDS = {Product.CNC: "cash_cnc_margin_required", Product.MIS: "cash_mis_margin_required"}


def margin_call(buy: MarginBuy, listed: Listed) -> Call:
    """A buy as it is asked."""
    asked = {
        "trading_symbol": listed.symbol,
        "transaction_type": Side.BUY.value,
        "quantity": buy.quantity,
        "price": rupees(buy.price_paise),
        "order_type": "LIMIT",
        "product": buy.product.value,
        "exchange": listed.exchange,
        "segment": CASH,
    }
    query = {"segment": CASH}
    return Call(CallKind.MARGINS, "POST", "/v1/margins/detail/orders", query=query, body=[asked])


def own_bps(buy: MarginBuy, answer: object) -> int:
    """The client's own share in basis points, the whole value at most. Raises `BrokerError`.

    The margin of the product, where that is told; else all that is required less brokerage and charges.
    """
    row = GrowwRow("margin", answer)
    total = row.paise_or_zero(_FIELDS.get(buy.product, ""))
    if not total:
        total = row.paise("total_requirement") - row.paise_or_zero("brokerage_and_charges")
    if total < buy.least_paise:
        raise row.wrong("total_requirement", f"at least {buy.least_paise / 100:.2f}, a tenth of the value")
    return buy.own_bps(total)
