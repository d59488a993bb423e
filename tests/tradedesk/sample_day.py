"""A day of two clients in fixed figures, and its files as texts; `python -m` writes the goldens anew."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook  # pyright: ignore[reportMissingModuleSource]
from pypdf import PdfReader

from data.reference.rates import Charges
from data.repositories.accounts.day_account import DayTrade
from data.repositories.accounts.statement import CashMove
from data.repositories.close.stored import PositionAtClose
from data.vocabulary import CloseSource, Product, Side, TransferKind
from engine.accounts.statement import DayAccount
from engine.close.views import ClientDay, DayReport, DeskRisk
from engine.risk.dispersion import RunCost
from engine.risk.views import DayCosts
from tradedesk.reports.day_folder import day_files
from tradedesk.reports.letterhead import Letterhead

GOLDENS = Path(__file__).parents[1] / "goldens" / "reports.json"

DAY = date(2026, 11, 18)
TCS, INFY = "INE467B01029", "INE009A01021"
HEAD = Letterhead(
    name="Sharma & Co.",
    lines=("12 Dalal Street, Mumbai",),
    colour="#7a1f3d",
    footer="INP000000000 · not audited",
)


def _at(minute: int) -> datetime:
    return datetime(2026, 11, 18, 4, minute, 30, tzinfo=UTC)


def _trade(
    client: int, number: int, side: Side, of: tuple[str, str], quantity: int, price_paise: int
) -> DayTrade:
    symbol, security = of
    told = (client, 100 + number, f"7000{number}", _at(number), "NSE", symbol, security, side, Product.CNC)
    return DayTrade(*told, quantity, price_paise, 11_17)


def _move(client: int, number: int, side: Side, symbol: str, quantity: int, cash_paise: int) -> CashMove:
    order = 100 + number
    told = (number, client, TransferKind.FILL, DAY, _at(number), order, f"trade:7000{number}", side, symbol)
    return CashMove(*told, cash_paise, 0, quantity)


_BUY = _trade(1, 1, Side.BUY, ("TCS", TCS), 50, 2_499_90)
_SELL = _trade(1, 2, Side.SELL, ("INFY", INFY), 1_200, 1_505_05)
_OTHER = _trade(2, 3, Side.BUY, ("TCS", TCS), 1, 2_500_00)


def _client(
    number: int, code: str, name: str, opening: int, gross: int, charges: Charges, **of: Any
) -> ClientDay:
    interest, flows, loans = of.pop("interest", 0), of.pop("flows", 0), of.pop("loans", 0)
    net = gross - charges.total_paise - interest
    shares = sum(one.value_paise for one in of["positions"])
    return ClientDay(
        client_id=number,
        code=code,
        name=name,
        broker="zerodha",
        opening_paise=opening,
        flows_paise=flows,
        gross_pnl_paise=gross,
        dividends_paise=0,
        charges=charges,
        other_charges_paise=0,
        charges_booked_paise=charges.total_paise,
        interest_paise=interest,
        todays_pnl_paise=net,
        portfolio_value_paise=opening + flows + net,
        cash_paise=opening + flows + net + loans - shares,
        shares_paise=shares,
        loans_paise=loans,
        active_trades=len(of["positions"]),
        earned_paise=0,
        **of,
    )


CLIENTS = (
    _client(
        1,
        "AM1042",
        "Aarav Mehta",
        1_23_45_678_90,
        34_567_89,
        Charges(20_00, 1_931_00, 59_29, 1_93, 19_00, 14_62, 15_34),
        realised_today_paise=30_000_00,
        total_pnl_paise=-4_56_789_01,
        orders=2,
        trades=2,
        turnover_paise=19_31_055_00,
        positions=(PositionAtClose(TCS, "NSE:TCS", Product.CNC, 3_279, 81_00_000_00, 2_500_52),),
    ),
    _client(
        2,
        "=SUM(A1)",
        "O'Neil, D\u2019Souza \u0936",
        50_000_00,
        -12_34,
        Charges(0, 3_00, 8, 0, 0, 2, 0),
        interest=41_10,
        flows=10_000_00,
        realised_today_paise=0,
        total_pnl_paise=-99_99,
        loans=4_000_00,
        orders=1,
        trades=1,
        turnover_paise=2_500_00,
        positions=(PositionAtClose("NSE:NEW", "NSE:NEW", Product.MTF, 7, 56_447_13, None),),
        unpriced=("NSE:NEW",),
    ),
)

_MOVES = {
    1: (_move(1, 1, Side.BUY, "TCS", 50, -1_25_006_17), _move(1, 2, Side.SELL, "INFY", 1_200, 18_06_048_83)),
    2: (_move(2, 3, Side.BUY, "TCS", 1, -2_502_67),),
}
_TRADES = {1: (_BUY, _SELL), 2: (_OTHER,)}

ACCOUNTS = {
    one.client_id: DayAccount(
        one.client_id,
        one.cash_paise - sum(move.cash_paise for move in _MOVES[one.client_id]) + unbooked,
        one.loans_paise,
        _TRADES[one.client_id],
        _MOVES[one.client_id],
    )
    for one, unbooked in zip(CLIENTS, (0, 43), strict=True)
}
"""The second client's note has 43 paise of charges that are not booked yet."""

_NETS = [one.todays_pnl_paise for one in CLIENTS]
REPORT = DayReport(
    DAY,
    datetime(2026, 11, 18, 10, 45, tzinfo=UTC),
    1,
    CLIENTS,
    DeskRisk(
        sum(one.portfolio_value_paise for one in CLIENTS),
        sum(_NETS),
        1,
        1,
        sum(one.portfolio_value_paise for one in CLIENTS) // 2,
        max(_NETS),
        min(_NETS),
        var95_paise=1_23_456_78,
    ),
    {CloseSource.QUOTED: 1},
    costs=DayCosts(
        DAY.replace(day=1),
        (RunCost(1, 1, 0, 1_25_000_00, 12_50, 0, 40_00),),
        (RunCost(1, 6, 6, 8_40_000_00, 310_75, 99_00, 140_00), RunCost(2, 2, 0, 2_502_50, -12_50, 0, 1_00)),
    ),
    seal="ab" * 32,
)


def files() -> dict[str, bytes]:
    """The day's files by name."""
    return dict(day_files(REPORT, ACCOUNTS, HEAD, None))


def pdf_lines(raw: bytes) -> list[str]:
    """What a PDF says, line by line."""
    return [line for page in PdfReader(BytesIO(raw)).pages for line in page.extract_text().splitlines()]


def as_texts(found: Mapping[str, bytes]) -> dict[str, Any]:
    """Each file as what another program reads in it."""
    return {name: _text(name, raw) for name, raw in found.items()}


def _text(name: str, raw: bytes) -> Any:
    if name.endswith(".pdf"):
        return pdf_lines(raw)
    if name.endswith(".csv"):
        return list(csv.reader(StringIO(raw.decode("utf-8-sig"))))
    if name.endswith(".json"):
        return json.loads(raw)
    book = load_workbook(BytesIO(raw))
    return {
        sheet.title: [[_cell(one) for one in row] for row in sheet.iter_rows()] for sheet in book.worksheets
    }


def _cell(cell: Any) -> Any:
    value = cell.value
    return value.isoformat() if isinstance(value, date | datetime) else value


if __name__ == "__main__":
    GOLDENS.write_text(json.dumps(as_texts(files()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(files())} files written to {GOLDENS}")
