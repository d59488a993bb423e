"""What clients sold within a financial year, lot by lot, as their accountants ask for it."""

import csv
from io import StringIO
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import rupees_of
from data.spreadsheets.cells import safe_text
from engine.words.day.statements import term_words
from engine.words.formats import DASH, counted, percent, quantity, rupees, signed
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk
    from tradedesk.cli.views.people.tax import TaxSaleShape, TaxShape


def tax(
    code: Annotated[
        str | None, typer.Argument(metavar="[CLIENT]", help="A client's code or id; all, unless given.")
    ] = None,
    year: Annotated[
        str | None, typer.Option(metavar="YEAR", help="Such as 2026-27; the year of today, unless given.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every sale as CSV on stdout.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sales of a financial year by lot, first in first out per demat account, days netted before.

    Speculative, short-term and long-term by dated rules; charges are those booked. No tax is worked out.
    """
    if as_csv and as_json:
        raise BadInput("csv", "--json", "give one of --csv and --json")

    async def work(desk: "Desk") -> Exit:
        from data.reference.tax import year_from_text, year_of
        from tradedesk.cli.views.people.tax import tax_shape

        wanted = year_of(desk.market_clock.trading_day) if year is None else year_from_text(year)
        whom = [one.id for one in desk.clients.all()] if code is None else [desk.clients.find(code).id]
        if not whom:
            raise BadInput("client", "", "there is no client yet")
        found = tax_shape(desk, await desk.tax.year(whom, wanted))
        if as_json:
            document(found)
        elif as_csv:
            _as_csv(found)
        else:
            _as_table(found)
        for words in _warnings(found):
            say(words)
        return Exit.DONE

    run(work, needs_secrets=False)


COLUMNS = (
    "client",
    "term",
    "symbol",
    "isin",
    "quantity",
    "bought on",
    "sold on",
    "days held",
    "cost",
    "proceeds",
    "charges",
    "stt",
    "expenses",
    "gain",
    "may cost more",
)
"""Columns of the CSV; money in rupees."""


def _as_csv(found: "TaxShape") -> None:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe_text(cell) for cell in _cells(one)] for one in found.sales)
    for row in written.getvalue().splitlines():
        line(row)


def _cells(one: "TaxSaleShape") -> tuple[str, ...]:
    def money(paise: int | None) -> str:
        return "" if paise is None else str(rupees_of(paise))

    return (
        one.code,
        one.term.value,
        one.symbol,
        one.isin,
        str(one.quantity),
        "" if one.bought_on is None else one.bought_on.isoformat(),
        one.sold_on.isoformat(),
        "" if one.days_held is None else str(one.days_held),
        money(one.cost_paise),
        money(one.proceeds_paise),
        money(one.charges_paise),
        money(one.stt_paise),
        money(one.expenses_paise),
        money(one.gain_paise),
        "yes" if one.grandfathered else "",
    )


def _as_table(found: "TaxShape") -> None:
    line(
        f"year {found.year}: short-term {percent(found.short_term_bps)} %, long-term "
        f"{percent(found.long_term_bps)} % beyond ₹{rupees(found.long_term_exempt_paise)} ({found.source})"
    )
    table(
        ("code", "term", "symbol", ">qty", "bought", "sold", ">cost", ">proceeds", ">expenses", ">gain"),
        [
            (
                one.code,
                term_words(one.term),
                one.symbol,
                quantity(one.quantity),
                DASH if one.bought_on is None else one.bought_on.isoformat(),
                one.sold_on.isoformat(),
                rupees(one.cost_paise),
                rupees(one.proceeds_paise),
                rupees(one.expenses_paise),
                signed(one.gain_paise),
            )
            for one in found.sales
        ],
    )
    table(
        ("code", "term", ">sales", ">cost", ">proceeds", ">expenses", ">gain"),
        [
            (
                one.code,
                term_words(one.term),
                str(one.sales),
                rupees(one.cost_paise),
                rupees(one.proceeds_paise),
                rupees(one.expenses_paise),
                signed(one.gain_paise),
            )
            for one in found.totals
        ],
    )


def _warnings(found: "TaxShape") -> list[str]:
    """What an accountant has to look at."""
    unknown = sum(one.bought_on is None for one in found.sales)
    older = sum(one.grandfathered for one in found.sales)
    told: list[str] = []
    if unknown:
        told.append(f"{counted(unknown, 'sale')} of shares whose purchase is not known: import the tradebook")
    if found.gone:
        told.append(f"{counted(len(found.gone), 'time')} shares left without a trade that the desk knows")
    if older:
        told.append(f"{counted(older, 'sale')} of shares that may cost what they were worth on 31 Jan 2018")
    return told
