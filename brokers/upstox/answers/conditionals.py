"""GTT orders of Upstox in the contract's shape (Upstox API documentation, GTT)."""

from brokers.contract import BrokerRows, Conditional, ConditionalKind
from brokers.upstox.answers.orders import KeyOf
from brokers.upstox.answers.rows import UpstoxRow

_OVER = frozenset({"CANCELLED", "COMPLETED", "EXPIRED", "FAILED", "REJECTED"})
"""What a rule says that places nothing any more; any other word, known or not, may."""


def conditionals_of(answer: object, key_of: KeyOf) -> BrokerRows[Conditional]:
    """The GTT orders of which a rule may still place an order; Upstox has no alerts."""

    def take(row: UpstoxRow) -> Conditional | None:
        rules = UpstoxRow.rows("gtt rule", row.get("rules"))
        alive = [rule for rule in rules if rule.words("status").upper() not in _OVER]
        if rules and not alive:
            return None
        key = key_of(row.token, row.text("exchange"), row.symbol)
        said = "; ".join(_words(rule, row) for rule in alive)
        what = f"{key.partition(':')[2]}: {said or row.words('type')}"
        return Conditional(ConditionalKind.GTT, row.text("gtt_order_id"), what, True, key)

    found, unread = UpstoxRow.taken("gtt", answer, take)
    return BrokerRows(tuple(found), tuple(unread))


def _words(rule: UpstoxRow, row: UpstoxRow) -> str:
    """A rule in words: `ENTRY BUY 10 D when ABOVE 101.5`."""
    side, quantity = rule.words("transaction_type"), row.count_or_zero("quantity")
    price = f"{rule.number('trigger_price')}" if rule.get("trigger_price") is not None else ""
    when = f"when {rule.words('trigger_type')} {price}"
    return " ".join(f"{rule.words('strategy')} {side} {quantity} {row.words('product')} {when}".split())
