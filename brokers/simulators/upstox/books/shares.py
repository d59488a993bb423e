"""Holdings and positions as Upstox's rows, from the exchange's books and the day's trades.

What was bought today for delivery is a position and becomes a holding the next day; a sale from the holdings
shows as a negative position. Shares on margin are told by a route of their own.
"""

from brokers.contract import BrokerHolding
from brokers.simulators.serving.answers import Row, rupees
from brokers.simulators.serving.orders.day_trades import DayTraded, EarlierShares, PricedDay, Traded
from brokers.simulators.upstox.forms import PRODUCT_CODES
from brokers.simulators.upstox.keys import instrument_key
from brokers.simulators.upstox.switches import UpstoxSwitches
from data.vocabulary import Product


def holding_rows(day: PricedDay, switches: UpstoxSwitches) -> list[Row]:
    """Shares of earlier days; a security sold whole today keeps its row."""
    products = (Product.CNC, Product.MTF) if switches.mtf_in_holdings else (Product.CNC,)
    return [
        _holding(day, traded, row, part, switches)
        for product in products
        for traded, row, part in day.earlier(product)
        if part.quantity or part.t1 or part.used
    ]


def _holding(
    day: PricedDay, traded: Traded, row: BrokerHolding | None, part: EarlierShares, switches: UpstoxSwitches
) -> Row:
    listing, quote = day.market(traded)
    last, close = rupees(quote.last_paise), rupees(quote.prev_close_paise)
    sold = part.used if switches.sold_in_quantity else 0
    quantity = part.quantity + sold + (part.t1 if switches.t1_in_quantity else 0)
    return {
        "isin": listing.instrument.isin,
        "cnc_used_quantity": part.used + (0 if row is None else row.blocked),
        "collateral_type": "",
        "company_name": listing.instrument.name.upper(),
        "haircut": 0.0,
        "product": PRODUCT_CODES[traded[2]],
        "quantity": quantity,
        "trading_symbol": traded[1],
        "tradingsymbol": traded[1],
        "last_price": last,
        "close_price": close,
        "pnl": (last - part.average) * (part.quantity + part.t1),
        "day_change": last - close,
        "day_change_percentage": (last - close) * 100 / close if close else 0.0,
        "instrument_token": instrument_key(listing.instrument),
        "average_price": part.average,
        "collateral_quantity": 0 if row is None else row.pledged,
        "collateral_update_quantity": 0,
        "t1_quantity": part.t1,
        "exchange": traded[0],
    }


def position_rows(day: PricedDay) -> list[Row]:
    """The day's trades for delivery and within the day, one row a security and product."""
    return [
        _position(day, traded, one, EarlierShares(None, None), overnight=0)
        for traded, one in day.days.items()
        if traded[2] is not Product.MTF and (one.bought or one.sold)
    ]


def mtf_rows(day: PricedDay) -> list[Row]:
    """Shares on margin, those of earlier days and those of today in one row."""
    rows = [
        _position(
            day,
            traded,
            day.days.get(traded, DayTraded()),
            part,
            overnight=part.quantity + part.t1 + part.used,
        )
        for traded, _, part in day.earlier(Product.MTF)
    ]
    return [row for row in rows if row["overnight_quantity"] or row["day_buy_quantity"]]


def _position(day: PricedDay, traded: Traded, one: DayTraded, part: EarlierShares, *, overnight: int) -> Row:
    listing, quote = day.market(traded)
    carried = part.average * overnight
    bought, sold = one.bought + overnight, one.sold
    paid, got = rupees(one.paid) + carried, rupees(one.got)
    buy_price, sell_price = (paid / bought if bought else 0.0), (got / sold if sold else 0.0)
    net, last = bought - sold, rupees(quote.last_paise)
    realised = (sell_price - buy_price) * min(bought, sold)
    pnl = got - paid + net * last
    return {
        "exchange": traded[0],
        "multiplier": 1.0,
        "value": got - paid,
        "pnl": pnl,
        "product": PRODUCT_CODES[traded[2]],
        "instrument_token": instrument_key(listing.instrument),
        "average_price": 0.0 if not net else buy_price if net > 0 else sell_price,
        "buy_value": paid,
        "overnight_quantity": overnight,
        "day_buy_value": rupees(one.paid),
        "day_buy_price": rupees(one.paid) / one.bought if one.bought else 0.0,
        "overnight_buy_amount": carried,
        "overnight_buy_quantity": overnight,
        "day_buy_quantity": one.bought,
        "day_sell_value": got,
        "day_sell_price": sell_price,
        "overnight_sell_amount": 0.0,
        "overnight_sell_quantity": 0,
        "day_sell_quantity": sold,
        "quantity": net,
        "last_price": last,
        "unrealised": pnl - realised,
        "realised": realised,
        "sell_value": got,
        "trading_symbol": traded[1],
        "tradingsymbol": traded[1],
        "close_price": rupees(quote.prev_close_paise),
        "buy_price": buy_price,
        "sell_price": sell_price,
    }
