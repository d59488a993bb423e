"""GTTs and alerts in the contract's shape (Kite Connect documentation, GTT and alerts)."""

from brokers.contract import BrokerRows, Conditional, ConditionalKind
from brokers.kite.answers.rows import KiteRow


def conditionals_of(gtts: object, alerts: object) -> BrokerRows[Conditional]:
    """The active GTTs and the enabled alerts of a client."""
    found, unread = KiteRow.taken("gtt", gtts, _gtt)
    more, odd = KiteRow.taken("alert", alerts, _alert)
    return BrokerRows((*found, *more), (*unread, *odd))


def _gtt(row: KiteRow) -> Conditional | None:
    if row.text("status") != "active":
        return None
    condition = row.child("condition")
    orders = [_order(one) for one in KiteRow.rows("gtt order", row.get("orders"))]
    levels = condition.get("trigger_values")
    at = ", ".join(str(level) for level in levels) if isinstance(levels, list) else ""  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    what = f"{condition.text('tradingsymbol')} when it reaches {at}: {'; '.join(orders)}"
    key = f"{condition.words('exchange')}:{condition.text('tradingsymbol')}"
    return Conditional(ConditionalKind.GTT, str(row.whole("id")), what, True, key)


def _order(row: KiteRow) -> str:
    side, product = row.words("transaction_type"), row.words("product")
    return f"{side} {row.whole('quantity')} {product} at {row.number('price')}"


def _alert(row: KiteRow) -> Conditional | None:
    if row.text("status") != "enabled":
        return None
    limit = row.get("rhs_constant") if row.words("rhs_type") == "constant" else row.words("rhs_tradingsymbol")
    places = row.text("type") == "ato"
    what = f"{row.words('name')}: {row.words('lhs_tradingsymbol')} {row.words('operator')} {limit}"
    key = f"{row.words('lhs_exchange')}:{row.words('lhs_tradingsymbol')}"
    return Conditional(ConditionalKind.ALERT, row.text("uuid"), what, places, key)
