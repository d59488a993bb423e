"""A client's profile and money as Groww answers them."""

from datetime import datetime

from brokers.contract import BrokerAccount, BrokerFunds, BrokerProfile
from brokers.groww.answers.rows import FNO, GrowwRow
from data.vocabulary import Demat


def profile_of(answer: object, account: BrokerAccount, session_ends: datetime | None = None) -> BrokerProfile:
    """Whose session it is. Groww tells no name, and calls a user by two ids, of which the desk may have
    either.

    Without a DDPI a sale takes a release at the depository.
    """
    row = GrowwRow("profile", answer)
    ids = [words for name in ("ucc", "vendor_user_id") if (words := row.words(name))]
    if not ids:
        raise row.wrong("ucc", "the client's code")
    own = next((one for one in ids if one.casefold() == account.user_id.casefold()), ids[0])
    demat = Demat.DDPI if row.get("ddpi_enabled") is True else Demat.UNKNOWN
    return BrokerProfile(own, "", "GROWW", demat, session_ends)


def trades_derivatives(answer: object) -> bool:
    """Whether an account may have orders of derivatives; it may where the profile does not say."""
    segments = GrowwRow("profile", answer).get("active_segments")
    return not isinstance(segments, list) or FNO in segments


def funds_of(answer: object, as_of: datetime) -> BrokerFunds:
    """A client's money: what is free to buy shares for delivery with. Groww lends nothing by its interface.

    Margin used counts positions beside open orders, so it does not tell what orders block.
    """
    row = GrowwRow("funds", answer).child("equity_margin_details")
    return BrokerFunds(
        available_paise=row.paise("cnc_balance_available"),
        blocked_paise=0,
        mtf_limit_paise=0,
        mtf_loan_paise=0,
        as_of=as_of,
        orders_blocked=False,
    )
