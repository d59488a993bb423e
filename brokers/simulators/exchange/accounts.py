"""How accounts are opened, what their loans cost, and what companies' actions make of their shares."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from brokers.contract import CompanyActs
from brokers.simulators.exchange.books import ExchangeBooks
from brokers.simulators.exchange.market import ExchangeMarket
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.schema import AccountRow, OrderRow, ParcelRow
from data.errors import BadInput
from data.money import amount_words, tick_down
from data.reference.company_actions import terms_of
from data.reference.contract_notes import DayOrder, note_charges
from data.reference.instruments import Instrument
from data.reference.mtf import interest_between
from data.vocabulary import CorporateAction, DividendTo, Product, Side

if TYPE_CHECKING:
    from brokers.simulators.exchange.exchange import PaperExchange

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


def charge_interest(books: ExchangeBooks, after: date, until: date) -> None:
    """Have what is lent from one day to another be due with its interest, by each broker's terms."""
    for user_id in books.user_ids():
        account = books.account(user_id)
        if account.mtf_loan_paise:
            cost = interest_between(account.rates, after, until, account.mtf_loan_paise)
            account.charges_due_paise += cost
            books.save_account(account)


def note_day(books: ExchangeBooks, market: ExchangeMarket, day: date) -> None:
    """Have each account be due what the day's contract note has beyond what its fills were charged."""
    traded: dict[str, list[OrderRow]] = defaultdict(list)
    for order in books.orders_where("WHERE trading_day = ? AND filled > 0", (day.isoformat(),)):
        traded[order.user_id].append(order)
    for user_id, orders in traded.items():
        account = books.account(user_id)
        noted = note_charges(
            day,
            account.rates,
            [_noted(market.listings[order.key].instrument, order) for order in orders],
            {order.security: order.notional_paise for order in orders if order.from_demat},
        )
        account.charges_due_paise += noted.total_paise - sum(order.charges_paise for order in orders)
        books.save_account(account)


def _noted(instrument: Instrument, order: OrderRow) -> DayOrder:
    return DayOrder(
        order.order_id,
        order.security,
        instrument.exchange,
        Product(order.product),
        Side(order.side),
        order.filled,
        order.notional_paise,
        instrument.trade_to_trade,
    )


def pay(books: ExchangeBooks, user_id: str, paise: int) -> None:
    """Bring cash into a client's account, or take it out, which is below zero.

    Raises `BrokerError` for an unknown client, `BadInput` where there is not as much to take out.
    """
    account = books.account(user_id)
    if account.available_paise + paise < 0:
        free = amount_words(account.available_paise)
        raise BadInput("amount", amount_words(-paise), f"give at most {free}: the account has no more free")
    account.available_paise += paise
    books.save_account(account)


# --- companies' actions -------------------------------------------------------------------------------------


def hear_actions(exchange: "PaperExchange", actions: Iterable[CompanyActs]) -> None:
    """Keep what companies do, until their ex-dates begin."""
    with exchange.transaction():
        exchange.books.depth.hear_actions(actions)


def act(
    books: ExchangeBooks, market: ExchangeMarket, after: date, until: date, closes: dict[str, int]
) -> None:
    """Carry out what companies do between two days: shares, credited dividends, and the closes before.

    Splits and bonuses alone: shares come with the ex-date, parts of one are lost. A dividend to a client's
    own bank leaves nothing here, and no dividend moves a price, which walks as it would.
    """
    done: set[object] = set()
    told = books.depth.actions_between(after, until)
    # A dividend is of the shares of before the ex-date, whatever else comes with it.
    for one in sorted(told, key=lambda one: (one.ex_date, one.kind is not CorporateAction.DIVIDEND)):
        terms, listing = terms_of(one.kind, one.purpose), market.listings.get(one.key)
        same = one.key, one.ex_date, one.kind, terms  # another file may have it in other words
        if terms is None or listing is None or terms.shares < 1 or same in done:
            continue
        done.add(same)
        security, tick = listing.instrument.security, listing.instrument.tick_paise
        if one.kind is CorporateAction.DIVIDEND and one.paid_to is DividendTo.BROKER:
            for user_id, held in _held_overnight(books, security).items():
                account = books.account(user_id)
                account.available_paise += terms.paise(sum(parcel.quantity for parcel in held))
                books.save_account(account)
        elif one.kind in (CorporateAction.SPLIT, CorporateAction.BONUS):
            for held in _held_overnight(books, security).values():
                _grow(books, held, terms.shares, one.kind is CorporateAction.BONUS)

            def scaled(paise: int, by: Fraction = terms.shares, tick: int = tick) -> int:
                return max(tick, tick_down(paise * by.denominator // by.numerator, tick))

            closes[one.key] = scaled(closes[one.key])
            books.depth.scale_pin(one.key, scaled)


def _held_overnight(books: ExchangeBooks, security: str) -> dict[str, list[ParcelRow]]:
    """What accounts hold of a security for delivery, by user id; those of CNC first."""
    found: dict[str, list[ParcelRow]] = {}
    for user_id in books.user_ids():
        held = [
            parcel
            for product in (Product.CNC, Product.MTF)
            for parcel in books.parcels(user_id, security, product.value)
        ]
        if held:
            found[user_id] = held
    return found


def _grow(books: ExchangeBooks, held: Sequence[ParcelRow], by: Fraction, bonus: bool) -> None:
    """Have shares be more: each parcel of a split, and a parcel of no cost for a product of a bonus."""
    before = after = 0
    made: dict[str, ParcelRow] = {}
    for parcel in held:
        before += parcel.quantity
        extra = int(before * by) - after - parcel.quantity
        after += parcel.quantity + extra
        if not bonus:
            parcel.quantity += extra
            books.save_parcel(parcel)
        elif extra:
            fresh = ParcelRow(0, parcel.user_id, parcel.security, parcel.product, "", parcel.key, 0, 0, 0)
            made.setdefault(parcel.product, fresh).quantity += extra
    for fresh in made.values():
        books.add_parcel(fresh)
