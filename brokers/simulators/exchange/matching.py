"""Price-time matching against the synthetic book. Pure: no money, no checks, no storage."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from brokers.simulators.exchange.prices import Quote


@dataclass(slots=True)
class Displayed:
    """What one market second still offers of an instrument's displayed depth.

    `taken` holds what orders have had of each side and price in this second; a pinned market has no end.
    """

    quote: Quote
    second: int
    taken: dict[tuple[bool, int], int] = field(default_factory=dict[tuple[bool, int], int])
    changed: bool = False

    def take(self, buying: bool, limit_paise: int, quantity: int) -> list[tuple[int, int]]:
        """Trade up to `quantity` shares at the displayed prices within the limit.

        Returns pairs of price and quantity, best price first; fewer shares than asked where depth ends.
        """
        fills: list[tuple[int, int]] = []
        for level in self.quote.asks if buying else self.quote.bids:
            price = level.price_paise
            if quantity == 0 or not reaches(buying, limit_paise, price):
                break
            if self.quote.pinned:
                return [(price, quantity)]
            had = self.taken.get((buying, price), 0)
            part = min(quantity, level.quantity - had)
            if part > 0:
                self.taken[buying, price] = had + part
                self.changed = True
                fills.append((price, part))
                quantity -= part
        return fills

    def marketable(self, buying: bool, limit_paise: int) -> bool:
        """Whether an order with this limit crosses the best opposite price."""
        best = self.quote.ask_paise if buying else self.quote.bid_paise
        return best > 0 and reaches(buying, limit_paise, best)


def reaches(buying: bool, limit_paise: int, price_paise: int) -> bool:
    """Whether a limit allows trading at a price."""
    return limit_paise >= price_paise if buying else limit_paise <= price_paise


def at_makers_price(fills: Sequence[tuple[int, int]], limit_paise: int) -> list[tuple[int, int]]:
    """Fills of an order that stood in the book: whoever crosses it trades at its own price."""
    quantity = sum(part for _, part in fills)
    return [(limit_paise, quantity)] if quantity else []
