"""Holdings and positions of Upstox as the desk's buckets, each share counted once.

What was sold today stands in the positions (Upstox API documentation, portfolio). Whether a holding's
`quantity` includes what was bought a day before is not said, and a wrong guess would count shares twice or
not at all: the row's own profit tells.
"""

from datetime import date
from decimal import Decimal

from brokers.contract import BrokerHolding, BrokerRows
from brokers.upstox.answers.orders import KeyOf
from brokers.upstox.answers.rows import PRODUCT_CODES, UpstoxRow
from brokers.wire.shares import GatheredShares, ProductShares, SoldCounting
from data.reference.instruments import EXCHANGES
from data.vocabulary import Product


class Portfolio:
    """Gathers the shares of one client, on a day, by company and product."""

    def __init__(self, key_of: KeyOf, counting: SoldCounting, user_id: str, day: date) -> None:
        self._key_of = key_of
        self._gathered = GatheredShares(counting, user_id, day)

    def read(self, holdings: object, positions: object, mtf: object) -> BrokerRows[BrokerHolding]:
        """All of it; what there are no shares of is left out. Raises `BrokerError` for what is no list.

        Shares of the MTF are in a list of their own. Where another one has them too, they are the same.
        """
        lent, odd = UpstoxRow.taken("mtf position", mtf, self._take_lent)
        known = frozenset(lent)
        unread = UpstoxRow.taken("holdings", holdings, lambda row: self._take_holding(row, known))[1]
        unread += odd + UpstoxRow.taken("position", positions, lambda row: self._take_day(row, known))[1]
        return self._gathered.rows(unread)

    def _take_holding(self, row: UpstoxRow, lent: frozenset[str]) -> bool:
        on_margin = row.words("product") == PRODUCT_CODES[Product.MTF]
        if row.text("exchange") not in EXCHANGES or (on_margin and row.token in lent):
            return False
        quantity = row.count("quantity")
        t1, pledged = (row.count_or_zero(name) for name in ("t1_quantity", "collateral_quantity"))
        average = row.number("average_price")
        held = self._of(row, Product.MTF if on_margin else Product.CNC)
        held.quantity = (held.quantity or 0) + quantity
        held.isin, held.average = row.words("isin"), average
        held.before += max(0, quantity - t1) if _includes_t1(row, quantity, t1, average) else quantity
        held.t1 += t1
        held.pledged += pledged
        return True

    def _take_lent(self, row: UpstoxRow) -> str:
        token = row.token
        if row.text("exchange") in EXCHANGES:
            self._take_traded(row, Product.MTF)
        return token

    def _take_day(self, row: UpstoxRow, lent: frozenset[str]) -> bool:
        if not row.traded_here or (row.product is Product.MTF and row.token in lent):
            return False
        self._take_traded(row, row.product)
        return True

    def _take_traded(self, row: UpstoxRow, product: Product) -> None:
        """Add today's trading, and the shares of before that no holding has: those of MIS and of the MTF."""
        bought, sold = (row.count_or_zero(f"day_{side}_quantity") for side in ("buy", "sell"))
        values = [
            row.number(name) if row.get(name) is not None else Decimal()
            for name in ("day_buy_value", "day_sell_value")
        ]
        net = row.whole("quantity")
        average = row.number("average_price") if row.get("average_price") is not None else Decimal()
        held = self._of(row, product)
        held.bought += bought
        held.sold += sold
        held.bought_value += values[0]
        held.sold_value += values[1]
        if product is not Product.CNC:
            held.before += max(0, net - bought + sold)
            held.average = average

    def _of(self, row: UpstoxRow, product: Product) -> ProductShares:
        return self._gathered.of(self._key_of(row.token, row.text("exchange"), row.symbol), product)


def _includes_t1(row: UpstoxRow, quantity: int, t1: int, average: Decimal) -> bool:
    """Whether a holding's quantity counts the shares that were bought a day before too.

    Its profit is that of all shares that are left, whether or not its quantity counts those sold today
    (`cnc_used_quantity`). Where that does not tell, they are taken for counted: no share is sold then that
    may not be there.
    """
    if not t1 or row.get("pnl") is None or row.get("last_price") is None:
        return True
    each, profit = row.number("last_price") - average, row.number("pnl")
    used = row.count_or_zero("cnc_used_quantity")

    def off(shares: int) -> Decimal:
        return min(abs(profit - each * (shares - gone)) for gone in (0, used))

    return off(quantity) <= off(quantity + t1)
