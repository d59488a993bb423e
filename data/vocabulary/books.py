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
    DUE = "due"
    """A company's action has made them, and the broker does not show them yet."""
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
    INTEREST = "interest"
    """What is paid on loans of the margin trading facility."""
    REALISED = "realised"
    SHORTFALL = "shortfall"
    DIVIDENDS = "dividends"
    """What companies have paid on shares, from the ex-date on."""
    DIVIDENDS_DUE = "dividends_due"
    """What of it the broker will credit, and has not yet."""
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
    INTEREST = "interest"
    """A day's interest on what is lent on shares."""
    RERATE = "rerate"
    """A day's charges brought to what its contract note will have, at the close."""
    NOTE = "note"
    """By how much a contract note differs from what its closed day was charged."""
    CONVERT = "convert"
    """Shares that go on in another product."""
    ACTION = "action"
    """What a company does with its shares; or the same taken back."""


class ConversionState(StrEnum):
    """How far a conversion of shares is."""

    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Its call ended in doubt; the broker's positions say what became of it."""
