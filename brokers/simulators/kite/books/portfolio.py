"""Funds, holdings and positions as Kite's rows, from the exchange's books and the day's trades.

What was bought today is a position and becomes a holding the next day; a sale from the holdings shows as a
negative position beside the smaller holding.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from brokers.contract import BrokerFunds, BrokerHolding, BrokerTrade, Conversion
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.kite.answers import Row
from brokers.simulators.kite.books.rows import kite_token, rupees
from data.money import BPS
from data.vocabulary import Product, Side


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


class _Day:
    """What a client traded of one security in one product today."""

    def __init__(self) -> None:
        self.bought = self.sold = self.paid = self.got = 0

    def add(self, trade: BrokerTrade) -> None:
        if trade.side is Side.BUY:
            self.bought += trade.quantity
            self.paid += trade.quantity * trade.price_paise
        else:
            self.sold += trade.quantity
            self.got += trade.quantity * trade.price_paise


Traded = tuple[str, str, Product]
"""Exchange, symbol and product of a position."""


def days_of(trades: Iterable[BrokerTrade], converted: Iterable[Conversion] = ()) -> dict[Traded, _Day]:
    """What was traded of each position today; what was converted counts as bought in its new product."""
    days: dict[Traded, _Day] = defaultdict(_Day)
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


def position_rows(
    trades: Iterable[BrokerTrade],
    listings: Mapping[str, Listing],
    quotes: Mapping[str, Quote],
    converted: Iterable[Conversion] = (),
) -> Row:
    """Positions: of shares for delivery the day's alone, so that `net` and `day` agree."""
    rows = [
        _position(traded, day, listings[f"{traded[0]}:{traded[1]}"], quotes[f"{traded[0]}:{traded[1]}"])
        for traded, day in days_of(trades, converted).items()
        if day.bought or day.sold
    ]
    return {"net": rows, "day": [dict(row) for row in rows]}


def _position(traded: Traded, day: _Day, listing: Listing, quote: Quote) -> Row:
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


def holding_rows(
    holdings: Sequence[BrokerHolding],
    days: Mapping[Traded, _Day],
    listings: Mapping[str, Listing],
    quotes: Mapping[str, Quote],
    authorised: Callable[[str], int],
) -> list[Row]:
    """Holdings, one row for each security, shares on margin in its `mtf` object.

    A security sold whole today keeps its row; `authorised` gives the quantity of an ISIN that the client has
    released for sale today.
    """
    held = {(row.exchange, row.tradingsymbol, row.product): row for row in holdings}
    rows: list[Row] = []
    for exchange, symbol in dict.fromkeys((traded[0], traded[1]) for traded in (*held, *days)):
        key = f"{exchange}:{symbol}"
        own, lent = (
            _Part(held.get((exchange, symbol, product)), days.get((exchange, symbol, product)))
            for product in (Product.CNC, Product.MTF)
        )
        if own.quantity or own.t1 or own.used or lent.quantity or lent.t1 or lent.used:
            rows.append(_holding(own, lent, listings[key], quotes[key], authorised))
    return rows


class _Part:
    """What a client holds of a security in a product from earlier days, and what it sold of that today."""

    def __init__(self, row: BrokerHolding | None, day: _Day | None) -> None:
        today = 0 if row is None else row.today
        self.quantity = 0 if row is None else row.free
        self.t1 = 0 if row is None else row.t1
        bought, sold, paid = (0, 0, 0) if day is None else (day.bought, day.sold, day.paid)
        self.used = max(0, sold - (bought - today))
        older = self.quantity + self.t1
        cost = (0 if row is None else row.cost_paise) - (today * paid // bought if bought else 0)
        self.average = cost / older / 100 if older else 0


def _holding(
    own: _Part, lent: _Part, listing: Listing, quote: Quote, authorised: Callable[[str], int]
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
