"""Files of a client that Zerodha's Console writes: its tradebook and its ledger, row by row.

Numbers have six decimals there (`50.000000`), days are `2026-11-18`, times `2026-11-18T10:15:00` in India. A
ledger begins with a row `Opening Balance` and ends with `Closing Balance`, both without a day, and each row
says what stands after it.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from data.clock import IST, day_from_text
from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import count_from_text, paise_from_text
from data.reference.instruments import is_isin
from data.vocabulary import Side

_TRADEBOOK = ("symbol", "trade_date", "exchange", "trade_type", "quantity", "price", "trade_id")
_TRADEBOOK_TOO = ("isin", "segment", "series", "auction", "order_id", "order_execution_time")
_LEDGER = ("particulars", "net_balance")
_LEDGER_TOO = ("posting_date", "cost_center", "voucher_type", "debit", "credit")
_CALLED: Mapping[str, str] = {"particular": "particulars"}
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_EQUITY = ("EQ", "")


class TradebookRow(Struct, frozen=True):
    """A trade of shares as the tradebook has it, by its line; the price in paise."""

    row: int
    symbol: str
    isin: str
    exchange: str
    day: date
    side: Side
    quantity: int
    price_paise: int
    trade_id: str
    order_id: str
    traded_at: datetime


class Tradebook(Struct, frozen=True):
    """The trades of a file, and how many rows are of other segments than shares."""

    trades: tuple[TradebookRow, ...]
    others: int


def read_tradebook(path: Path) -> Tradebook:
    """The trades of a Console tradebook; a trade that stands twice is a bad row.

    Raises `FileProblem` naming every bad row, `OSError` where the file cannot be read.
    """
    faults: list[Problem] = []
    found: dict[tuple[str, date, str], TradebookRow] = {}
    others = 0
    for row in read_rows(path, _TRADEBOOK, _TRADEBOOK_TOO, {}, faults):
        if row.values.get("segment", "").upper() not in _EQUITY:
            others += 1
            continue
        try:
            one = _trade(row)
            place = one.exchange, one.day, one.trade_id
            if place in found:
                raise BadInput("trade_id", one.trade_id, f"it stands in row {found[place].row} too")
            found[place] = one
        except BadInput as bad:
            faults.append(Problem(row.number, bad.field, str(bad.value), bad.expected))
    if faults:
        raise FileProblem(path, faults)
    return Tradebook(tuple(found.values()), others)


def _trade(row: CsvRow) -> TradebookRow:
    told = row.values
    side, isin = _SIDES.get(told["trade_type"].casefold()), told.get("isin", "").upper()
    if side is None:
        raise BadInput("trade_type", told["trade_type"], "give buy or sell")
    if isin and not is_isin(isin):
        raise BadInput("isin", isin, "give an ISIN, or leave it empty")
    day = _day("trade_date", told["trade_date"])
    quantity = count_from_text(re.sub(r"\.0+$", "", told["quantity"]), "quantity")
    price = _paise("price", told["price"])
    if quantity < 1 or price < 1:
        field = "quantity" if quantity < 1 else "price"
        raise BadInput(field, told[field], "give more than zero")
    return TradebookRow(
        row=row.number,
        symbol=told["symbol"].upper(),
        isin=isin,
        exchange=told["exchange"].upper(),
        day=day,
        side=side,
        quantity=quantity,
        price_paise=price,
        trade_id=told["trade_id"],
        order_id=told.get("order_id", ""),
        traded_at=_moment(told.get("order_execution_time", ""), day),
    )


def _day(field: str, text: str) -> date:
    return day_from_text(text, field, "give a day such as 2026-11-17")


def _moment(text: str, day: date) -> datetime:
    """When a trade was made; its day's beginning where the file does not say it."""
    if not text:
        return datetime(day.year, day.month, day.day, tzinfo=IST)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=IST)
    except ValueError:
        raise BadInput("order_execution_time", text, "give a time such as 2026-11-17T10:15:00") from None


def _paise(field: str, text: str) -> int:
    """Rupees with any number of zeros behind the paise."""
    whole = re.sub(r"(\.\d{2})0+$", r"\1", text)
    return paise_from_text(whole, field)


class LedgerKind(StrEnum):
    """What a row of a ledger is, by its words."""

    SETTLEMENT = "settlement"
    """A day's purchases and sales with their charges, those of the depository apart."""
    DEPOSITORY = "depository"
    """Fees of the depository, and of pledges."""
    INTEREST = "interest"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    DIVIDEND = "dividend"
    OTHER = "other"


class LedgerRow(Struct, frozen=True):
    """A row of a ledger by its line: what came in paise, below zero what went, and what stands after it."""

    row: int
    day: date
    kind: LedgerKind
    particulars: str
    amount_paise: int
    balance_paise: int


class ConsoleLedger(Struct, frozen=True):
    """A client's ledger; the opening balance is None where the file does not begin with it."""

    opening_paise: int | None
    rows: tuple[LedgerRow, ...]


_WORDS = (
    (LedgerKind.SETTLEMENT, ("net settlement", "net obligation")),
    (LedgerKind.DEPOSITORY, ("dp charges", "pledge", "unpledge")),
    (LedgerKind.INTEREST, ("interest",)),
    (LedgerKind.DIVIDEND, ("dividend",)),
    (LedgerKind.PAID_IN, ("funds added",)),
    (LedgerKind.PAID_OUT, ("payout", "funds transferred back")),
)
_VOUCHERS = {"bank receipts": LedgerKind.PAID_IN, "bank payments": LedgerKind.PAID_OUT}


def read_ledger(path: Path) -> ConsoleLedger:
    """The rows of a Console ledger; one whose balance does not follow from the row before is a bad one.

    Raises `FileProblem` naming every bad row, `OSError` where the file cannot be read.
    """
    faults: list[Problem] = []
    found: list[LedgerRow] = []
    opening: int | None = None
    stands: int | None = None
    for row in read_rows(path, _LEDGER, _LEDGER_TOO, _CALLED, faults):
        try:
            balance = _paise("net_balance", row.values["net_balance"])
            words = row.values["particulars"].casefold()
            if words == "opening balance":
                opening = stands = balance
                continue
            amount = 0 if words == "closing balance" else _amount(row)
            if stands is not None and stands + amount != balance:
                expected = f"the row before and this one come to {(stands + amount) / 100:.2f}"
                stands = balance
                raise BadInput("net_balance", row.values["net_balance"], expected)
            stands = balance
            if words != "closing balance":
                day = _day("posting_date", row.values.get("posting_date", ""))
                found.append(
                    LedgerRow(row.number, day, _kind(row), row.values["particulars"], amount, balance)
                )
        except BadInput as bad:
            faults.append(Problem(row.number, bad.field, str(bad.value), bad.expected))
    if faults:
        raise FileProblem(path, faults)
    return ConsoleLedger(opening, tuple(found))


def _amount(row: CsvRow) -> int:
    debit, credit = (row.values.get(name) or "0" for name in ("debit", "credit"))
    return _paise("credit", credit) - _paise("debit", debit)


def _kind(row: CsvRow) -> LedgerKind:
    words = row.values["particulars"].casefold()
    for kind, known in _WORDS:
        if any(word in words for word in known):
            return kind
    return _VOUCHERS.get(row.values.get("voucher_type", "").casefold(), LedgerKind.OTHER)
