"""Words of the books: accounts, buckets, transfers, breaks."""

from enum import StrEnum


class HoldKind(StrEnum):
    """Why money is kept from trading without an order."""

    PAYOUT = "payout"
    LIEN = "lien"


class Bucket(StrEnum):
    """Where shares of a holding stand on their way to the demat account."""

    TODAY = "today"
    T1 = "t1"
    FREE = "free"
    PLEDGED = "pledged"
    OUTSIDE = "outside"


class Account(StrEnum):
    """Ledger accounts of a client. Assets and expenses are positive, liabilities and income negative."""

    AVAILABLE = "available"
    BLOCKED = "blocked"
    UNSETTLED = "unsettled"
    STOCK_COST = "stock_cost"
    MTF_LOAN = "mtf_loan"
    INTRADAY_LOAN = "intraday_loan"
    CHARGES = "charges"
    CHARGES_DUE = "charges_due"
    REALISED = "realised"
    SHORTFALL = "shortfall"
    EXTERNAL = "external"


class BreakKind(StrEnum):
    """In what our books of a client differ from the broker's: a figure, or a fact that no booking took."""

    CASH = "cash"
    LOAN = "loan"
    SHARES = "shares"
    FACT = "fact"
    UNREAD = "unread"


class TransferKind(StrEnum):
    """What a transfer of the ledger is."""

    OPENING = "opening"
    """What a client came with."""
    HOLD = "hold"
    RESERVE = "reserve"
    RELEASE = "release"
    FILL = "fill"
    REBOOK = "rebook"
    """A sale taken back, and booked again."""
    SETTLE = "settle"
    DAY_OPEN = "day_open"
    """The broker's figures adopted at a day's opening."""
    ADOPT = "adopt"
    """The same on the trader's word."""
    CONVERT = "convert"
    """Shares that go on in another product."""


class ConversionState(StrEnum):
    """How far a conversion of shares is."""

    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Its call ended in doubt; the broker's positions say what became of it."""
