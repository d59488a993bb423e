"""The shapes of clients' sales of a financial year as the income tax asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date

    from data.vocabulary import GainTerm
    from engine.desk import Desk
    from engine.tax.lots import ClientTax


class TaxSaleShape(Struct, frozen=True):
    """Shares of one lot that one sale sold; the gain is proceeds less cost and the expenses that count."""

    client_id: int
    code: str
    term: GainTerm
    symbol: str
    isin: str
    quantity: int
    bought_on: date | None
    sold_on: date
    days_held: int | None
    cost_paise: int | None
    proceeds_paise: int
    charges_paise: int
    stt_paise: int
    expenses_paise: int
    gain_paise: int | None
    grandfathered: bool


class TaxGoneShape(Struct, frozen=True):
    """Shares that left a client's books without a trade, whose sale nobody has told."""

    client_id: int
    code: str
    security: str
    isin: str
    quantity: int
    day: date


class TaxTotalShape(Struct, frozen=True):
    """One client's sales of one kind."""

    client_id: int
    code: str
    term: GainTerm
    sales: int
    cost_paise: int
    proceeds_paise: int
    expenses_paise: int
    gain_paise: int


class TaxShape(Struct, frozen=True):
    """A financial year's sales of clients; rates are of its last day, the exemption is a person's."""

    year: str
    first: date
    last: date
    short_term_bps: int
    long_term_bps: int
    long_term_exempt_paise: int
    source: str
    totals: list[TaxTotalShape]
    sales: list[TaxSaleShape]
    gone: list[TaxGoneShape]


def tax_shape(desk: Desk, found: list[ClientTax]) -> TaxShape:
    """The sales of several clients in that shape; at least one client is named."""
    from data.reference.tax import gain_rates

    year = found[0].year
    rates = gain_rates(year.last)
    codes = {one.client_id: desk.clients.get(one.client_id).code for one in found}
    return TaxShape(
        year=str(year),
        first=year.first,
        last=year.last,
        short_term_bps=rates.short_term_bps,
        long_term_bps=rates.long_term_bps,
        long_term_exempt_paise=rates.long_term_exempt_paise,
        source=rates.source,
        totals=[shape for one in found for shape in _totals(one, codes[one.client_id])],
        sales=[shape for one in found for shape in _sales(one, codes[one.client_id])],
        gone=[shape for one in found for shape in _gone(one, codes[one.client_id])],
    )


def _totals(of: ClientTax, code: str) -> list[TaxTotalShape]:
    return [
        TaxTotalShape(
            of.client_id,
            code,
            one.term,
            one.sales,
            one.cost_paise,
            one.proceeds_paise,
            one.expenses_paise,
            one.gain_paise,
        )
        for one in of.totals()
        if one.sales
    ]


def _sales(of: ClientTax, code: str) -> list[TaxSaleShape]:
    from data.reference.tax import is_grandfathered

    shapes: list[TaxSaleShape] = []
    for one in of.sales:
        sale = one.sale
        bought = sale.bought_on
        shapes.append(
            TaxSaleShape(
                client_id=of.client_id,
                code=code,
                term=sale.term,
                symbol=sale.tradingsymbol,
                isin=one.isin,
                quantity=sale.quantity,
                bought_on=bought,
                sold_on=sale.sold_on,
                days_held=None if bought is None else (sale.sold_on - bought).days,
                cost_paise=sale.cost_paise,
                proceeds_paise=sale.proceeds_paise,
                charges_paise=sale.charges_paise,
                stt_paise=sale.stt_paise,
                expenses_paise=sale.expenses_paise,
                gain_paise=sale.gain_paise,
                grandfathered=bought is not None and is_grandfathered(bought, sale.sold_on),
            )
        )
    return shapes


def _gone(of: ClientTax, code: str) -> list[TaxGoneShape]:
    return [
        TaxGoneShape(of.client_id, code, one.security, one.isin, one.gone.quantity, one.gone.day)
        for one in of.gone
    ]
