"""The shapes of instruments, their market and watchlists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tradedesk.cli.views import values

if TYPE_CHECKING:
    from data.vocabulary import PhaseKind
    from engine.desk import Desk


class QuoteShape(Struct, frozen=True):
    """The last known market of one instrument; figures are null while no price is known."""

    symbol: str
    exchange: str
    key: str
    name: str
    ltp_paise: int | None
    change_paise: int | None
    change_bps: int | None
    high_paise: int | None
    low_paise: int | None
    volume: int | None
    age_s: float | None


def quote_shape(desk: Desk, key: str) -> QuoteShape:
    """The instrument in that shape."""
    stock = desk.market.detail(key)
    quote, age = stock.quote, desk.market.age(key)
    return QuoteShape(
        symbol=stock.instrument.tradingsymbol,
        exchange=stock.instrument.exchange,
        key=stock.instrument.key,
        name=stock.instrument.name,
        ltp_paise=quote.last_paise if quote else None,
        change_paise=stock.change_paise,
        change_bps=stock.change_bps,
        high_paise=quote.high_paise if quote else None,
        low_paise=quote.low_paise if quote else None,
        volume=quote.volume if quote else None,
        age_s=None if age is None else round(age, 3),
    )


class FoundShape(QuoteShape, frozen=True):
    """The same with the classes of the instrument; sector and cap are null where they are not known."""

    sector: str | None
    cap: str | None
    indices: list[str]


def found_shape(desk: Desk, key: str) -> FoundShape:
    """The instrument in that shape."""
    quote, known = quote_shape(desk, key), desk.market.classes
    instrument = desk.market.detail(key).instrument
    return FoundShape(
        **values(quote),
        sector=known.sector_of(instrument),
        cap=known.cap_of(instrument),
        indices=known.indices_of(instrument),
    )


class DetailShape(QuoteShape, frozen=True):
    """One instrument with its market, margins and who holds it."""

    isin: str
    series: str
    sector: str
    tick_paise: int
    lot_size: int
    fno: bool
    trade_to_trade: bool
    mtf_margin_bps: int | None
    mis_margin_bps: int | None
    mtf_own_per_share_paise: int | None
    prev_close_paise: int
    open_paise: int | None
    bid_paise: int | None
    ask_paise: int | None
    lower_circuit_paise: int | None
    upper_circuit_paise: int | None
    bids: list[dict[str, int]]
    asks: list[dict[str, int]]
    phase: PhaseKind
    held_quantity: int
    holder_count: int


def detail_shape(desk: Desk, key: str) -> DetailShape:
    """The instrument in that shape."""
    stock = desk.market.detail(key)
    quote, instrument, phase = stock.quote, stock.instrument, desk.market.phase(stock.instrument)
    return DetailShape(
        **values(quote_shape(desk, instrument.key)),
        isin=instrument.isin,
        series=instrument.series,
        sector=instrument.sector,
        tick_paise=instrument.tick_paise,
        lot_size=instrument.lot_size,
        fno=instrument.fno,
        trade_to_trade=instrument.trade_to_trade,
        mtf_margin_bps=instrument.mtf_margin_bps,
        mis_margin_bps=instrument.mis_margin_bps,
        mtf_own_per_share_paise=stock.mtf_own_per_share_paise,
        prev_close_paise=quote.prev_close_paise if quote else instrument.prev_close_paise,
        open_paise=quote.open_paise if quote else None,
        bid_paise=quote.bid_paise if quote else None,
        ask_paise=quote.ask_paise if quote else None,
        lower_circuit_paise=quote.lower_circuit_paise if quote else None,
        upper_circuit_paise=quote.upper_circuit_paise if quote else None,
        bids=[level._asdict() for level in quote.bids] if quote else [],
        asks=[level._asdict() for level in quote.asks] if quote else [],
        phase=phase.kind,
        held_quantity=stock.held_quantity,
        holder_count=stock.holder_count,
    )


class ListShape(Struct, frozen=True):
    """A watchlist: its place among the lists from 1, and the keys of what it holds, in order."""

    name: str
    place: int
    keys: list[str]


def list_shape(desk: Desk, name: str) -> ListShape:
    """The list of a name in that shape."""
    lists = desk.watchlists
    return ListShape(name, lists.names().index(name) + 1, lists.keys(name))
