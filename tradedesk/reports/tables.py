"""The tables of a day: trades, charges, cash, shares held, of one client or of many alike."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from data.money import half_up
from data.reference.instruments import is_isin
from data.vocabulary import Side
from engine.accounts.statement import DayAccount
from engine.close.views import ClientDay, DayReport
from engine.risk.dispersion import RunCost
from engine.risk.views import DayCosts
from engine.words.day.statements import move_words
from tradedesk.reports.document import Cell, CellKind, PrintedColumn, PrintedTable

Accounts: TypeAlias = Mapping[int, DayAccount]

_M, _C = CellKind.MONEY, CellKind.COUNT
_CLIENT = (PrintedColumn("Client"), PrintedColumn("Name"))


def _named(one: ClientDay, many: bool) -> tuple[Cell, ...]:
    """What stands before each row of a table of many clients."""
    return (one.code, one.name) if many else ()


def _summed(
    rows: Sequence[tuple[Cell, ...]], columns: Sequence[PrintedColumn], places: Iterable[int]
) -> tuple[Cell, ...]:
    """The total of a table: the sums of some columns, nothing in the others."""
    total: list[Cell] = [""] * len(columns)
    total[0] = "Total"
    for place in places:
        total[place] = sum(cell for row in rows if isinstance(cell := row[place], int))
    return tuple(total)


def trades_table(days: Sequence[ClientDay], accounts: Accounts, many: bool) -> PrintedTable:
    """Every trade of the day in the market's order, what was bought and what was sold in columns apart."""
    columns = (
        *(_CLIENT if many else ()),
        *(
            PrintedColumn("Time", CellKind.TIME),
            PrintedColumn("Trade no."),
            PrintedColumn("Order"),
            PrintedColumn("Symbol"),
            PrintedColumn("ISIN"),
        ),
        *(
            PrintedColumn("Side"),
            PrintedColumn("Product"),
            PrintedColumn("Quantity", _C),
            PrintedColumn("Price", _M),
        ),
        *(PrintedColumn("Bought", _M), PrintedColumn("Sold", _M)),
    )
    rows = tuple(
        (
            *_named(day, many),
            trade.traded_at,
            trade.trade_id,
            str(trade.order_id),
            trade.tradingsymbol,
            isin_of(trade.security),
            trade.side.value,
            trade.product.value,
            trade.quantity,
            trade.price_paise,
            value if trade.side is Side.BUY else "",
            value if trade.side is Side.SELL else "",
        )
        for day in days
        if day.client_id in accounts
        for trade in accounts[day.client_id].trades
        if trade.quantity
        for value in (trade.quantity * trade.price_paise,)
    )
    width = len(columns)
    total = _summed(rows, columns, (width - 2, width - 1)) if rows else None
    return PrintedTable("Trades", "Trades", columns, rows, total, "no trades on this day")


def isin_of(security: str) -> str:
    """A security's ISIN, empty where it has none that we know."""
    return security if is_isin(security) else ""


_CHARGES = (
    ("Brokerage", "brokerage_paise"),
    ("STT", "stt_paise"),
    ("Exchange", "exchange_paise"),
    ("SEBI", "sebi_paise"),
    ("Stamp duty", "stamp_paise"),
    ("GST", "gst_paise"),
    ("DP", "dp_paise"),
)
"""Charges by kind as they stand in `Charges`."""


def charges_of(day: ClientDay) -> tuple[tuple[str, int], ...]:
    """A client's charges by kind, those that no rate explains last."""
    known = tuple((label, int(getattr(day.charges, field))) for label, field in _CHARGES)
    return (*known, ("Other", day.other_charges_paise))


def charges_table(days: Sequence[ClientDay]) -> PrintedTable:
    """Charges by kind and interest, a client a row."""
    labels = [label for label, _ in _CHARGES]
    columns = (*_CLIENT, *(PrintedColumn(label, _M) for label in (*labels, "Other", "Total", "Interest")))
    rows = tuple(
        (
            day.code,
            day.name,
            *(paise for _, paise in charges_of(day)),
            day.charges_paise,
            day.interest_paise,
        )
        for day in days
    )
    return PrintedTable(
        "Charges", "Charges and interest", columns, rows, _summed(rows, columns, range(2, len(columns)))
    )


_DAY = (
    *(PrintedColumn("Opening", _M), PrintedColumn("Paid in/out", _M)),
    *(PrintedColumn("Gross", _M), PrintedColumn("Dividends", _M)),
    *(PrintedColumn("Charges", _M), PrintedColumn("Interest", _M)),
    *(PrintedColumn("Net today", _M), PrintedColumn("Closing", _M)),
    *(PrintedColumn("Net in all", _M), PrintedColumn("Open", _C)),
)
"""What a day was: what there was, what moved it, what there is."""


def _day_figures(day: ClientDay) -> tuple[int, ...]:
    """A client's day in those columns."""
    return (
        day.opening_paise,
        day.flows_paise,
        day.gross_pnl_paise,
        day.dividends_paise,
        day.charges_paise,
        day.interest_paise,
        day.todays_pnl_paise,
        day.portfolio_value_paise,
        day.total_pnl_paise,
        day.active_trades,
    )


def clients_table(days: Sequence[ClientDay]) -> PrintedTable:
    """The day of each client in a row."""
    columns = (*_CLIENT, *_DAY)
    rows = tuple((day.code, day.name, *_day_figures(day)) for day in days)
    total = _summed(rows, columns, range(2, len(columns)))
    return PrintedTable("Clients", "Clients", columns, rows, total, "no clients")


def brokers_table(days: Sequence[ClientDay]) -> PrintedTable:
    """The day of each broker's clients together in a row."""
    columns = (PrintedColumn("Broker"), PrintedColumn("Clients", _C), *_DAY)
    figures: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for day in days:
        figures[day.broker].append(_day_figures(day))
    rows = tuple(
        (broker, len(theirs), *map(sum, zip(*theirs, strict=True)))
        for broker, theirs in sorted(figures.items())
    )
    total = _summed(rows, columns, range(1, len(columns)))
    return PrintedTable("Brokers", "Brokers", columns, rows, total, "no clients")


def dispersion_table(report: DayReport) -> PrintedTable:
    """What runs cost each client beside the runs' own averages, the day's and the month's; a cost is above 0.

    Not filled counts at the close, slippage is against the price planned at; late is among the last sent to.
    """
    figures = (
        *(PrintedColumn("Runs", _C), PrintedColumn("Late", _C), PrintedColumn("Traded", _M)),
        *(PrintedColumn("Dispersion", _M), PrintedColumn("Not filled", _M), PrintedColumn("Slippage", _M)),
    )
    columns = (*_CLIENT, *figures, *(PrintedColumn(f"Month: {one.heading}", one.kind) for one in figures))
    costs = DayCosts(report.day) if report.costs is None else report.costs
    of_day = {one.client_id: one for one in costs.of_day}
    named = {one.client_id: (one.code, one.name) for one in report.clients}
    rows = tuple(
        (*named[one.client_id], *_cost(of_day.get(one.client_id, RunCost(one.client_id))), *_cost(one))
        for one in costs.month
        if one.client_id in named
    )
    title = "Dispersion between clients of the same runs, today and this month"
    return PrintedTable("Dispersion", title, columns, rows, empty="no run has traded this month")


def _cost(one: RunCost) -> tuple[Cell, ...]:
    return (
        one.runs,
        one.late_runs,
        one.notional_paise,
        one.dispersion_paise,
        one.unfilled_paise,
        one.slippage_paise,
    )


def cash_table(days: Sequence[ClientDay], accounts: Accounts, many: bool) -> PrintedTable:
    """Cash as a ledger: what stood as the day began, each transfer, what stands; of one client with sums."""
    columns = (
        *(_CLIENT if many else ()),
        *(
            PrintedColumn("Particulars"),
            PrintedColumn("Debit", _M),
            PrintedColumn("Credit", _M),
            PrintedColumn("Balance", _M),
        ),
        PrintedColumn("Loans", _M),
    )
    rows: list[tuple[Cell, ...]] = []
    for day in days:
        account = accounts.get(day.client_id)
        if account is not None:
            rows += [(*_named(day, many), *cells) for cells in _ledger(day, account)]
    total = None
    if not many and rows:
        total = ("Closing", *_summed(rows, columns, (1, 2))[1:3], day_cash(days), days[0].loans_paise)
    return PrintedTable("Cash", "Cash", columns, tuple(rows), total, "nothing moved")


def day_cash(days: Sequence[ClientDay]) -> int:
    """What clients have in cash as the day ends."""
    return sum(day.cash_paise for day in days)


NOT_BOOKED = "Charges of the contract note, not booked yet"


def _ledger(day: ClientDay, account: DayAccount) -> list[tuple[Cell, ...]]:
    """Particulars, debit, credit and the balances behind each."""
    rows: list[tuple[Cell, ...]] = [
        ("Opening balance", "", "", account.cash_before_paise, account.loan_before_paise)
    ]
    balance, loan = account.cash_before_paise, account.loan_before_paise
    for line in account.lines():
        moved = line.move.cash_paise
        balance, loan = line.balance_paise, line.loan_paise
        words = move_words(line.move)
        rows.append((words[:1].upper() + words[1:], *_sides(moved), balance, loan))
    if day.cash_paise != balance:
        rows.append((NOT_BOOKED, *_sides(day.cash_paise - balance), day.cash_paise, loan))
    return rows


def _sides(moved: int) -> tuple[Cell, Cell]:
    return (-moved, "") if moved < 0 else ("", moved)


def positions_table(days: Sequence[ClientDay], many: bool) -> PrintedTable:
    """The shares held at the close, at cost and at the closing price."""
    columns = (
        *(_CLIENT if many else ()),
        *(
            PrintedColumn("Symbol"),
            PrintedColumn("ISIN"),
            PrintedColumn("Product"),
            PrintedColumn("Quantity", _C),
            PrintedColumn("Average", _M),
        ),
        *(
            PrintedColumn("Cost", _M),
            PrintedColumn("Close", _M),
            PrintedColumn("Value", _M),
            PrintedColumn("Unrealised", _M),
        ),
    )
    rows = tuple(
        (
            *_named(day, many),
            one.key.partition(":")[2],
            isin_of(one.security),
            one.product.value,
            one.quantity,
            half_up(one.cost_paise, one.quantity) if one.quantity > 0 else None,
            one.cost_paise,
            one.close_paise,
            one.value_paise,
            one.value_paise - one.cost_paise,
        )
        for day in days
        for one in day.positions
    )
    width = len(columns)
    total = _summed(rows, columns, (width - 4, width - 2, width - 1)) if rows else None
    return PrintedTable("Holdings", "Shares held at the close", columns, rows, total, "no shares held")
