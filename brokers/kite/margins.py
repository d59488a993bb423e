"""Kite's margin calculation of one buy (Kite Connect documentation, margins)."""

from collections.abc import Mapping

from brokers.contract import BrokerError
from brokers.kite.answers.rows import KiteRow
from brokers.kite.statuses import REGULAR
from brokers.wire.margins import MarginBuy
from data.vocabulary import OrderType, Side


def margin_fields(buy: MarginBuy) -> Mapping[str, object]:
    """A buy as it is sent."""
    return {
        "exchange": buy.instrument.exchange,
        "tradingsymbol": buy.instrument.tradingsymbol,
        "transaction_type": Side.BUY.value,
        "variety": REGULAR,
        "product": buy.product.value,
        "order_type": OrderType.LIMIT.value,
        "quantity": buy.quantity,
        "price": buy.price_paise / 100,  # Kite wants a JSON number here
        "trigger_price": 0,
    }


def own_bps(buy: MarginBuy, answer: object) -> int:
    """The client's own share in basis points, the whole value at most. Raises `BrokerError`."""
    listed = KiteRow.rows("margin", answer)
    if len(listed) != 1:
        raise BrokerError(f"Kite: the margin of one order came in {len(listed)} rows", "bad_row")
    row = listed[0]
    total = row.paise("total")
    if row.text("type") != "equity":
        raise row.wrong("type", "equity")
    if total < buy.least_paise:
        raise row.wrong("total", f"at least {buy.least_paise / 100:.2f}, a tenth of the value")
    return buy.own_bps(total)
