"""Funds, holdings and positions as Kite's rows, from the exchange's books and the day's trades.

What was bought today is a position and becomes a holding the next day; a sale from the holdings shows as a
negative position beside the smaller holding.
"""

from collections.abc import Callable

from brokers.contract import BrokerFunds
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.kite.books.rows import kite_token
from brokers.simulators.serving.answers import Row, rupees
from brokers.simulators.serving.orders.day_trades import DayTraded, EarlierShares, PricedDay, Traded
from data.money import BPS
from data.vocabulary import Product


def margin_rows(funds: BrokerFunds, opening_paise: int, payout_paise: int) -> Row:
    """Both segments of a client's money: cash stands as at the day's start, debits grow with what is used.

    A payout under way is among the debits.
    """
    cash, debits = rupees(opening_paise), rupees(opening_paise - funds.available_paise)
    live = cash - debits  # floats, with the noise that Kite's own figures carry
    return {
        "equity": _segment(cash, live, debits, rupees(payout_paise), enabled=True),
        "commodity": _segment(0, 0, 0, 0, enabled=False),
    }


def _segment(cash: float, live: float, debits: float, payout: float, *, enabled: bool) -> Row:
    return {
        "enabled": enabled,
        "net": live,
        "available": {
            "adhoc_margin": 0,
            "cash": cash,
            "opening_balance": cash,
            "live_balance": live,
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {
            "debits": debits,
            "exposure": 0,
            "m2m_realised": 0,
            "m2m_unrealised": 0,
            "option_premium": 0,
            "payout": payout,
            "span": 0,
            "holding_sales": 0,
            "turnover": 0,
            "liquid_collateral": 0,
            "stock_collateral": 0,
            "delivery": 0,
        },
    }


def position_rows(day: PricedDay) -> Row:
    """Positions: of shares for delivery the day's alone, so that `net` and `day` agree."""
    rows = [
        _position(traded, one, *day.market(traded))
        for traded, one in day.days.items()
        if one.bought or one.sold
    ]
    return {"net": rows, "day": [dict(row) for row in rows]}


def _position(traded: Traded, day: DayTraded, listing: Listing, quote: Quote) -> Row:
    exchange, symbol, product = traded
    quantity = day.bought - day.sold
    buy_price = day.paid / day.bought / 100 if day.bought else 0
    sell_price = day.got / day.sold / 100 if day.sold else 0
    last = rupees(quote.last_paise)
    pnl = rupees(day.got - day.paid + quantity * quote.last_paise)
    closed = min(day.bought, day.sold)
    realised = (sell_price - buy_price) * closed
    return {
        "tradingsymbol": symbol,
        "exchange": exchange,
        "instrument_token": kite_token(listing.instrument),
        "product": product.value,
        "quantity": quantity,
        "overnight_quantity": 0,
        "multiplier": 1,
        "average_price": 0 if not quantity else buy_price if quantity > 0 else sell_price,
        "close_price": rupees(quote.prev_close_paise),
        "last_price": last,
        "value": rupees(day.got - day.paid),
        "pnl": pnl,
        "m2m": pnl,
        "unrealised": pnl - realised,
        "realised": realised,
        "buy_quantity": day.bought,
        "buy_price": buy_price,
        "buy_value": rupees(day.paid),
        "buy_m2m": rupees(day.paid),
        "sell_quantity": day.sold,
        "sell_price": sell_price,
        "sell_value": rupees(day.got),
        "sell_m2m": rupees(day.got),
        "day_buy_quantity": day.bought,
        "day_buy_price": buy_price,
        "day_buy_value": rupees(day.paid),
        "day_sell_quantity": day.sold,
        "day_sell_price": sell_price,
        "day_sell_value": rupees(day.got),
    }


def holding_rows(day: PricedDay, authorised: Callable[[str], int]) -> list[Row]:
    """Holdings, one row for each security, shares on margin in its `mtf` object.

    A security sold whole today keeps its row; `authorised` gives the quantity of an ISIN that the client has
    released for sale today.
    """
    held = day.by_position()
    rows: list[Row] = []
    for exchange, symbol in dict.fromkeys((traded[0], traded[1]) for traded in (*held, *day.days)):
        own, lent = (
            EarlierShares(held.get((exchange, symbol, product)), day.days.get((exchange, symbol, product)))
            for product in (Product.CNC, Product.MTF)
        )
        if own.quantity or own.t1 or own.used or lent.quantity or lent.t1 or lent.used:
            listing, quote = day.market((exchange, symbol, Product.CNC))
            rows.append(_holding(own, lent, listing, quote, authorised))
    return rows


def _holding(
    own: EarlierShares, lent: EarlierShares, listing: Listing, quote: Quote, authorised: Callable[[str], int]
) -> Row:
    instrument = listing.instrument
    last, close = rupees(quote.last_paise), rupees(quote.prev_close_paise)
    total = own.quantity + own.t1
    lent_total = lent.quantity + lent.t1
    value = lent.average * lent_total
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": kite_token(instrument),
        "isin": instrument.isin,
        "product": Product.CNC.value,
        "price": 0,
        "quantity": own.quantity,
        "used_quantity": own.used,
        "t1_quantity": own.t1,
        "realised_quantity": own.quantity + own.used,
        "authorised_quantity": authorised(instrument.isin),
        "authorised_date": None,
        "authorisation": {},
        "opening_quantity": own.quantity + own.t1 + own.used,
        "short_quantity": 0,
        "collateral_quantity": 0,
        "collateral_type": "",
        "discrepancy": False,
        "average_price": own.average,
        "last_price": last,
        "close_price": close,
        "pnl": (last - own.average) * total,
        "day_change": last - close,
        "day_change_percentage": (last - close) * 100 / close if close else 0,
        "mtf": {
            "quantity": lent_total,
            "used_quantity": lent.used,
            "average_price": lent.average,
            "value": value,
            "initial_margin": value * (instrument.mtf_margin_bps or BPS) / BPS,
        },
    }
