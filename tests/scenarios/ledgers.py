"""A morning's books beside those of the simulated brokers, to the paisa and the share."""

from collections.abc import Iterable

from tests.scenarios.kite_morning import Morning, Person


def money_agrees(morning: Morning, people: Iterable[Person]) -> None:
    """Free and blocked money together, and shares, are the same to the paisa and the share at both sides."""
    for one in people:
        ours, theirs = morning.desk.funds.of(one.number), morning.exchange.funds(one.user_id)
        here = ours.available_paise + ours.blocked_paise - ours.shortfall_paise
        assert here == theirs.available_paise + theirs.blocked_paise, one.code
        held = {view.key: view.quantity for view in morning.desk.holdings.of(one.number) if view.quantity}
        there = {
            f"{row.exchange}:{row.tradingsymbol}": row.free + row.t1 + row.today
            for row in morning.exchange.holdings(one.user_id)
        }
        assert held == {key: count for key, count in there.items() if count}, one.code


def sent_once(morning: Morning) -> None:
    """No order came twice to any broker."""
    for broker in (morning.kite, *morning.others.values()):
        assert set(broker.received.values()) <= {1}
