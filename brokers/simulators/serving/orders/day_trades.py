"""What a client's day has come to in each security and product, from the day's trades and conversions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from brokers.contract import BrokerHolding, BrokerTrade, Conversion
from brokers.simulators.exchange.prices import Listing, Quote
from data.vocabulary import Product, Side


class DayTraded:
    """What a client traded of one security in one product today."""

    def __init__(self) -> None:
        self.bought = self.sold = self.paid = self.got = 0

    def add(self, trade: BrokerTrade) -> None:
        """Count a fill of the day."""
        if trade.side is Side.BUY:
            self.bought += trade.quantity
            self.paid += trade.quantity * trade.price_paise
        else:
            self.sold += trade.quantity
            self.got += trade.quantity * trade.price_paise


Traded = tuple[str, str, Product]
"""Exchange, symbol and product of a position."""


def days_of(trades: Iterable[BrokerTrade], converted: Iterable[Conversion] = ()) -> dict[Traded, DayTraded]:
    """What was traded of each position today; what was converted counts as bought in its new product."""
    days: dict[Traded, DayTraded] = defaultdict(DayTraded)
    for trade in trades:
        days[trade.exchange, trade.tradingsymbol, trade.product].add(trade)
    for one in converted:
        before = days[one.exchange, one.tradingsymbol, one.from_product]
        after = days[one.exchange, one.tradingsymbol, one.to_product]
        moved = min(one.quantity, before.bought)
        paid = before.paid * moved // before.bought if before.bought else 0
        before.bought, before.paid = before.bought - moved, before.paid - paid
        after.bought, after.paid = after.bought + moved, after.paid + paid
    return days


class EarlierShares:
    """What a client holds of a security in a product from earlier days, and what it sold of that today."""

    def __init__(self, row: BrokerHolding | None, day: DayTraded | None) -> None:
        today = 0 if row is None else row.today
        self.quantity = 0 if row is None else row.free
        self.t1 = 0 if row is None else row.t1
        bought, sold, paid = (0, 0, 0) if day is None else (day.bought, day.sold, day.paid)
        self.used = max(0, sold - (bought - today))
        older = self.quantity + self.t1
        cost = (0 if row is None else row.cost_paise) - (today * paid // bought if bought else 0)
        self.average = cost / older / 100 if older else 0


class PricedDay(Struct, frozen=True):
    """What a client holds and traded today, with the market of each instrument by `EXCHANGE:SYMBOL`."""

    held: Sequence[BrokerHolding]
    days: Mapping[Traded, DayTraded]
    listings: Mapping[str, Listing]
    quotes: Mapping[str, Quote]

    def by_position(self) -> dict[Traded, BrokerHolding]:
        """What is held, by security and product."""
        return {(row.exchange, row.tradingsymbol, row.product): row for row in self.held}

    def earlier(self, product: Product) -> Iterable[tuple[Traded, BrokerHolding | None, EarlierShares]]:
        """Each security held or traded in a product, with what of it is from earlier days."""
        held = self.by_position()
        for traded in dict.fromkeys((*held, *self.days)):
            if traded[2] is product:
                yield traded, held.get(traded), EarlierShares(held.get(traded), self.days.get(traded))

    def market(self, traded: Traded) -> tuple[Listing, Quote]:
        """Listing and quote of a position's instrument."""
        key = f"{traded[0]}:{traded[1]}"
        return self.listings[key], self.quotes[key]
