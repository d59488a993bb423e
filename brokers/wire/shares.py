"""A client's shares as brokers tell them in holdings and positions, each share counted once.

What was sold today stands in the positions. Whether a holding's `quantity` falls with a sale is learnt
from the first holding that was read before and after one; until then it is taken for the whole as the day
began.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from brokers.contract import BrokerHolding, BrokerRows, UnreadRow
from brokers.wire.rows import to_paise
from data.vocabulary import Product


@dataclass(slots=True)
class ProductShares:
    """What is known of one company's shares in one product; `before` are those of before today.

    `quantity` is as a holding tells it, None without one.
    """

    exchange: str
    symbol: str
    isin: str = ""
    quantity: int | None = None
    before: int = 0
    t1: int = 0
    pledged: int = 0
    average: Decimal = field(default_factory=Decimal)
    bought: int = 0
    bought_value: Decimal = field(default_factory=Decimal)
    sold: int = 0
    sold_value: Decimal = field(default_factory=Decimal)


class SoldCounting:
    """Whether holdings count what was sold of them today, as learnt; the same at every client.

    `counted` is None until it is known, and `on_learnt` is told then. Holdings are read before positions: a
    sale between the two shows in the positions alone, as one does that holdings count. So that is learnt of
    the same figures read twice; that they do not is learnt at once, by a quantity that has fallen.
    """

    def __init__(self) -> None:
        self.counted: bool | None = None
        self.on_learnt: Callable[[bool], None] = lambda counted: None
        self._openings: dict[tuple[str, str], tuple[date, int]] = {}
        self._sold: dict[tuple[str, str], tuple[date, int, int]] = {}

    def counts(self, user_id: str, symbol: str, day: date, quantity: int, sold: int) -> bool:
        """Whether this holding's quantity does, of which so many shares were sold on that day."""
        if not sold:
            self._openings[user_id, symbol] = (day, quantity)
        elif self.counted is None:
            opened, before = self._openings.get((user_id, symbol), (day, -1))
            told = (day, quantity, sold)
            twice = self._sold.get((user_id, symbol)) == told
            self._sold[user_id, symbol] = told
            if opened == day and (quantity < before or (twice and quantity == before)):
                self.counted = quantity == before
                self.on_learnt(self.counted)
        return self.counted is not False


class GatheredShares:
    """Gathers the shares of one client, on a day, by the desk's key and product."""

    def __init__(self, counting: SoldCounting, user_id: str, day: date) -> None:
        self._counting = counting
        self._user_id = user_id
        self._day = day
        self._found: dict[tuple[str, Product], ProductShares] = {}

    def of(self, key: str, product: Product) -> ProductShares:
        """What is known of a share in a product; one symbol is one company, whatever the exchange."""
        exchange, _, symbol = key.partition(":")
        return self._found.setdefault((symbol, product), ProductShares(exchange, symbol))

    def rows(self, unread: Iterable[UnreadRow]) -> BrokerRows[BrokerHolding]:
        """All of it; what there are no shares of is left out."""
        for (_, product), held in self._found.items():
            if product is Product.CNC and held.quantity is not None:
                at = self._user_id, held.symbol, self._day, held.quantity, held.sold
                if not self._counting.counts(*at):
                    held.before += max(0, held.sold - held.bought)
        shown = (_shown(held, product) for (_, product), held in self._found.items())
        have = (one for one in shown if one.free + one.t1 + one.today + one.pledged + one.short)
        return BrokerRows(tuple(have), tuple(unread))


def _shown(held: ProductShares, product: Product) -> BrokerHolding:
    """What is left: what was sold today came out of the settled shares first, then of the day before's."""
    sold = held.sold
    taken = [0, 0]
    for place, there in enumerate((held.before - held.pledged, held.t1)):
        taken[place] = min(sold, max(0, there))
        sold -= taken[place]
    free, t1 = max(0, held.before - held.pledged - taken[0]), held.t1 - taken[1]
    today, short = max(0, held.bought - sold), 0
    if product is Product.MIS:
        net = held.before + held.bought - held.sold
        free, today, short = 0, max(0, net), max(0, -net)
    cost = held.average * (free + t1 + held.pledged)
    if today:
        cost += (held.bought_value / held.bought if held.bought else held.average) * today
    received = held.sold_value * short / held.sold if short else Decimal()
    return BrokerHolding(
        exchange=held.exchange,
        tradingsymbol=held.symbol,
        isin=held.isin,
        product=product,
        free=free,
        t1=t1,
        today=today,
        blocked=0,
        pledged=held.pledged,
        cost_paise=to_paise(cost.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)),
        short=short,
        short_paise=to_paise(received),
    )
