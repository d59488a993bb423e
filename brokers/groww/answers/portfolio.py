"""Holdings and positions of Groww as the desk's buckets, each share counted once.

Two things are not said (Groww Trading API documentation, portfolio). Whether a holding's `quantity`
includes what was bought a day before, its own parts tell: free, locked and pledged shares make up those
that are settled. Whether the prices of positions are rupees or paise, the last price tells.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from brokers.contract import BrokerHolding, BrokerRows
from brokers.groww.answers.orders import KeyOf
from brokers.groww.answers.rows import GrowwRow
from brokers.wire.shares import GatheredShares
from data.vocabulary import Product

PAISE_FROM = 10
"""So many times the last price is no price in rupees: no band lets a share move so far within a day."""

_PARTS = ("demat_free_quantity", "demat_locked_quantity", "groww_locked_quantity", "pledge_quantity")
_PRICED = ("credit_price", "debit_price", "net_price")


def positions_of_shares(answer: object, key_of: KeyOf) -> list[str]:
    """The desk's keys of the shares in the positions whose rows can be read."""

    def take(row: GrowwRow) -> str | None:
        return key_of(row.text("exchange"), row.text("trading_symbol")) if row.traded_here else None

    return GrowwRow.taken("position", answer, take)[0]


class GrowwPortfolio:
    """Reads the shares of one client on a day. `lasts` are last prices in paise by the desk's keys."""

    def __init__(
        self,
        key_of: KeyOf,
        key_of_share: Callable[[str], str],
        lasts: Mapping[str, int],
        gathered: GatheredShares,
    ) -> None:
        self._key_of = key_of
        self._key_of_share = key_of_share
        self._lasts = lasts
        self._gathered = gathered

    def read(self, holdings: object, positions: object) -> BrokerRows[BrokerHolding]:
        """All of it; what there are no shares of is left out. Raises `BrokerError` for what is no list."""
        # Positions first: a holding's quantity is understood by what was sold today.
        unread = GrowwRow.taken("position", positions, self._take_day)[1]
        unread = GrowwRow.taken("holdings", holdings, self._take_holding)[1] + unread
        return self._gathered.rows(unread)

    def _take_holding(self, row: GrowwRow) -> bool:
        quantity, t1, pledged = (
            row.count("quantity"),
            row.count_or_zero("t1_quantity"),
            row.count_or_zero("pledge_quantity"),
        )
        held = self._gathered.of(self._key_of_share(row.text("trading_symbol")), Product.CNC)
        held.quantity = (held.quantity or 0) + quantity
        held.isin, held.average = row.words("isin"), row.number("average_price")
        includes = _includes_t1(row, quantity, t1, held.sold)
        held.before += max(0, quantity - t1) if includes else quantity
        held.t1 += t1
        held.pledged += pledged
        return True

    def _take_day(self, row: GrowwRow) -> bool:
        """Add today's trading, and the shares of before that no holding has: those of MIS.

        Bought and sold of before stand beside those of today, or in them: the net quantity tells.
        """
        if not row.traded_here:
            return False
        product, key = row.product, self._key_of(row.text("exchange"), row.text("trading_symbol"))
        bought, sold = row.count_or_zero("credit_quantity"), row.count_or_zero("debit_quantity")
        before = (
            row.count_or_zero("carry_forward_credit_quantity"),
            row.count_or_zero("carry_forward_debit_quantity"),
        )
        net = row.whole("quantity")
        if net == bought - sold and any(before):
            bought, sold = max(0, bought - before[0]), max(0, sold - before[1])
        unit = 100 if self._in_paise(row, key) else 1
        held = self._gathered.of(key, product)
        held.isin = held.isin or row.words("symbol_isin")
        held.bought += bought
        held.sold += sold
        held.bought_value += bought * row.number_or_zero("credit_price") / unit
        held.sold_value += sold * row.number_or_zero("debit_price") / unit
        if product is not Product.CNC:
            held.before += max(0, net - bought + sold)
            held.average = row.number_or_zero("net_price") / unit
        return True

    def _in_paise(self, row: GrowwRow, key: str) -> bool:
        last = self._lasts.get(key, 0)
        prices = [row.number_or_zero(name) for name in _PRICED]
        return bool(last) and max(prices) * 100 > last * Decimal(PAISE_FROM)


def _includes_t1(row: GrowwRow, quantity: int, t1: int, sold: int) -> bool:
    """Whether a holding's quantity counts the shares that were bought a day before too.

    Beyond its parts it counts those, what was sold today, both, or neither. Where that does not tell, they
    are taken for counted: no share is sold then that may not be there.
    """
    if not t1 or all(row.get(name) is None for name in _PARTS):
        return True
    beyond = quantity - sum(row.count_or_zero(name) for name in _PARTS)
    return beyond == t1 or beyond not in (0, sold)
