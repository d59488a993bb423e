"""What limits are held against: an order as it is wanted, its client as it stands, the market around both."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from data.vocabulary import LimitScope, Product, Side
from engine.book.watched.limit_views import LimitView

Place = tuple[LimitScope, str]
"""Whose a limit is: its scope, and in that a client's number or a group's name."""


class Total(Struct, frozen=True):
    """The clients of one limit together: net P&L of the day, None where it is not known, and orders sent."""

    net_paise: int | None = None
    orders: int = 0


class ClientExposure(Struct, frozen=True):
    """One client as limits are held against it, with the limits over it, the nearest first.

    Money is in paise. `portfolio_paise`, `sector_paise` and `net_paise` (of the day, after charges) are None
    where a share has no young price, or no limit asks for them. `shares` are those held of the stock with
    what live buys may add, `sector_paise` is the same of its whole sector at last prices. `orders` counts
    what was sent today.
    """

    limits: tuple[LimitView, ...]
    base_paise: int = 0
    portfolio_paise: int | None = None
    shares: int = 0
    sector: str = ""
    sector_paise: int | None = None
    net_paise: int | None = None
    orders: int = 0
    totals: Mapping[Place, Total] = {}


class OppositeOrder(Struct, frozen=True):
    """A live order of one of the desk's clients: what may trade, and its worst price, None for any price."""

    order_id: int | None
    client_id: int
    side: Side
    quantity: int
    price_paise: int | None


class ListedShare(Struct, frozen=True):
    """A list that has the share: its name, what it says, as of which day, and whether it is too old."""

    name: str
    told: str
    as_of: date
    stale: bool


class Surroundings(Struct, frozen=True):
    """What is the same for every client: live orders of the other side, and the lists that have the share."""

    opposite: tuple[OppositeOrder, ...] = ()
    listings: tuple[ListedShare, ...] = ()
    trade_to_trade: bool = False


NOTHING_AROUND = Surroundings()


class WantedOrder(Struct, frozen=True):
    """An order for one client as limits are held against it.

    `bound_paise` is what a share may cost at most, or bring at least. `orders` is how many it goes as, each
    of `slice_quantity` shares at most, 0 for no limit; `typed` says that its quantity was typed as a number.
    """

    client_id: int
    code: str
    tradingsymbol: str
    side: Side
    product: Product
    quantity: int
    bound_paise: int
    last_paise: int
    limit_paise: int | None = None
    trigger_paise: int | None = None
    orders: int = 1
    slice_quantity: int = 0
    lot_size: int = 1
    typed: bool = False
