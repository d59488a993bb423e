"""History as screens and commands read it; money in paise, returns in basis points."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import FlowKind, TransferKind
from engine.history.returns import Day, Drawdown, Month


class FlowView(Struct, frozen=True):
    """What came to a client by no trade, below zero what went; `number` is that of its transfer.

    `kind` is what a person says that it was, None of one that nobody has classed.
    """

    number: int
    client_id: int
    day: date
    at: datetime
    transfer: TransferKind
    amount_paise: int
    evidence: str
    kind: FlowKind | None = None
    by: str = ""
    note: str = ""


class HistoryView(Struct, frozen=True):
    """The days of a client, a group or the desk, and what they returned.

    `days` are oldest first, the first what it all began with, the last provisional while its day goes on.
    Returns are None while `unclassed` flows stand, and where there is too little to reckon with. `sources`
    names where days of before the books are from. `drawdown_paise` is of what the days brought.
    """

    name: str
    client_ids: tuple[int, ...]
    days: tuple[Day, ...]
    twr_bps: int | None
    twr_year_bps: int | None
    twr_month_bps: int | None
    xirr_bps: int | None
    drawdown: Drawdown
    drawdown_paise: int
    months: tuple[Month, ...]
    unclassed: tuple[FlowView, ...]
    sources: tuple[str, ...]
