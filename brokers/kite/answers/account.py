"""A client's profile and money as Kite answers them."""

from collections.abc import Mapping
from datetime import datetime

from brokers.contract import (
    BrokerFunds,
    BrokerProfile,
)
from brokers.kite.answers.rows import KiteRow
from data.vocabulary import Demat

_DEMAT_CONSENTS = {"consent": Demat.DDPI, "physical": Demat.POA, "": Demat.NONE}
"""Kite Connect documentation, user profile."""


def profile_of(answer: object) -> BrokerProfile:
    """Whose session it is. A profile without `meta` tells nothing of the demat account."""
    row = KiteRow("profile", answer)
    told = row.child("meta").get("demat_consent") if isinstance(row.get("meta"), Mapping) else None
    demat = _DEMAT_CONSENTS.get(told, Demat.UNKNOWN) if isinstance(told, str) else Demat.UNKNOWN
    names = row.text("user_id"), row.words("user_name"), row.words("broker") or "ZERODHA"
    return BrokerProfile(*names, demat)


def funds_of(margins: object, holdings: object, as_of: datetime) -> BrokerFunds:
    """A client's money: what is free is the equity segment's live balance, what is blocked its payouts.

    `debits` also counts what today's purchases have cost, so it does not tell what open orders block. Kite
    tells no limit of the margin trading facility; the loan is what the holdings under it have cost beyond
    the client's own margin.
    """
    row = KiteRow("margins", margins)
    loans, unread = KiteRow.taken("holdings", holdings, _loan)
    return BrokerFunds(
        available_paise=row.child("available").paise("live_balance"),
        blocked_paise=abs(row.child("utilised").paise("payout")),
        mtf_limit_paise=0,
        mtf_loan_paise=sum(loans),
        as_of=as_of,
        orders_blocked=False,
        loan_of_today=False,  # today's purchases are positions, which tell no margin
        loan_whole=not unread,
    )


def _loan(held: KiteRow) -> int:
    """What is lent on one holding."""
    if not isinstance(held.get("mtf"), Mapping) or not held.child("mtf").count("quantity"):
        return 0
    mtf = held.child("mtf")
    return max(0, mtf.paise("value") - mtf.paise("initial_margin"))
