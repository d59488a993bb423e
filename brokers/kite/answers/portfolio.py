"""Holdings and today's positions of Kite as the desk's buckets, each share counted once.

A holding's `quantity` leaves out what was sold today, and its `used_quantity` is that part; the same sale
stands in the positions too (Kite Connect documentation, portfolio). So what was sold today beyond the used
part came out of today's own buys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from brokers.contract import BrokerHolding, BrokerRows
from brokers.kite.answers.rows import KiteRow
from brokers.wire.rows import to_paise
from data.reference.instruments import EXCHANGES
from data.vocabulary import Product


@dataclass(slots=True)
class _HeldShares:
    """What is known of one company's shares in one product; the exchange is that of the holding's row."""

    exchange: str
    tradingsymbol: str
    isin: str = ""
    settled: int = 0
    used: int = 0
    t1: int = 0
    pledged: int = 0
    authorised: int = 0
    average: Decimal = field(default_factory=Decimal)
    bought: int = 0
    bought_value: Decimal = field(default_factory=Decimal)
    sold: int = 0
    sold_value: Decimal = field(default_factory=Decimal)


def holdings_of(holdings: object, positions: object) -> BrokerRows[BrokerHolding]:
    """A client's shares by company and product; what there are none of is left out.

    `blocked` is 0: Kite does not tell what open sell orders keep. Raises `BrokerError` for what is no list.
    """
    found: dict[tuple[str, Product], _HeldShares] = {}
    unread = KiteRow.taken("holdings", holdings, lambda row: _take_holding(found, row))[1]
    net = KiteRow("positions", positions).get("net")
    unread += KiteRow.taken("position", net, lambda row: _take_position(found, row))[1]
    shown = (_shown(held, product) for (_, product), held in found.items())
    have = (one for one in shown if one.free + one.t1 + one.today + one.pledged + one.short)
    return BrokerRows(tuple(have), tuple(unread))


def _take_holding(found: dict[tuple[str, Product], _HeldShares], row: KiteRow) -> bool:
    """Add a holding, or nothing of it where any of its fields is odd; returns whether it is a share."""
    if row.text("exchange") not in EXCHANGES:
        return False
    symbol, average = row.text("tradingsymbol"), row.number("average_price")
    counts = [row.count(name) for name in ("quantity", "used_quantity", "t1_quantity", "collateral_quantity")]
    mtf = row.child("mtf") if isinstance(row.get("mtf"), Mapping) else None
    lent = [mtf.count(name) for name in ("quantity", "used_quantity")] if mtf is not None else [0, 0]
    lent_average = mtf.number("average_price") if mtf is not None and any(lent) else Decimal()
    authorised = 0 if row.get("authorised_quantity") is None else row.count("authorised_quantity")
    held = _find(found, row, Product.CNC)
    held.authorised += max(0, authorised - counts[1])
    held.isin, held.average = row.words("isin"), average
    held.settled += counts[0]
    held.used += counts[1]
    held.t1 += counts[2]
    held.pledged += counts[3]
    if any(lent):
        funded = found[symbol, Product.MTF] = _find(found, row, Product.MTF)
        funded.isin, funded.average = held.isin, lent_average
        funded.settled += lent[0]
        funded.used += lent[1]
    return True


def _take_position(found: dict[tuple[str, Product], _HeldShares], row: KiteRow) -> bool:
    """Add today's trading. Sales on one exchange of shares that are listed under the other are joined."""
    if not row.traded_here:
        return False
    counts = [row.count(name) for name in ("day_buy_quantity", "day_sell_quantity")]
    value, received = row.number("day_buy_value"), row.number("day_sell_value")
    held = _find(found, row, row.word("product", Product))
    held.bought += counts[0]
    held.bought_value += value
    held.sold += counts[1]
    held.sold_value += received
    return True


def _find(found: dict[tuple[str, Product], _HeldShares], row: KiteRow, product: Product) -> _HeldShares:
    symbol = row.text("tradingsymbol")
    return found.setdefault((symbol, product), _HeldShares(row.text("exchange"), symbol))


def _shown(held: _HeldShares, product: Product) -> BrokerHolding:
    # Below zero where the holdings lag behind a sale: then it is taken from the settled shares first.
    today = held.bought - (held.sold - held.used)
    missing = max(0, -today)
    free = max(0, held.settled - missing)
    t1 = max(0, held.t1 - max(0, missing - held.settled))
    today, short = max(0, today), 0
    if product is Product.MIS:
        free, t1, short = 0, 0, missing
    cost = held.average * (free + t1 + held.pledged)
    if today:
        # Shares counted as today's without a buy today, which lagging rows can show, cost the average.
        price = held.bought_value / held.bought if held.bought else held.average
        cost += price * today
    received = held.sold_value * short / held.sold if short else Decimal()
    return BrokerHolding(
        exchange=held.exchange,
        tradingsymbol=held.tradingsymbol,
        isin=held.isin,
        product=product,
        free=free,
        t1=t1,
        today=today,
        blocked=0,
        pledged=held.pledged,
        cost_paise=to_paise(cost.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)),
        authorised=held.authorised if product is Product.CNC else 0,
        short=short,
        short_paise=to_paise(received),
    )
