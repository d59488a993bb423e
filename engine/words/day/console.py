"""Files of a broker's console beside the books, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.history.console import RowState
from engine.words.formats import amount, counted, price, quantity

if TYPE_CHECKING:
    from data.reference.files.console_files import TradebookRow
    from data.repositories.accounts.tax import BookedFill
    from engine.history.console import LedgerCheck, LedgerDayCheck, TradebookCheck, TradeRow


def trade_row_words(one: TradeRow) -> str:
    """`row 7: 18 Nov BUY 3 TCS at 2,500.00 (trade 77): ours is 2 at 2,500.00`."""
    told = one.told
    return f"row {told.row}: {told.day:%d %b %Y} {_trade(told, told.symbol)}: {_state(one)}"


def lacking_trade_words(one: BookedFill) -> str:
    """`not in the file: 18 Nov 2026 BUY 3 TCS at 2,500.00 (trade 77)`."""
    return f"not in the file: {one.trading_date:%d %b %Y} {_trade(one, one.tradingsymbol)}"


def _trade(one: TradebookRow | BookedFill, symbol: str) -> str:
    what = f"{one.side.value} {quantity(one.quantity)} {symbol} at {price(one.price_paise)}"
    return f"{what} (trade {one.trade_id})"


def _state(one: TradeRow) -> str:
    if one.state is RowState.DIFFERS and one.ours_quantity is not None:
        return f"ours is {quantity(one.ours_quantity)} at {price(one.ours_price_paise)}"
    return _STATES[one.state]


_STATES = {
    RowState.ALIKE: "booked alike",
    RowState.DIFFERS: "booked otherwise",
    RowState.LACKING: "not booked here",
    RowState.EARLIER: "of before the client came here",
    RowState.TAKEN: "of before, and taken as history",
}


def tradebook_words(check: TradebookCheck) -> str:
    """`12 trades: 10 booked alike, 2 not booked here; 1 of ours is not in the file`."""
    counts = {state: sum(one.state is state for one in check.rows) for state in RowState}
    told = ", ".join(f"{count} {_STATES[state]}" for state, count in counts.items() if count)
    lacking = f"; {len(check.lacking)} of ours not in the file" if check.lacking else ""
    others = f"; {counted(check.others, 'row')} of other segments passed over" if check.others else ""
    return f"{counted(len(check.rows), 'trade')}: {told or 'none'}{lacking}{others}"


def ledger_day_words(one: LedgerDayCheck) -> str:
    """`18 Nov settlement: -7,503.20, ours -7,503.10 (rows 4, 5)`."""
    rows = (
        f" (row{'s' if len(one.rows) > 1 else ''} {', '.join(str(r.row) for r in one.rows)})"
        if one.rows
        else ""
    )
    ours = _STATES[one.state] if one.ours_paise is None else f"ours {amount(one.ours_paise)}"
    return f"{one.day:%d %b %Y} {one.kind.value.replace('_', ' ')}: {amount(one.theirs_paise)}, {ours}{rows}"


def ledger_words(check: LedgerCheck) -> str:
    """`8 of 10 days and kinds agree; it ends with 12,345.00`."""
    held = [one for one in check.days if one.state is not RowState.EARLIER]
    alike = sum(one.state is RowState.ALIKE for one in held)
    ends = "" if check.closing_paise is None else f"; it ends with {amount(check.closing_paise)}"
    return f"{alike} of {counted(len(held), 'sum')} by day and kind agree{ends}"
