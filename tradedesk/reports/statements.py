"""The two reports of a day: a client's statement of account, and the desk's report of all clients."""

from collections.abc import Sequence

from data.clock import IST
from engine.accounts.statement import DayAccount
from engine.close.views import ClientDay, DayReport
from engine.words.day.closing import SOURCE_WORDS, correction_words
from engine.words.day.history import late_words
from tradedesk.reports.document import BarChart, Beside, CellKind, Labelled, LabelledList, Part, Report
from tradedesk.reports.tables import (
    Accounts,
    brokers_table,
    cash_table,
    charges_of,
    charges_table,
    clients_table,
    dispersion_table,
    positions_table,
    trades_table,
)

MOST_BARS = 40
"""Clients in a chart; of more those at both ends."""

_PROVISIONAL = "PROVISIONAL: the day is not closed, and its figures may still change"
_RUPEES = "All amounts are in rupees (₹). Times are those of India."
_FORMULA = (
    "Opening value + paid in and out + gross profit + dividends - charges - interest = closing value. "
    "Gross profit is of shares alone: at the previous close where they were held before, at what was paid "
    "where they were bought today."
)
_NOTE = (
    "Charges are those of the day's contract note, by the rates of the broker and the exchanges on this day."
)


def client_statement(report: DayReport, day: ClientDay, account: DayAccount) -> Report:
    """A client's day: account, trades, charges by kind, cash, shares held."""
    accounts = {day.client_id: account}
    parts: tuple[Part, ...] = (
        Beside(_account(day), _charges(day)),
        trades_table([day], accounts, many=False),
        cash_table([day], accounts, many=False),
        positions_table([day], many=False),
    )
    about = (
        ("Client", f"{day.name} ({day.code})"),
        ("Broker", day.broker),
        *_of_day(report),
    )
    corrected = [one for one in report.corrections if one.client_id == day.client_id]
    notes = (
        *(_RUPEES, _FORMULA, _NOTE, *_unpriced([day])),
        *(f"Correction. {correction_words(one, day.code)}." for one in corrected),
    )
    subject = f"{day.code} · {report.day:%d %b %Y}"
    return Report("Statement of account", subject, about, parts, notes, _warning(report), report.seal)


def desk_report(report: DayReport, accounts: Accounts, *, whole: bool, whose: str = "") -> Report:
    """All clients' day. The `whole` has trades, cash and shares of all, for a workbook; a PDF has not.

    `whose` names the person whose clients alone they are, empty where they are the whole desk's.
    """
    days = report.clients
    several = len({day.broker for day in days}) > 1
    parts: list[Part] = [_desk(report), *([brokers_table(days)] if several else []), clients_table(days)]
    parts += [charges_table(days), dispersion_table(report)]
    if whole:
        parts += [
            trades_table(days, accounts, many=True),
            cash_table(days, accounts, many=True),
            positions_table(days, many=True),
            _bars("Net P&L of the day by client", [(one.code, one.todays_pnl_paise) for one in days]),
            _bars("Portfolio value by client", [(one.code, one.portfolio_value_paise) for one in days]),
        ]
    about = (("Clients", str(len(days))), ("Prices", _prices(report)), *_of_day(report))
    notes = (_RUPEES, _FORMULA, _NOTE, *_unpriced(days), *_always_late(report))
    subject = f"{report.day:%d %b %Y}" + (f", the clients of {whose}" if whose else "")
    return Report("Report of the day", subject, about, tuple(parts), notes, _warning(report), report.seal)


def _always_late(report: DayReport) -> tuple[str, ...]:
    """Who was sent to among the last in every run of the month."""
    codes = {one.client_id: one.code for one in report.clients}
    late = [] if report.costs is None else [one for one in report.costs.month if one.always_late]
    return tuple(late_words(one, codes.__getitem__) for one in late if one.client_id in codes)


def _of_day(report: DayReport) -> tuple[tuple[str, str], ...]:
    stands = "provisional" if report.provisional else f"revision {report.rev}"
    at = report.at.astimezone(IST)
    return (("Day", f"{report.day:%A, %d %B %Y}"), ("Figures", f"{stands}, {at:%d %b %Y %H:%M:%S} IST"))


def _warning(report: DayReport) -> str:
    return _PROVISIONAL if report.provisional else ""


def _account(day: ClientDay) -> LabelledList:
    return LabelledList(
        "Account",
        "Account",
        (
            Labelled("Opening value", day.opening_paise),
            Labelled("Paid in and out", day.flows_paise),
            Labelled("Gross profit or loss on shares", day.gross_pnl_paise),
            Labelled("Dividends", day.dividends_paise),
            Labelled("Charges", -day.charges_paise),
            Labelled("Interest on margin trading", -day.interest_paise),
            Labelled("Closing value", day.portfolio_value_paise, strong=True),
            Labelled("Cash", day.cash_paise, inner=True),
            Labelled("Shares", day.shares_paise, inner=True),
            Labelled("Loans", -day.loans_paise, inner=True),
            Labelled("Net profit or loss of the day", day.todays_pnl_paise, strong=True),
            Labelled("Net profit or loss in all", day.total_pnl_paise),
        ),
    )


def _charges(day: ClientDay) -> LabelledList:
    kinds = tuple(Labelled(label, paise) for label, paise in charges_of(day))
    return LabelledList(
        "Charges", "Charges", (*kinds, Labelled("All charges", day.charges_paise, strong=True))
    )


def _desk(report: DayReport) -> LabelledList:
    risk, days = report.risk, report.clients
    figures = [
        Labelled("Opening value of all portfolios", sum(one.opening_paise for one in days)),
        Labelled("Paid in and out", sum(one.flows_paise for one in days)),
        Labelled("Gross profit or loss on shares", sum(one.gross_pnl_paise for one in days)),
        Labelled("Dividends", sum(one.dividends_paise for one in days)),
        Labelled("Charges", -sum(one.charges_paise for one in days)),
        Labelled("Interest on margin trading", -sum(one.interest_paise for one in days)),
        Labelled("Closing value of all portfolios", risk.total_value_paise, strong=True),
        Labelled("Net profit or loss of the day", risk.todays_pnl_paise, strong=True),
        Labelled("Clients with a profit", risk.profitable, CellKind.COUNT),
        Labelled("Clients with a loss", risk.losing, CellKind.COUNT),
        Labelled("Average value of a portfolio", risk.average_value_paise),
        Labelled("Best client's day", risk.max_gain_paise),
        Labelled("Worst client's day", risk.max_loss_paise),
        Labelled("Value at risk, 95 % in a day", risk.var95_paise),
        Labelled("Value at risk, 99 % in a day", risk.var99_paise),
        Labelled("Drawdown from the highest value", risk.drawdown_paise),
        Labelled("Beta to NIFTY 50", None if risk.beta is None else f"{risk.beta:.2f}", CellKind.TEXT),
    ]
    return LabelledList("Desk", "The desk", tuple(figures))


def _bars(title: str, found: Sequence[tuple[str, int]]) -> BarChart:
    """From the largest to the smallest; of too many the two ends."""
    ranked = sorted(found, key=lambda one: (-one[1], one[0]))
    if len(ranked) > MOST_BARS:
        half = MOST_BARS // 2
        ranked = [*ranked[:half], *ranked[-half:]]
        title = f"{title}, the {half} highest and lowest"
    return BarChart(title, tuple(name for name, _ in ranked), tuple(paise for _, paise in ranked))


def _prices(report: DayReport) -> str:
    return (
        "; ".join(f"{count} by {SOURCE_WORDS[source]}" for source, count in report.prices.items())
        or "none needed"
    )


def _unpriced(days: Sequence[ClientDay]) -> tuple[str, ...]:
    keys = sorted({key for day in days for key in day.unpriced})
    return (f"Without a closing price, and therefore at cost: {', '.join(keys)}.",) if keys else ()
