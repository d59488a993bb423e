"""The broker's money rules: what an order blocks, what a fill books, what a new trading day settles.

Works on rows in hand and stores nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from brokers.paper.schema import AccountRow, OrderRow, ParcelRow
from data.money import ceil_div, own_share
from data.vocabulary import Policy


def blocks_for(order: OrderRow, remaining: int) -> tuple[int, int]:
    """Own money and loan, in paise, that `remaining` shares of an order keep blocked; a sell none."""
    if not order.buying:
        return 0, 0
    notional = remaining * order.reserve_paise
    own = own_share(notional, order.own_bps)
    return own, notional - own


def set_blocks(account: AccountRow, order: OrderRow, own: int, loan: int) -> None:
    """Change what an order blocks, taking from or giving back to the account."""
    account.available_paise -= own - order.own_blocked_paise
    account.blocked_paise += own - order.own_blocked_paise
    account.mtf_blocked_paise += loan - order.loan_blocked_paise
    order.own_blocked_paise, order.loan_blocked_paise = own, loan


def book_charges(account: AccountRow, order: OrderRow, total_paise: int, policy: Policy) -> None:
    """Carry an order's charges up to `total_paise`: from cash at once, or due at the close (`exact`)."""
    more = total_paise - order.charges_paise
    order.charges_paise = total_paise
    if policy is Policy.EXACT:
        account.charges_due_paise += more
    else:
        account.available_paise -= more


def book_buy(
    account: AccountRow, parcel: ParcelRow, order: OrderRow, price_paise: int, quantity: int
) -> None:
    """Book a bought part: own share from cash, the rest lent, the block shrunk to what is left to trade."""
    notional = price_paise * quantity
    order.notional_paise += notional
    order.filled += quantity
    own_total = own_share(order.notional_paise, order.own_bps)
    own = own_total - order.own_booked_paise
    order.own_booked_paise = own_total
    set_blocks(account, order, *blocks_for(order, order.remaining))
    account.available_paise -= own
    account.mtf_loan_paise += notional - own
    parcel.quantity += quantity
    parcel.cost_paise += notional
    parcel.loan_paise += notional - own


@dataclass(frozen=True, slots=True)
class Sale:
    """What a sold part brought: paise to the unsettled account, and shares that left the demat account."""

    unsettled_paise: int
    settled_quantity: int


def sale_order(parcels: Sequence[ParcelRow], today: str) -> list[ParcelRow]:
    """Parcels in the order a sale uses them: today's net first, then settled shares, then the oldest."""
    return sorted(parcels, key=lambda parcel: (parcel.bought_on != today, parcel.bought_on))


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
    """
    order.notional_paise += price_paise * quantity
    order.filled += quantity
    unsettled = settled = 0
    for parcel in parcels:
        part = min(quantity, parcel.quantity)
        if part == 0:
            continue
        proceeds = price_paise * part
        cost = parcel.cost_paise * part // parcel.quantity
        loan = ceil_div(parcel.loan_paise * part, parcel.quantity)
        now = proceeds
        if parcel.bought_on == today:
            now = min(proceeds, cost)
        elif parcel.bought_on:
            now = min(loan, proceeds)
        else:
            settled += part
        account.available_paise += now - loan
        unsettled += proceeds - now
        account.mtf_loan_paise -= loan
        parcel.quantity -= part
        parcel.cost_paise -= cost
        parcel.loan_paise -= loan
        quantity -= part
    if quantity:
        raise ValueError(f"order {order.order_id} sold {quantity} shares more than are held")
    return Sale(unsettled, settled)
