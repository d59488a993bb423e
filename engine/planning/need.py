"""What an order needs: the one formula, for a plan's line and for the open rest of an order that trades."""

from collections.abc import Callable

from msgspec import Struct

from data.money import own_share
from data.vocabulary import Policy, Product

SLACK_PAISE = 2
"""Kept until the order is over: rounding each fill up can cost one paisa more than rounding the whole."""


class Need(Struct, frozen=True, gc=False):
    """What a buy takes: own money, the lent rest (MTF only), estimated charges, slack. All in paise."""

    own_paise: int
    loan_paise: int = 0
    charges_paise: int = 0
    slack_paise: int = 0

    @property
    def total_paise(self) -> int:
        """What is blocked of the client's own money."""
        return self.own_paise + self.charges_paise + self.slack_paise


class Traded(Struct, frozen=True):
    """What has traded of a buy: its value, the client's own part of that, the charges booked. In paise."""

    notional_paise: int = 0
    own_paise: int = 0
    charges_paise: int = 0


NOTHING = Traded()


def need_of(
    quantity: int,
    price_paise: int,
    product: Product,
    margin_bps: int,
    policy: Policy,
    charges: Callable[[int], int],
    traded: Traded = NOTHING,
) -> Need:
    """What `quantity` more shares of a buy take at a price, beyond what has traded of it.

    `margin_bps` is the client's own part. `EXACT` takes the own part alone, `WORST` slack and charges too;
    `charges` returns those of an order that has traded so many paise in all.
    """
    if quantity <= 0:
        return Need(0)
    notional = quantity * price_paise
    total = traded.notional_paise + notional
    own = own_share(total, margin_bps) - traded.own_paise
    loan = max(0, notional - own) if product is Product.MTF else 0
    if policy is Policy.EXACT:
        return Need(own, loan)
    return Need(own, loan, charges(total) - traded.charges_paise, SLACK_PAISE)
