"""Clients' tax lots: what they sold within a financial year, and what they would sell first."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from data.errors import BadInput
from data.reference.company_actions import terms_of
from data.reference.instruments import is_isin
from data.reference.rates import estimate
from data.reference.tax import FinancialYear
from data.repositories.accounts.actions import StoredBooking, read_bookings
from data.repositories.accounts.tax import (
    BookedFill,
    SharesMoved,
    booked_fills,
    charges_beyond_fills,
    shares_moved,
)
from data.repositories.history.tradebooks import tradebook_trades
from data.vocabulary import CorporateAction, GainTerm, Product, Side, TransferKind
from engine.book.kept import Kept
from engine.booking.lots import TradePlace, trade_order
from engine.market.market_data import MarketData
from engine.tax.earlier import Proven, earlier_fills, proven_by
from engine.tax.queue import SharesBecome, SharesIn, SharesOut, TaxBook, TaxLot, TaxSale, TaxTrade, tax_book

_BOUGHT = re.compile(r"import: bought (\d{4}-\d{2}-\d{2})")
"""What the transfer of shares that a client came with says of their day."""

Share = tuple[int, str]
"""A client and a security."""


class SecuritySale(Struct, frozen=True):
    """A sale with the security it is of; the ISIN is empty where no source has told it."""

    security: str
    isin: str
    sale: TaxSale


class SecurityGone(Struct, frozen=True):
    """Shares that left a client's books without a trade: sold elsewhere, moved, or a company's action."""

    security: str
    isin: str
    gone: SharesOut


class TermTotal(Struct, frozen=True):
    """A year's sales of one kind, in paise; the gain leaves out those whose cost is not known."""

    term: GainTerm
    sales: int
    cost_paise: int
    proceeds_paise: int
    expenses_paise: int
    gain_paise: int


class ClientTax(Struct, frozen=True):
    """One client's sales of a financial year by day, and what left without one."""

    client_id: int
    year: FinancialYear
    sales: tuple[SecuritySale, ...]
    gone: tuple[SecurityGone, ...]

    def totals(self) -> list[TermTotal]:
        """The sales by kind, the kinds that there are none of included."""
        found: dict[GainTerm, list[TaxSale]] = {term: [] for term in GainTerm}
        for one in self.sales:
            found[one.sale.term].append(one.sale)
        return [_total(term, sales) for term, sales in found.items()]


class TaxLots:
    """Reads what the income tax is about out of the books. Charges are those that were booked."""

    def __init__(self, kept: Kept, market_data: MarketData) -> None:
        self._kept = kept
        self._market_data = market_data

    async def year(self, client_ids: Collection[int], year: FinancialYear) -> list[ClientTax]:
        """The sales of these clients within a year, a client each, in their order.

        Raises `BadInput` for sales of days before the tables of rates.
        """
        books = await self._books(client_ids, year.last)
        by_client: dict[int, list[tuple[str, TaxBook]]] = defaultdict(list)
        for (client_id, security), book in books.items():
            by_client[client_id].append((security, book))
        return [self._client(one, year, by_client[one]) for one in client_ids]

    async def lots(self, client_id: int, until: date) -> dict[str, tuple[TaxLot, ...]]:
        """What a client's sales would take first, by security, after the trades of a day."""
        books = await self._books([client_id], until)
        return {security: book.lots for (_, security), book in books.items() if book.lots}

    def _client(self, client_id: int, year: FinancialYear, books: Iterable[tuple[str, TaxBook]]) -> ClientTax:
        sales: list[SecuritySale] = []
        gone: list[SecurityGone] = []
        for security, book in books:
            of_year = [one for one in book.sales if one.sold_on in year]
            left = [one for one in book.gone if one.day in year]
            isin = self._isin(security, book.sales[-1].exchange if book.sales else "NSE")
            sales += [SecuritySale(security, isin, one) for one in of_year]
            gone += [SecurityGone(security, isin, one) for one in left]
        sales.sort(key=lambda one: (one.sale.sold_on, one.sale.tradingsymbol, one.sale.bought_on or date.max))
        gone.sort(key=lambda one: (one.gone.day, one.security))
        return ClientTax(client_id, year, tuple(sales), tuple(gone))

    def _isin(self, security: str, exchange: str) -> str:
        if is_isin(security):
            return security
        found = self._market_data.index.get(security) if ":" in security else None
        return "" if found is None else found.isin

    async def _books(self, client_ids: Collection[int], until: date) -> dict[Share, TaxBook]:
        async with self._kept.store.reader() as reader:
            fills = await booked_fills(reader, client_ids, until)
            moved = await shares_moved(reader, client_ids, until)
            booked = await read_bookings(reader, client_ids)
            beyond = await charges_beyond_fills(reader, client_ids, until)
            earlier = await tradebook_trades(reader, client_ids, until)
        index, clients = self._market_data.index, self._kept.book.clients
        began = _came(fills, moved)
        before = earlier_fills(
            [one for one in earlier if one.day < began.get(one.client_id, date.max)],
            {one: clients[one].broker for one in client_ids if one in clients},
            index,
        )
        fills = [*before, *fills]
        gross = self._gross({f"{one.exchange}:{one.tradingsymbol}" for one in fills})
        by_day = {(one.client_id, one.trading_date): one.paise for one in beyond}
        trades = trades_of(fills, gross, by_day)
        proven = proven_by(trades, {(one.client_id, one.security) for one in before}, moved, began)
        came, gone = moves_of([one for one in moved if not _is_bought(one, proven)])
        become, into = self._actions([one for one in booked if one.stands and one.ex_date <= until], came)
        for share, ended in proven.ended.items():
            become[share].append(ended)
        found: dict[Share, TaxBook] = {}
        # What goes on as another company's is known before the other one's queue is run through.
        for share in dict.fromkeys((*into, *came, *trades, *gone)):
            book = found[share] = tax_book(
                trades.get(share, ()), came.get(share, ()), gone.get(share, ()), become.get(share, ())
            )
            if share in into:
                day, other = into[share]
                came[share[0], other] += [
                    SharesIn(
                        day, one.quantity, one.cost_paise, one.bought_on, one.charges_paise, one.stt_paise
                    )
                    for one in book.left
                ]
        return found

    def _actions(
        self, booked: Sequence[StoredBooking], came: dict[Share, list[SharesIn]]
    ) -> tuple[dict[Share, list[SharesBecome]], dict[Share, tuple[date, str]]]:
        """What companies made of shares, and of which went on as whose, the first first.

        Bonus shares join those that came.
        """
        become: dict[Share, list[SharesBecome]] = defaultdict(list)
        into: dict[Share, tuple[date, str]] = {}
        for one in booked:
            share, terms = (one.client_id, one.security), terms_of(one.kind, one.purpose)
            if terms is None:
                continue
            if one.kind is CorporateAction.BONUS and one.shares:
                came[share].append(SharesIn(one.ex_date, one.shares, 0, one.opened_on))
            elif one.kind in (CorporateAction.SPLIT, CorporateAction.MERGER):
                merged = one.kind is CorporateAction.MERGER
                become[share].append(SharesBecome(one.ex_date, terms.shares, merged))
                other = self._market_data.index.get(one.becomes) if merged else None
                if other is not None:
                    into[share] = one.ex_date, other.security
        return become, into

    def _gross(self, keys: Iterable[str]) -> frozenset[str]:
        """The instruments that are delivered gross, as they are listed now."""
        found = ((key, self._market_data.index.get(key)) for key in keys)
        return frozenset(key for key, one in found if one is not None and one.trade_to_trade)


def _came(fills: Iterable[BookedFill], moved: Iterable[SharesMoved]) -> dict[int, date]:
    """The day of each client's first trade or share in the books."""
    days: dict[int, date] = {}
    for one in (*fills, *moved):
        days[one.client_id] = min(one.trading_date, days.get(one.client_id, one.trading_date))
    return days


def _is_bought(one: SharesMoved, proven: Proven) -> bool:
    """Whether shares that a client came with are those of its trades of before."""
    return one.kind is TransferKind.OPENING and (one.client_id, one.security) in proven.shares


def trades_of(
    fills: Sequence[BookedFill], gross: Collection[str], beyond: Mapping[tuple[int, date], int]
) -> dict[Share, list[TaxTrade]]:
    """Booked trades by client and security in the market's order, each with its charges corrected.

    What a client's day was charged `beyond` its fills, in paise, is shared out over them by their charges.
    """
    more: dict[tuple[int, date], int] = defaultdict(int)
    for fill in fills:
        if not fill.quantity:
            more[fill.order_id, fill.trading_date] += fill.charges_paise
    found: dict[Share, list[TaxTrade]] = defaultdict(list)
    traded = sorted((one for one in fills if one.quantity), key=_place)
    own = [one.charges_paise + more.pop((one.order_id, one.trading_date), 0) for one in traded]
    shares = _shared_out(traded, own, beyond)
    netted = _netted_quantities(traded, gross)
    for fill, paise, share, within in zip(traded, own, shares, netted, strict=True):
        charges = max(0, paise + share)
        # Booked at fill by its product; once the day's note is known, what it nets is taxed as intraday.
        intraday = within if (fill.client_id, fill.trading_date) in beyond else 0
        is_gross = f"{fill.exchange}:{fill.tradingsymbol}" in gross
        found[fill.client_id, fill.security] += _parted(fill, charges, intraday, is_gross)
    return found


def _shared_out(
    traded: Sequence[BookedFill], own: Sequence[int], beyond: Mapping[tuple[int, date], int]
) -> list[int]:
    """Each trade's part of what its client's day was charged beyond fills; the parts come to all of it."""
    whole: dict[tuple[int, date], int] = defaultdict(int)
    for fill, paise in zip(traded, own, strict=True):
        whole[fill.client_id, fill.trading_date] += paise
    parts: list[int] = []
    before: dict[tuple[int, date], tuple[int, int]] = {}
    for fill, paise in zip(traded, own, strict=True):
        day = fill.client_id, fill.trading_date
        told, weight = beyond.get(day, 0), whole[day]
        passed, given = before.get(day, (0, 0))
        passed += paise
        part = told * passed // weight - given if weight else 0
        before[day] = passed, given + part
        parts.append(part)
    return parts


def _netted_quantities(traded: Sequence[BookedFill], gross: Collection[str]) -> list[int]:
    """How many shares of each trade, in the market's order, the exchange nets within their day."""
    sums: dict[tuple[int, date, str, str], dict[Side, int]] = defaultdict(lambda: dict.fromkeys(Side, 0))
    for fill in traded:
        sums[_netting(fill)][fill.side] += fill.quantity
    left = {place: dict.fromkeys(Side, min(of_sides.values())) for place, of_sides in sums.items()}
    found: list[int] = []
    for fill in traded:
        of_day = left[_netting(fill)]
        is_gross = f"{fill.exchange}:{fill.tradingsymbol}" in gross
        within = 0 if is_gross else min(fill.quantity, of_day[fill.side])
        of_day[fill.side] -= within
        found.append(within)
    return found


def _netting(fill: BookedFill) -> tuple[int, date, str, str]:
    return fill.client_id, fill.trading_date, fill.exchange, fill.security


def _place(fill: BookedFill) -> tuple[date, TradePlace]:
    return fill.trading_date, trade_order(fill.traded_at, fill.trade_id)


def _parted(fill: BookedFill, charges: int, intraday: int, is_gross: bool) -> list[TaxTrade]:
    """A trade, in two where so many of its shares are taxed as `intraday` and the others are not."""
    parts = [
        (quantity, _stt(fill, product, quantity))
        for product, quantity in ((Product.MIS, intraday), (fill.product, fill.quantity - intraday))
        if quantity
    ]
    others = max(0, charges - sum(stt for _, stt in parts))
    made: list[TaxTrade] = []
    left, shares = charges, fill.quantity
    for quantity, stt in parts:
        own = left if quantity == shares else min(left, stt + others * quantity // fill.quantity)
        left, shares = left - own, shares - quantity
        made.append(
            TaxTrade(
                fill.trading_date,
                fill.exchange,
                fill.tradingsymbol,
                fill.side,
                quantity,
                fill.price_paise,
                own,
                min(own, stt),
                is_gross,
            )
        )
    return made


def _stt(fill: BookedFill, product: Product, quantity: int) -> int:
    """The securities transaction tax on shares of a trade in a product; 0 where no rates are known of it."""
    notional = quantity * fill.price_paise
    try:
        found = estimate(fill.trading_date, fill.broker, fill.exchange, product, fill.side, notional)
    except BadInput:
        return 0
    return found.stt_paise


def moves_of(
    moved: Sequence[SharesMoved],
) -> tuple[dict[Share, list[SharesIn]], Mapping[Share, list[SharesOut]]]:
    """What came and what left without a trade. What the broker showed us was bought on a day nobody told."""
    came: dict[Share, list[SharesIn]] = defaultdict(list)
    gone: dict[Share, list[SharesOut]] = defaultdict(list)
    adopted: dict[tuple[Share, date], list[SharesMoved]] = defaultdict(list)
    for one in moved:
        share = one.client_id, one.security
        if one.kind is TransferKind.OPENING:
            told = _BOUGHT.fullmatch(one.evidence)
            bought = None if told is None else date.fromisoformat(told[1])
            came[share].append(SharesIn(one.trading_date, one.quantity, one.cost_paise, bought))
        elif one.product is not Product.MIS:
            adopted[share, one.trading_date].append(one)
    for (share, day), rows in adopted.items():
        quantity = sum(row.quantity for row in rows)
        if quantity > 0:
            came[share].append(SharesIn(day, quantity, sum(row.cost_paise for row in rows), None))
        elif quantity < 0:
            gone[share].append(SharesOut(day, -quantity))
    return came, gone


def _total(term: GainTerm, sales: Sequence[TaxSale]) -> TermTotal:
    known = [one for one in sales if one.cost_paise is not None]
    return TermTotal(
        term,
        len(sales),
        sum(one.cost_paise or 0 for one in known),
        sum(one.proceeds_paise for one in sales),
        sum(one.expenses_paise for one in sales),
        sum(one.gain_paise or 0 for one in known),
    )
