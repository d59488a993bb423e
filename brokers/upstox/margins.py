"""Upstox's margin of one buy (Upstox API documentation, margins)."""

from brokers.meter import CallKind
from brokers.upstox.answers.rows import PRODUCT_CODES, UpstoxRow
from brokers.wire.calls import Call
from brokers.wire.margins import MarginBuy
from brokers.wire.rows import rupees
from data.vocabulary import Side


def margin_call(buy: MarginBuy, token: str) -> Call:
    """A buy of what has this key at Upstox as it is asked."""
    asked = {
        "instrument_key": token,
        "quantity": buy.quantity,
        "product": PRODUCT_CODES[buy.product],
        "transaction_type": Side.BUY.value,
        "price": rupees(buy.price_paise),
    }
    return Call(CallKind.MARGINS, "POST", "/v2/charges/margin", body={"instruments": [asked]})


def own_bps(buy: MarginBuy, answer: object) -> int:
    """The client's own share in basis points, the whole value at most. Raises `BrokerError`.

    What is asked of it before benefits of other positions counts, which are no other client's.
    """
    row = UpstoxRow("margin", answer)
    total = row.paise("required_margin")
    if total < buy.least_paise:
        raise row.wrong("required_margin", f"at least {buy.least_paise / 100:.2f}, a tenth of the value")
    return buy.own_bps(total)
