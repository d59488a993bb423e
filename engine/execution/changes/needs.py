"""What changes of live orders would block, against what their clients have left."""

from msgspec import Struct

from data.vocabulary import Product
from engine.book.book import Book
from engine.book.views import OrderView
from engine.booking.order import Blocked


class ChangeNeeds(Struct, frozen=True):
    """What a change of an order would block beyond what is blocked: paise of money and loan, and shares.

    The `short` figures are what the client lacks of it.
    """

    money_paise: int
    loan_paise: int
    shares: int
    short_paise: int = 0
    loan_short_paise: int = 0
    shares_short: int = 0

    @property
    def covered(self) -> bool:
        """Whether the client has all of it."""
        return not (self.short_paise or self.loan_short_paise or self.shares_short)


class Spare:
    """What clients have free, less what the changes that were looked at before would take of it."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._taken: dict[tuple[int, str, Product | None], int] = {}

    def take(self, order: OrderView, lacks: Blocked) -> ChangeNeeds:
        """What a change that lacks so much needs and finds; where it finds all, that is taken."""
        money, loan, shares = lacks
        client_id, share = order.client_id, (order.client_id, order.key, order.product)
        cash, lent = (client_id, "cash", None), (client_id, "loan", None)
        funds = self._book.funds.get(client_id)
        available = room = 0
        if funds is not None:
            available, room = funds.available_paise, funds.mtf_limit_paise - funds.mtf_used_paise
        held = (h for h in self._book.holdings.get(client_id, ()) if (h.key, h.product) == share[1:])
        free = next((holding.sellable for holding in held), 0)
        needs = ChangeNeeds(
            money,
            loan,
            shares,
            max(0, money - (available - self._taken.get(cash, 0))) if money else 0,
            max(0, loan - (room - self._taken.get(lent, 0))) if loan else 0,
            max(0, shares - (free - self._taken.get(share, 0))) if shares else 0,
        )
        if needs.covered:
            for what, amount in ((cash, money), (lent, loan), (share, shares)):
                self._taken[what] = self._taken.get(what, 0) + amount
        return needs
