"""How far a client's shares on margin may fall before the broker calls, and what then restores it. Pure.

All of it is an estimate at the last prices, in integer paise. A rule is turned into the most that the shares
may be worth for it to hold (`reached_at`); from that follow the fall of all alike, the fall of each stock
alone, and what must be paid in or sold.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from msgspec import Struct

from data.money import BPS, ceil_div
from data.reference.mtf import SaleRule
from data.vocabulary import MtfLevel, MtfRuleKind


class FundedStock(Struct, frozen=True):
    """A client's shares of one stock on margin at the last price, with their cost and the loan on them."""

    key: str
    quantity: int
    last_paise: int
    cost_paise: int
    loan_paise: int

    @property
    def value_paise(self) -> int:
        """What they are worth."""
        return self.quantity * self.last_paise


class MarginAccount(Struct, frozen=True):
    """What bears on a client's shares on margin, in paise.

    `cash_paise` is free cash less what is owed but for the loan, so that it may be below zero. `rest_paise`
    is all else of the portfolio: money that is not free and shares that are not lent on. `base_paise` is the
    capital that the client came with, and what came or went since.
    """

    stocks: tuple[FundedStock, ...]
    loan_paise: int
    cash_paise: int
    rest_paise: int
    base_paise: int

    @property
    def value_paise(self) -> int:
        """What the shares on margin are worth."""
        return sum(stock.value_paise for stock in self.stocks)

    @property
    def cost_paise(self) -> int:
        """What they cost."""
        return sum(stock.cost_paise for stock in self.stocks)

    @property
    def own_paise(self) -> int:
        """What of the cost was the client's own."""
        return self.cost_paise - self.loan_paise

    @property
    def portfolio_paise(self) -> int:
        """All that the client has."""
        return self.value_paise - self.loan_paise + self.cash_paise + self.rest_paise


class Threshold(Struct, frozen=True):
    """What a client is held against: a broker's rule, or the desk's floor of so much of the capital."""

    level: MtfLevel
    kind: MtfRuleKind | None
    percent_bps: int
    verified: bool = True
    source: str = ""


def threshold_of(rule: SaleRule) -> Threshold:
    """A broker's rule as a threshold."""
    return Threshold(rule.level, rule.kind, rule.percent_bps, rule.verified, rule.source)


def reached_at(threshold: Threshold, account: MarginAccount) -> int:
    """The most that the shares on margin are worth where the threshold is reached; may be below zero."""
    if threshold.kind is MtfRuleKind.LOSS_OF_OWN:
        # cost - value - cash >= percent of own
        return _floor(BPS * (account.cost_paise - account.cash_paise), threshold, account.own_paise)
    if threshold.kind is MtfRuleKind.EQUITY_BELOW:
        # value + cash - loan < percent of value
        owed = account.loan_paise - account.cash_paise
        return ceil_div(owed * BPS, BPS - threshold.percent_bps) - 1
    # portfolio <= percent of base
    without = account.portfolio_paise - account.value_paise
    return account.base_paise * threshold.percent_bps // BPS - without


def _floor(scaled: int, threshold: Threshold, own_paise: int) -> int:
    return (scaled - threshold.percent_bps * own_paise) // BPS


def is_reached(threshold: Threshold, account: MarginAccount) -> bool:
    """Whether the shares on margin are down to the threshold now."""
    return bool(account.stocks) and account.value_paise <= reached_at(threshold, account)


def fall_bps(value_paise: int, at_paise: int) -> int | None:
    """The least fall, in whole basis points, that brings a value down to another; None if none does."""
    if at_paise < 0 or value_paise <= 0:
        return None
    return max(0, ceil_div((value_paise - at_paise) * BPS, value_paise))


class Rung(Struct, frozen=True):
    """A threshold of a client: the fall of all its shares on margin alike that reaches it.

    `fall_bps` is None where no fall does; `reached` says that it stands at it now.
    """

    threshold: Threshold
    fall_bps: int | None
    reached: bool


class Alone(Struct, frozen=True):
    """A stock's own fall that reaches a threshold while the others stand, and its price there, in paise."""

    key: str
    fall_bps: int | None
    price_paise: int | None


def rungs_of(account: MarginAccount, thresholds: Sequence[Threshold]) -> list[Rung]:
    """The ladder of a client with shares on margin, as its thresholds are given."""
    if not account.stocks:
        return []
    value = account.value_paise
    return [
        Rung(one, fall_bps(value, reached_at(one, account)), is_reached(one, account)) for one in thresholds
    ]


def nearest(rungs: Sequence[Rung]) -> Rung | None:
    """The rung that the least fall reaches; None where none can be."""
    found = [one for one in rungs if one.fall_bps is not None]
    return min(found, key=lambda one: (not one.reached, one.fall_bps or 0), default=None)


def alone(stock: FundedStock, threshold: Threshold, account: MarginAccount) -> Alone:
    """How far one stock alone may fall before a threshold is reached."""
    at = reached_at(threshold, account) - (account.value_paise - stock.value_paise)
    fall = fall_bps(stock.value_paise, at)
    price = None if fall is None else min(stock.last_paise, at // stock.quantity)
    return Alone(stock.key, fall, price)


# --- what restores it ---------------------------------------------------------------------------------------


Charged = Callable[[FundedStock, int], int]
"""What selling so many of a stock's shares at the last price costs, in paise."""


def pay_in(threshold: Threshold, account: MarginAccount) -> int:
    """The least cash that takes a client off a threshold, in paise; zero where it is not reached.

    What is paid in counts as capital, too: the floor rises with it.
    """
    if not is_reached(threshold, account):
        return 0
    if threshold.kind is MtfRuleKind.LOSS_OF_OWN:
        # The rule holds while BPS * (cost - value - cash) >= percent of own.
        beyond = BPS * (account.cost_paise - account.value_paise - account.cash_paise)
        return (beyond - threshold.percent_bps * account.own_paise) // BPS + 1
    if threshold.kind is MtfRuleKind.EQUITY_BELOW:
        wanted = ceil_div(account.value_paise * threshold.percent_bps, BPS)
        return wanted - (account.value_paise + account.cash_paise - account.loan_paise)
    # BPS * (portfolio + paid) > percent * (base + paid)
    short = threshold.percent_bps * account.base_paise - BPS * account.portfolio_paise
    return short // (BPS - threshold.percent_bps) + 1


def after_sale(account: MarginAccount, key: str, quantity: int, charges_paise: int) -> MarginAccount:
    """The account once shares are sold at the last price: the loan on them is repaid, the rest is free."""
    stocks: list[FundedStock] = []
    loan = cash = 0
    for stock in account.stocks:
        if stock.key != key:
            stocks.append(stock)
            continue
        repaid = ceil_div(stock.loan_paise * quantity, stock.quantity)
        loan += repaid
        cash += quantity * stock.last_paise - repaid - charges_paise
        if quantity < stock.quantity:
            cost = stock.cost_paise * quantity // stock.quantity
            left = stock.quantity - quantity
            stocks.append(
                FundedStock(key, left, stock.last_paise, stock.cost_paise - cost, stock.loan_paise - repaid)
            )
    return MarginAccount(
        tuple(stocks),
        account.loan_paise - loan,
        account.cash_paise + cash,
        account.rest_paise,
        account.base_paise,
    )


def shares_to_sell(threshold: Threshold, account: MarginAccount, key: str, charged: Charged) -> int | None:
    """The fewest shares of one stock that, sold at the last price, take a client off a threshold.

    Zero where it is not reached, None where not even all of them do. A sale turns shares into money and
    leaves the portfolio as it is, so that none takes one off the floor.
    """
    if not is_reached(threshold, account):
        return 0
    stock = next(one for one in account.stocks if one.key == key)

    def restored(quantity: int) -> bool:
        return not is_reached(threshold, after_sale(account, key, quantity, charged(stock, quantity)))

    if threshold.kind is None or not restored(stock.quantity):
        return None
    return bisect_left(range(stock.quantity), True, lo=1, key=restored)
