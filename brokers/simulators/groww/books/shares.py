"""Holdings and positions as Groww's rows, from the exchange's books and the day's trades.

Neither carries a price of the market. What was bought today for delivery is a position and becomes a holding
the next day; a sale from the holdings shows as a position with nothing bought.
"""

from brokers.contract import BrokerHolding
from brokers.simulators.groww.names import CASH, amount
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.orders.day_trades import DayTraded, EarlierShares, PricedDay, Traded
from data.vocabulary import Product


def holding_rows(day: PricedDay, switches: GrowwSwitches) -> list[Row]:
    """Shares of earlier days, by security, whatever exchange they were bought on.

    One that was sold whole today keeps its row while sales are counted.
    """
    return [
        _holding(day, traded, row, part, switches)
        for traded, row, part in day.earlier(Product.CNC)
        if part.quantity or part.t1 or (part.used and switches.sold_in_quantity)
    ]


def _holding(
    day: PricedDay, traded: Traded, row: BrokerHolding | None, part: EarlierShares, switches: GrowwSwitches
) -> Row:
    listing, _ = day.market(traded)
    blocked, pledged = (0, 0) if row is None else (row.blocked, row.pledged)
    sold, coming = part.used * switches.sold_in_quantity, part.t1 * switches.t1_in_quantity
    return {
        "isin": listing.instrument.isin,
        "trading_symbol": traded[1],
        "quantity": part.quantity + sold + coming,
        "average_price": part.average,
        "pledge_quantity": pledged,
        "demat_locked_quantity": 0,
        "groww_locked_quantity": blocked,
        "repledge_quantity": 0,
        "t1_quantity": part.t1,
        "demat_free_quantity": max(0, part.quantity - blocked - pledged),
        "corporate_action_additional_quantity": 0,
        "active_demat_transfer_quantity": 0,
    }


def position_rows(day: PricedDay, switches: GrowwSwitches) -> list[Row]:
    """The day's trades, one row a security and product; shares on margin with those of earlier days."""
    rows = [
        _position(day, traded, one, EarlierShares(None, None), switches)
        for traded, one in day.days.items()
        if traded[2] is not Product.MTF and (one.bought or one.sold)
    ]
    on_margin = [
        _position(day, traded, day.days.get(traded, DayTraded()), part, switches)
        for traded, _, part in day.earlier(Product.MTF)
    ]
    return rows + [row for row in on_margin if row["credit_quantity"] or row["carry_forward_credit_quantity"]]


def _position(
    day: PricedDay, traded: Traded, one: DayTraded, part: EarlierShares, switches: GrowwSwitches
) -> Row:
    listing, _ = day.market(traded)
    carried = part.quantity + part.t1 + part.used
    credit, debit = _mean(one.paid, one.bought), _mean(one.got, one.sold)
    earlier = round(part.average * 100)
    net = carried + one.bought - one.sold
    held = _mean(one.paid + earlier * carried, one.bought + carried)
    closed = min(one.bought + carried, one.sold)

    def price(paise: int) -> int | float:
        return paise if switches.positions_in_paise else amount(paise)

    return {
        "trading_symbol": traded[1],
        "segment": CASH,
        "credit_quantity": one.bought,
        "credit_price": price(credit),
        "debit_quantity": one.sold,
        "debit_price": price(debit),
        "carry_forward_credit_quantity": carried,
        "carry_forward_credit_price": price(earlier if carried else 0),
        "carry_forward_debit_quantity": 0,
        "carry_forward_debit_price": 0,
        "exchange": traded[0],
        "symbol_isin": listing.instrument.isin,
        "quantity": net,
        "product": traded[2].value,
        "net_carry_forward_quantity": carried,
        "net_price": price(held if net > 0 else debit if net < 0 else 0),
        "net_carry_forward_price": price(earlier if carried else 0),
        "realised_pnl": price((debit - held) * closed),
    }


def _mean(paise: int, shares: int) -> int:
    """The average price in whole paise."""
    return round(paise / shares) if shares else 0
