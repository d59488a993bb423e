"""What limits say of a plan's line: which limit, what the order would make of it, the reason to go beyond it.

Each kind has its figures; `engine/words/trading/limits.py` makes the sentences.
"""

from datetime import date

from msgspec import Struct

from data.vocabulary import LimitKind, LimitScope, LimitStrength, Product
from engine.planning.why import Why

OF_THIS_PLAN = 0
"""In the place of the number of an order that the same plan would make."""


class HeldLimit(Struct, frozen=True):
    """Which limit an order is held against: whose it is, how strict, and the reason typed to go beyond it.

    `whose` is a client's code or a group's name, empty for the desk.
    """

    scope: LimitScope
    whose: str
    strength: LimitStrength
    override: str = ""


class Limiting(Why, frozen=True):
    """What a limit says of an order; `held` is None where it is the exchange's rule or only told."""

    held: HeldLimit | None


class OverLimit(Limiting, frozen=True):
    """A figure beyond a limit: what the limit is, what is there already, what the order would make of it.

    In paise, basis points or a count as the kind has it; `of` is the stock or the sector, where it is of one.
    """

    limit: LimitKind
    figure: int
    now: int
    would: int
    of: str = ""


class OnShareList(Limiting, frozen=True):
    """The share is on a list as of a day, which says this of it; `stale` where a newer one is missing."""

    name: str
    told: str
    as_of: date
    stale: bool


class SettlesGross(Limiting, frozen=True):
    """Trade to trade: delivery in full alone, and nothing sold before it has come; `product` is another."""

    product: Product


class MeetsOwn(Limiting, frozen=True):
    """The order would trade with a live one of the desk's clients: its number, shares and price if any.

    `more` are further such orders; `own` is the same client's.
    """

    order_id: int | None
    quantity: int
    price_paise: int | None
    more: int
    own: bool


class DecimalSlip(Limiting, frozen=True):
    """A price that is the last one with its point elsewhere; `times` 10 where it is ten times too much."""

    what: str
    price_paise: int
    last_paise: int
    times: int
    too_much: bool


class Swapped(Limiting, frozen=True):
    """A quantity that is the price in rupees, as where one was typed into the other's field."""

    quantity: int
    price_paise: int
    limit_paise: int | None


class NotJudged(Limiting, frozen=True):
    """What a limit is held against is not known: shares without a young price."""

    limit: LimitKind


LIMIT_KINDS: dict[str, type[Limiting]] = {
    "over_limit": OverLimit,
    "on_share_list": OnShareList,
    "settles_gross": SettlesGross,
    "meets_own": MeetsOwn,
    "decimal_slip": DecimalSlip,
    "swapped": Swapped,
    "not_judged": NotJudged,
}
"""The word under which each kind stands in a plan's record."""
