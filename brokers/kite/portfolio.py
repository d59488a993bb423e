"""Holdings and today's positions of Kite as the desk's buckets, each share counted once.

A holding's `quantity` leaves out what was sold today, and its `used_quantity` is that part; the same sale
stands in the positions too (Kite Connect documentation, portfolio). So what was sold today beyond the used
part came out of today's own buys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from brokers.contract import BrokerHolding
from brokers.kite.mapping import Row, rows, to_paise, traded_here
from data.instruments import EXCHANGES
from data.vocabulary import Product


@dataclass(slots=True)
class _Held:
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


def holdings_of(holdings: object, positions: object) -> list[BrokerHolding]:
    """A client's shares by company and product; what there are none of is left out.

    `blocked` is 0: Kite does not tell what open sell orders keep. Raises `BrokerError` naming row and field.
    """
    found: dict[tuple[str, Product], _Held] = {}
    for row in rows("holdings", holdings):
        if row.get("exchange") in EXCHANGES:
            _take_holding(found, row)
    for row in rows("position", Row("positions", positions).get("net")):
        if traded_here(row):
            _take_position(found, row)
    shown = (_shown(held, product) for (_, product), held in found.items())
    return [held for held in shown if held.free + held.t1 + held.today + held.pledged]


def _take_holding(found: dict[tuple[str, Product], _Held], row: Row) -> None:
    symbol = row.text("tradingsymbol")
    held = _find(found, row, Product.CNC)
    held.isin = row.words("isin")
    held.settled += row.count("quantity")
    held.used += row.count("used_quantity")
    held.t1 += row.count("t1_quantity")
    if row.get("authorised_quantity") is not None:
        held.authorised += max(0, row.count("authorised_quantity") - row.count("used_quantity"))
    held.pledged += row.count("collateral_quantity")
    held.average = row.number("average_price")
    if isinstance(row.get("mtf"), Mapping):
        mtf = row.child("mtf")
        if mtf.count("quantity") or mtf.count("used_quantity"):
            funded = found[symbol, Product.MTF] = _find(found, row, Product.MTF)
            funded.isin = held.isin
            funded.settled += mtf.count("quantity")
            funded.used += mtf.count("used_quantity")
            funded.average = mtf.number("average_price")


def _take_position(found: dict[tuple[str, Product], _Held], row: Row) -> None:
    """Add today's trading. Sales on one exchange of shares that are listed under the other are joined."""
    held = _find(found, row, row.word("product", Product))
    held.bought += row.count("day_buy_quantity")
    held.bought_value += row.number("day_buy_value")
    held.sold += row.count("day_sell_quantity")


def _find(found: dict[tuple[str, Product], _Held], row: Row, product: Product) -> _Held:
    symbol = row.text("tradingsymbol")
    return found.setdefault((symbol, product), _Held(row.text("exchange"), symbol))


def _shown(held: _Held, product: Product) -> BrokerHolding:
    # Below zero where the holdings lag behind a sale: then it is taken from the settled shares first.
    today = held.bought - (held.sold - held.used)
    missing = max(0, -today)
    free = max(0, held.settled - missing)
    t1 = max(0, held.t1 - max(0, missing - held.settled))
    today = max(0, today)
    if product is Product.MIS:  # an intraday short is no holding
        free = t1 = 0
    cost = held.average * (free + t1 + held.pledged)
    if today:
        # Shares counted as today's without a buy today, which lagging rows can show, cost the average.
        price = held.bought_value / held.bought if held.bought else held.average
        cost += price * today
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
    )
