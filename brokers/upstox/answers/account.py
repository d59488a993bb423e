"""A client's profile, money and kill switches as Upstox answers them."""

from collections.abc import Mapping
from datetime import datetime

from brokers.contract import BrokerFunds, BrokerProfile, KillSwitch
from brokers.upstox.answers.rows import UpstoxRow
from data.vocabulary import Demat


def profile_of(answer: object) -> BrokerProfile:
    """Whose session it is. Only a power of attorney is told; without one a DDPI may stand all the same."""
    row = UpstoxRow("profile", answer)
    demat = Demat.POA if row.get("poa") is True else Demat.UNKNOWN
    return BrokerProfile(row.text("user_id"), row.words("user_name"), row.words("broker") or "UPSTOX", demat)


def addresses_of(answer: object) -> tuple[str, ...]:
    """The addresses that a client's orders may come from, none where none is registered."""
    row = UpstoxRow("addresses", answer)
    return tuple(filter(None, (row.words("primary_ip"), row.words("secondary_ip"))))


def funds_of(answer: object, mtf_positions: object, as_of: datetime) -> BrokerFunds:
    """A client's money: what is free to trade with, and what is lent on its positions of the MTF.

    Margin used counts positions beside open orders, so it does not tell what orders block. Upstox tells no
    limit of the facility; the loan is what those positions have cost beyond the client's own margin.
    """
    row = UpstoxRow("funds", answer).child("available_to_trade")
    own = 0
    for part in ("cash_available_to_trade", "pledge_available_to_trade"):
        if isinstance(row.get(part), Mapping) and isinstance(row.child(part).get("margin_used"), Mapping):
            own += row.child(part).child("margin_used").paise_or_zero("mtf")
    worth, unread = UpstoxRow.taken("mtf position", mtf_positions, _cost)
    return BrokerFunds(
        available_paise=row.paise("total"),
        blocked_paise=0,
        mtf_limit_paise=0,
        mtf_loan_paise=max(0, sum(worth) - own),
        as_of=as_of,
        orders_blocked=False,
        loan_whole=not unread,
    )


def _cost(row: UpstoxRow) -> int:
    return row.whole("quantity") * row.paise_or_zero("average_price")


def kill_switches_of(answer: object) -> list[KillSwitch]:
    """The switch of every segment. Raises `BrokerError` for one that does not say whether it is on."""
    found: list[KillSwitch] = []
    for row in UpstoxRow.rows("kill switch", answer):
        on = row.get("kill_switch_enabled")
        if not isinstance(on, bool):
            raise row.wrong("kill_switch_enabled", "true or false")
        found.append(KillSwitch(row.text("segment"), on, row.words("segment_status")))
    return found
