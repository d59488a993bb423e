"""Words of the margin trading facility."""

from enum import StrEnum


class InterestForm(StrEnum):
    """How a broker counts interest on what it lends."""

    PERCENT_A_DAY = "percent_a_day"
    PERCENT_A_YEAR = "percent_a_year"
    """Of 365 days."""
    RUPEES_A_SLAB = "rupees_a_slab"
    """So many rupees a day for each slab of the loan that is begun."""


class MtfLevel(StrEnum):
    """What happens to a client whose shares on margin have fallen so far."""

    FLOOR = "floor"
    """The portfolio is down to the desk's own share of the capital that the client came with."""
    CALL = "call"
    """The broker asks for more money."""
    SALE = "sale"
    """The broker sells."""


class MtfRuleKind(StrEnum):
    """What a broker looks at before it calls or sells."""

    LOSS_OF_OWN = "loss_of_own"
    """The loss that free cash does not pay, as a part of the client's own part of the cost."""
    EQUITY_BELOW = "equity_below"
    """What shares and free cash are worth beyond the loan, as a part of the shares' value."""


class MissedPledge(StrEnum):
    """What becomes of shares on margin whose pledge is not accepted in time."""

    CONVERTED_OR_SOLD = "converted_or_sold"


class PledgeState(StrEnum):
    """How far the pledge of what was bought on margin is."""

    PENDING = "pending"
    """The client has to accept it by the broker's time."""
    OVERDUE = "overdue"
    """That time is over, and nobody has said that it was accepted."""
    AUTOMATIC = "automatic"
    """The client's DDPI or power of attorney accepts it."""
    ACCEPTED = "accepted"
    """Somebody has said that it was accepted."""


class MtfWarningKind(StrEnum):
    """What a trader is warned of about shares on margin."""

    FLOOR = "floor"
    CALL = "call"
    PLEDGE = "pledge"
    LEFT_LIST = "left_list"
    ACTION = "action"
    """A company's action before which the broker ends positions is a trading day away."""
    MANY = "many"
    """More stocks on margin than one keeps an eye on."""


class CorporateAction(StrEnum):
    """What a company does that changes its shares."""

    DIVIDEND = "dividend"
    BONUS = "bonus"
    SPLIT = "split"
    RIGHTS = "rights"
    BUYBACK = "buyback"
    MERGER = "merger"
    DEMERGER = "demerger"
    ISIN_CHANGE = "isin_change"
    OTHER = "other"


class DividendTo(StrEnum):
    """Where a dividend is paid."""

    BANK = "bank"
    """The client's own bank account, as companies do."""
    BROKER = "broker"
    """The client's account at the broker."""


class ActionState(StrEnum):
    """What has become of a company's action in a client's books."""

    BOOKED = "booked"
    UNDONE = "undone"
    COMING = "coming"
    """Its ex-date is not here yet."""
    OPEN = "open"
    """It can be booked."""
    PROOF = "proof"
    """It is booked once the broker's books show exactly it."""
    UNSAID = "unsaid"
    """Its words do not say what it does to a share, or nothing is booked of its kind."""
    TRADED = "traded"
    """Shares of before it were sold since its ex-date."""
    ADOPTED = "adopted"
    """The broker's shares were taken over since its ex-date."""
