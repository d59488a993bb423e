"""Files of brokers and exchanges about shares on margin: who is lent on, and what companies do."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import BPS, bps_from_percent_text, decimal_from_text
from data.reference.instruments import is_isin
from data.vocabulary import CorporateAction, DividendTo

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&-]{0,19}")

_LIST_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("tradingsymbol", "trading_symbol", "scrip", "nse_symbol"), "symbol"),
    **dict.fromkeys(
        ("margin_%", "margin_(%)", "margin_percent", "mtf_margin", "mtf_margin_%"),
        "margin",
    ),
    **dict.fromkeys(("mtf_leverage", "leverage_(x)", "multiplier"), "leverage"),
    "isin_code": "isin",
}
"""How brokers call the columns of their lists."""


class LentStock(Struct, frozen=True):
    """A stock that a broker lends on, by the line of its list: the client's own part in basis points."""

    row: int
    symbol: str
    isin: str
    margin_bps: int


def read_mtf_list(path: Path) -> list[LentStock]:
    """The stocks of a broker's list: columns Symbol, and Margin (percent) or Leverage (`5x`); ISIN if any.

    Raises `FileProblem` naming every bad row, `OSError` where the file cannot be read.
    """
    faults: list[Problem] = []
    found: dict[str, LentStock] = {}
    optional = ("margin", "leverage", "isin")
    for row in read_rows(path, ("symbol",), optional, also_called=_LIST_COLUMNS, faults=faults):
        symbol = row.values["symbol"].upper()
        try:
            if not _SYMBOL.fullmatch(symbol):
                raise BadInput("symbol", symbol, "give the exchange's symbol")
            if symbol in found:
                raise BadInput("symbol", symbol, "each stock may stand once")
            found[symbol] = LentStock(row.number, symbol, row.values.get("isin", ""), _margin(row))
        except BadInput as wrong:
            faults.append(Problem(row.number, wrong.field, str(wrong.value), wrong.expected))
    if faults:
        raise FileProblem(path, faults)
    return list(found.values())


def _margin(row: CsvRow) -> int:
    """The client's own part, of the margin or else of the leverage; rounded up."""
    if margin := row.values.get("margin", ""):
        bps = bps_from_percent_text(margin, "margin")
    else:
        leverage = row.values.get("leverage", "").casefold().removesuffix("x").strip()
        words = "give a margin in percent, or a leverage such as 5x"
        times = decimal_from_text(leverage, "leverage", words)
        if times < 1:
            raise BadInput("leverage", leverage, words)
        bps = -int((-Decimal(BPS) / times).to_integral_value(rounding="ROUND_FLOOR"))
    if not 0 < bps <= BPS:
        raise BadInput("margin", row.values.get("margin", ""), "give more than 0 and at most 100 percent")
    return bps


class AnnouncedAction(Struct, frozen=True):
    """What a company does, by the line of a file, in the exchange's words.

    `becomes` is the symbol or the ISIN that the shares go on as, `allotted_on` from when bonus shares count
    as held, `paid_to` where a dividend goes.
    """

    row: int
    symbol: str
    purpose: str
    kind: CorporateAction
    ex_date: date
    becomes: str = ""
    allotted_on: date | None = None
    paid_to: DividendTo = DividendTo.BANK


_ACTION_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("tradingsymbol", "security", "security_name"), "symbol"),
    **dict.fromkeys(("subject", "action", "corporate_action"), "purpose"),
    **dict.fromkeys(("ex_dt", "exdate", "ex_date_(record)"), "ex_date"),
    **dict.fromkeys(("new_symbol", "new_isin"), "becomes"),
    **dict.fromkeys(("allotment_date", "allotment"), "allotted_on"),
    **dict.fromkeys(("paid", "dividend_to"), "paid_to"),
}
_ALSO_OF_ACTIONS = ("becomes", "allotted_on", "paid_to")

_PURPOSES = (
    (CorporateAction.DEMERGER, ("demerger", "de-merger", "spin")),
    (CorporateAction.MERGER, ("merger", "amalgamation", "scheme of arrangement", "arrangement")),
    (CorporateAction.BUYBACK, ("buyback", "buy back", "buy-back")),
    (CorporateAction.BONUS, ("bonus",)),
    (CorporateAction.SPLIT, ("split", "sub-division", "subdivision", "face value", "consolidation")),
    (CorporateAction.RIGHTS, ("rights",)),
    (CorporateAction.DIVIDEND, ("dividend",)),
    (CorporateAction.ISIN_CHANGE, ("isin",)),
)
"""By which words a purpose is known; the first that is found counts."""

_DAYS = ("%d-%b-%Y", "%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d-%m-%Y")


def read_actions(path: Path) -> list[AnnouncedAction]:
    """The actions of an exchange's file: columns Symbol, Purpose and Ex-Date, others are passed over.

    A trader's own file may have these too: `becomes` (the symbol or ISIN that shares go on as),
    `allotment_date` of bonus shares, `paid_to` (bank or broker) of a dividend.
    A row without an ex-date (`-`) is passed over, since none is fixed yet. Raises `FileProblem` naming every
    bad row, `OSError` where the file cannot be read.
    """
    faults: list[Problem] = []
    found: list[AnnouncedAction] = []
    needed = ("symbol", "purpose", "ex_date")
    for row in read_rows(path, needed, _ALSO_OF_ACTIONS, _ACTION_COLUMNS, faults):
        if row.values["ex_date"] == "-":
            continue
        try:
            found.append(_announced(row))
        except BadInput as wrong:
            faults.append(Problem(row.number, wrong.field, str(wrong.value), wrong.expected))
    if faults:
        raise FileProblem(path, faults)
    return found


def _announced(row: CsvRow) -> AnnouncedAction:
    told = row.values
    ex_date, symbol, allotted = _day(told["ex_date"]), told["symbol"], told.get("allotted_on", "")
    if ex_date is None:
        raise BadInput("ex_date", told["ex_date"], "give a day such as 25-Nov-2026")
    if not _SYMBOL.fullmatch(symbol):
        raise BadInput("symbol", symbol, "give the exchange's symbol")
    allotted_on = _day(allotted) if allotted else None
    if allotted and (allotted_on is None or allotted_on < ex_date):
        raise BadInput("allotment_date", allotted, "give the ex-date or a day behind it, or leave it empty")
    kind, becomes = kind_of(told["purpose"]), told.get("becomes", "").upper()
    if kind is CorporateAction.ISIN_CHANGE and becomes and not is_isin(becomes):
        raise BadInput("becomes", becomes, "give the ISIN from the ex-date on")
    try:
        paid_to = DividendTo(told.get("paid_to", "").casefold() or DividendTo.BANK)
    except ValueError:
        raise BadInput("paid_to", told["paid_to"], "give bank or broker") from None
    return AnnouncedAction(row.number, symbol, told["purpose"], kind, ex_date, becomes, allotted_on, paid_to)


def kind_of(purpose: str) -> CorporateAction:
    """What an exchange's words announce."""
    told = purpose.casefold()
    for kind, words in _PURPOSES:
        if any(word in told for word in words):
            return kind
    return CorporateAction.OTHER


def _day(text: str) -> date | None:
    for form in _DAYS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
