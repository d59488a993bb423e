"""The broker's money rules: what an order blocks, what a fill books, what a new trading day settles.

Works on rows in hand and stores nothing.
"""

from collections.abc import Sequence

from msgspec import Struct

from brokers.simulators.exchange.schema import AccountRow, OrderRow, ParcelRow
from brokers.simulators.exchange.shorts import ShortRow
from data.money import ceil_div, own_share
from data.vocabulary import Policy, Product


def blocks_for(order: OrderRow, remaining: int) -> tuple[int, int]:
    """Own money and loan, in paise, that `remaining` shares of an order keep blocked; a sell none.

    What is lent within the day counts against no limit.
    """
    if not order.buying:
        return 0, 0
    notional = remaining * order.reserve_paise
    own = own_share(notional, order.own_bps)
    return own, 0 if order.product == Product.MIS else notional - own


def set_blocks(account: AccountRow, order: OrderRow, own: int, loan: int) -> None:
    """Change what an order blocks, taking from or giving back to the account."""
    account.available_paise -= own - order.own_blocked_paise
    account.blocked_paise += own - order.own_blocked_paise
    account.mtf_blocked_paise += loan - order.loan_blocked_paise
    order.own_blocked_paise, order.loan_blocked_paise = own, loan


def charge(account: AccountRow, order: OrderRow, total_paise: int, policy: Policy) -> int:
    """Carry an order's charges up to `total_paise`; returns what of it to pay at once.

    Under `exact` nothing is: it is due at the close.
    """
    more = total_paise - order.charges_paise
    order.charges_paise = total_paise
    if policy is Policy.EXACT:
        account.charges_due_paise += more
        return 0
    return more


def book_buy(account: AccountRow, order: OrderRow, price_paise: int, quantity: int) -> ParcelRow:
    """Book a bought part: own share from cash, the rest lent, the block shrunk to what is left to trade.

    Returns the parcel it makes.
    """
    notional = price_paise * quantity
    order.notional_paise += notional
    order.filled += quantity
    own_total = own_share(order.notional_paise, order.own_bps)
    own = own_total - order.own_booked_paise
    order.own_booked_paise = own_total
    own_block, loan_block = blocks_for(order, order.remaining)
    set_blocks(account, order, min(own_block, order.own_blocked_paise), loan_block)
    account.available_paise -= own
    if order.product == Product.MTF:
        account.mtf_loan_paise += notional - own
    shares = (order.user_id, order.security, order.product, order.trading_day, order.key, quantity)
    return ParcelRow(0, *shares, cost_paise=notional, loan_paise=notional - own)


def open_short(
    account: AccountRow, order: OrderRow, short: ShortRow, price_paise: int, quantity: int
) -> None:
    """Book a sold part of shares that are not held: margin is kept until they are bought back."""
    notional = price_paise * quantity
    order.notional_paise += notional
    order.filled += quantity
    margin = own_share(notional, order.own_bps)
    account.available_paise -= margin
    account.blocked_paise += margin
    short.quantity += quantity
    short.proceeds_paise += notional
    short.margin_paise += margin


def buy_back(account: AccountRow, order: OrderRow, short: ShortRow, price_paise: int, quantity: int) -> int:
    """Book a part bought back of a short; returns its profit in paise, which waits for settlement.

    A loss is taken from the account at once.
    """
    notional = price_paise * quantity
    order.notional_paise += notional
    order.filled += quantity
    order.own_booked_paise = own_share(order.notional_paise, order.own_bps)
    own_block, _ = blocks_for(order, order.remaining)
    set_blocks(account, order, min(own_block, order.own_blocked_paise), 0)
    return end_short(account, short, notional, quantity)


def end_short(account: AccountRow, short: ShortRow, cost_paise: int, quantity: int) -> int:
    """Take shares off a short for what they have cost; returns its profit in paise; a loss is paid now."""
    margin = short.margin_paise * quantity // short.quantity
    proceeds = short.proceeds_paise * quantity // short.quantity
    short.quantity -= quantity
    short.margin_paise -= margin
    short.proceeds_paise -= proceeds
    account.blocked_paise -= margin
    account.available_paise += margin + min(0, proceeds - cost_paise)
    return max(0, proceeds - cost_paise)


def underfunded(order: OrderRow) -> bool:
    """Whether an order blocks less than its rest needs, as one that came back may."""
    return order.own_blocked_paise < blocks_for(order, order.remaining)[0]


def cover(account: AccountRow, order: OrderRow, floor_paise: int) -> None:
    """Pay what took an account's cash below `floor_paise` from the order's own block; the rest is owed."""
    short = max(0, floor_paise - account.available_paise)
    freed = min(short, order.own_blocked_paise)
    set_blocks(account, order, order.own_blocked_paise - freed, order.loan_blocked_paise)
    account.available_paise += short - freed
    account.owed_paise += short - freed


class Sale(Struct, frozen=True):
    """What a sold part brought, the loan repaid: paise to cash and to the unsettled account.

    `owed_paise` is the loan its proceeds did not repay, `settled_quantity` the shares that left the demat
    account, `parcels` those it took from.
    """

    credit_paise: int
    unsettled_paise: int
    owed_paise: int
    settled_quantity: int
    parcels: Sequence[ParcelRow]


def sale_order(parcels: Sequence[ParcelRow], today: str) -> list[ParcelRow]:
    """Parcels in the order a sale uses them: today's net first, then settled shares, then those on their way.

    Among each the first bought goes first.
    """

    def place(parcel: ParcelRow) -> tuple[bool, bool, int]:
        return parcel.bought_on != today, parcel.bought_on != "", parcel.bought_as or parcel.parcel_id

    return sorted(parcels, key=place)


def sellable(parcels: Sequence[ParcelRow], trade_to_trade: bool) -> int:
    """Shares that may be sold; of a trade-to-trade security only those in the demat account."""
    return sum(parcel.quantity for parcel in parcels if not trade_to_trade or not parcel.bought_on)


def book_sell(
    account: AccountRow,
    parcels: Sequence[ParcelRow],
    order: OrderRow,
    price_paise: int,
    quantity: int,
    today: str,
) -> Sale:
    """Book a sold part against `parcels` (in the order of `sale_order`, enough of them).

    The loan is repaid first, pro rata. Shares of today return their cost to cash and bring a profit when
    the day settles; settled shares bring all to cash; shares on their way bring nothing before settlement.
    The money is for `pay_out`.
    """
    order.notional_paise += price_paise * quantity
    order.filled += quantity
    credit = unsettled = owed = settled = 0
    taken: list[ParcelRow] = []
    for parcel in parcels:
        part = min(quantity, parcel.quantity)
        if part == 0:
            continue
        proceeds = price_paise * part
        cost = parcel.cost_paise * part // parcel.quantity
        loan = ceil_div(parcel.loan_paise * part, parcel.quantity)
        repaid = min(loan, proceeds)
        rest = proceeds - repaid
        at_once = rest
        if parcel.bought_on == today:
            at_once = min(rest, cost - loan)
        elif parcel.bought_on:
            at_once = 0
        else:
            settled += part
        credit += at_once
        unsettled += rest - at_once
        owed += loan - repaid
        if order.product == Product.MTF:
            account.mtf_loan_paise -= loan
        parcel.quantity -= part
        parcel.cost_paise -= cost
        parcel.loan_paise -= loan
        taken.append(parcel)
        quantity -= part
    if quantity:
        raise ValueError(f"order {order.order_id} sold {quantity} shares more than are held")
    return Sale(credit, unsettled, owed, settled, taken)


def pay_out(account: AccountRow, sale: Sale, charges_paise: int) -> int:
    """Give a sale's money to the account, less what it owes; returns what waits for settlement.

    Charges and unpaid loan come from what is credited now, then from cash, then from the proceeds that
    wait; what is left makes the cash negative.
    """
    due = sale.owed_paise + charges_paise
    from_cash = min(due, sale.credit_paise + max(0, account.available_paise))
    waiting = min(due - from_cash, sale.unsettled_paise)
    account.available_paise += sale.credit_paise - (due - waiting)
    return sale.unsettled_paise - waiting
