"""How accounts are opened: with money, and with the shares that clients bring."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeAlias

from brokers.simulators.exchange.books import ExchangeBooks
from brokers.simulators.exchange.market import ExchangeMarket
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.schema import AccountRow, ParcelRow

log = logging.getLogger(__name__)

SharesOf: TypeAlias = Callable[[str], Iterable[HoldingOpening]]


def no_shares(user_id: str) -> Iterable[HoldingOpening]:
    """What a client brings who holds nothing."""
    return ()


def open_accounts(
    books: ExchangeBooks,
    market: ExchangeMarket,
    rows: Iterable[AccountOpening],
    shares_of: SharesOf,
) -> None:
    """Open accounts; of one that stands already only the MTF limit is taken over.

    `shares_of` is asked what those hold that are opened; shares that are not listed here are left out.
    """
    there = books.user_ids()
    for row in rows:
        money = (row.cash_paise, row.hold_paise, 0, row.mtf_limit_paise, 0, 0)
        books.open_account(AccountRow(row.user_id, *money, rates=row.rates))
        if row.user_id not in there:
            shares = list(shares_of(row.user_id))
            listed = [one for one in shares if one.key in market.listings]
            open_holdings(books, market, listed)
            if len(listed) < len(shares):
                log.warning("account %s: %d lots are not listed here", row.user_id, len(shares) - len(listed))


def open_holdings(books: ExchangeBooks, market: ExchangeMarket, rows: Iterable[HoldingOpening]) -> None:
    """Give clients shares, with the loans on them; one who holds any of a share already is passed over.

    Raises `BadInput` for an unknown instrument.
    """
    held: dict[tuple[str, str, str], bool] = {}
    for row in rows:
        share = row.user_id, market.listing(row.key).instrument.security, row.product.value
        if held.setdefault(share, bool(books.parcels(*share))):
            continue
        bought_on = "" if row.bought_on is None else row.bought_on.isoformat()
        books.add_parcel(
            ParcelRow(0, *share, bought_on, row.key, row.quantity, row.cost_paise, row.loan_paise)
        )
        if row.loan_paise:
            account = books.account(row.user_id)
            account.mtf_loan_paise += row.loan_paise
            books.save_account(account)
