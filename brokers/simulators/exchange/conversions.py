"""Conversion of bought shares to delivery at the paper exchange: what was lent on them is repaid."""

from brokers.contract import Accepted, BrokerError, Conversion, Refused
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.rms import rupees
from brokers.simulators.exchange.schema import ParcelRow
from brokers.simulators.exchange.settlement import sale_order
from data.money import ceil_div
from data.vocabulary import Product

OFFERED = frozenset({(Product.MIS, Product.CNC), (Product.MTF, Product.CNC)})
"""From which product to which one a client's shares may go."""


def convert(exchange: PaperExchange, user_id: str, wanted: Conversion) -> Accepted | Refused:
    """Make shares the client's own; refused in a broker's words where they or the money are not there."""
    with exchange.transaction():
        if (wanted.from_product, wanted.to_product) not in OFFERED:
            words = f"{wanted.from_product} cannot be converted to {wanted.to_product}."
            return Refused("conversion_not_allowed", words)
        key = f"{wanted.exchange}:{wanted.tradingsymbol}"
        listed = {one.instrument.key: one.instrument for one in exchange.listings()}
        if key not in listed:
            return Refused("unknown_instrument", f"The instrument {key} does not exist.")
        security, books = listed[key].security, exchange.books
        try:
            account = books.account(user_id)
        except BrokerError as error:
            return Refused(error.code, str(error))
        parcels = books.parcels(user_id, security, wanted.from_product.value)
        open_sells = books.shares_blocked(user_id).get((security, wanted.from_product.value), 0)
        if wanted.quantity <= 0 or wanted.quantity > sum(one.quantity for one in parcels) - open_sells:
            return Refused("insufficient_holding", "Quantity is above what the position has free.")
        today = books.state().trading_day
        taken = _taken(sale_order(parcels, today), wanted.quantity)
        loan = sum(ceil_div(one.loan_paise * part, one.quantity) for one, part in taken)
        if loan > account.available_paise:
            return Refused(
                "insufficient_funds",
                f"Insufficient funds. Required margin is {rupees(loan)} "
                f"but available margin is {rupees(account.available_paise)}.",
            )
        account.available_paise -= loan
        if wanted.from_product is Product.MTF:
            account.mtf_loan_paise -= loan
        books.save_account(account)
        for one, part in taken:
            cost = one.cost_paise * part // one.quantity
            place = (user_id, security, wanted.to_product.value, one.bought_on, one.key)
            books.add_parcel(ParcelRow(0, *place, part, cost, 0, one.bought_as or one.parcel_id))
            one.loan_paise -= ceil_div(one.loan_paise * part, one.quantity)
            one.cost_paise -= cost
            one.quantity -= part
            books.save_parcel(one)
        return Accepted("converted")


def _taken(parcels: list[ParcelRow], quantity: int) -> list[tuple[ParcelRow, int]]:
    """Which parcels so many shares are taken from, and how many of each."""
    found: list[tuple[ParcelRow, int]] = []
    for one in parcels:
        part = min(quantity, one.quantity)
        if part:
            found.append((one, part))
            quantity -= part
    return found
