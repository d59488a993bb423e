"""The shapes of instruments, their market and watchlists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tradedesk.cli.views import values

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.vocabulary import PhaseKind
    from engine.desk import Desk


class QuoteShape(Struct, frozen=True):
    """The last known market of one instrument; figures are null while no price is known.

    One that is `listed` no more has no name and no figures. Where several brokers bring prices, it is that of
    `priced_by`, and `apart_bps` says how far two of them differ that differ too much for either to count.
    """

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
    listed: bool
    priced_by: str | None
    apart_bps: int | None


def quote_shape(desk: Desk, key: str) -> QuoteShape:
    """The instrument in that shape."""
    if desk.market.index.get(key) is None:
        exchange, _, symbol = key.partition(":")
        return QuoteShape(
            symbol, exchange, key, "", *([None] * 7), listed=False, priced_by=None, apart_bps=None
        )
    stock = desk.market.detail(key)
    quote, age, apart = stock.quote, desk.market.age(key), desk.market.apart(key)
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
        listed=True,
        priced_by=desk.market.told_by(key),
        apart_bps=apart.bps if apart else None,
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


class ListingShape(Struct, frozen=True):
    """How the broker of one connection lists an instrument; null where it has none of it."""

    connection: str
    broker: str
    symbol: str | None
    token: str | None
    isin: str | None
    series: str | None


def listing_shapes(desk: Desk, key: str) -> list[ListingShape]:
    """The instrument at each broker of the desk that has a list of its own."""
    found: list[ListingShape] = []
    for one in desk.connections:
        if not one.capabilities.lists_all:
            listing = desk.market.index.listing(one.broker.name, key)
            told = (
                (None,) * 4
                if listing is None
                else (listing.symbol, listing.token, listing.isin, listing.series)
            )
            found.append(ListingShape(one.name, one.broker.name, *told))
    return found


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
    listings: list[ListingShape]


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
        listings=listing_shapes(desk, instrument.key),
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


class IndexMoveShape(Struct, frozen=True):
    """How far an index of the breaker has moved since its previous close."""

    key: str
    moved_bps: int


class MarketHaltShape(Struct, frozen=True):
    """A halt of the market, as `MarketHalt` of the engine has it; `stands` says whether it is on."""

    number: int
    stands: bool
    began_at: datetime
    until: datetime | None
    reopens_at: datetime | None
    move_bps: int
    index_key: str
    index_bps: int | None
    reason: str
    by: str
    ended_at: datetime | None
    ended_by: str


class MarketShape(Struct, frozen=True):
    """How the market stands; `halts` are the day's, oldest first; `halts_at_bps` is 0 where none is known."""

    trading_date: date
    market_at: datetime
    phase: PhaseKind
    phase_ends_at: datetime | None
    fno_phase: PhaseKind
    fno_phase_ends_at: datetime | None
    indices: list[IndexMoveShape]
    halts_at_bps: int
    halts: list[MarketHaltShape]


def market_shape(desk: Desk) -> MarketShape:
    """The market in that shape."""
    phase, fno_phase = desk.market.phase_of(fno=False), desk.market.phase_of(fno=True)
    now, day, halts = desk.market.now(), desk.market_clock.trading_day, desk.market_halts
    return MarketShape(
        day,
        now,
        phase.kind,
        phase.ends_at,
        fno_phase.kind,
        fno_phase.ends_at,
        [IndexMoveShape(key, bps) for key, bps in halts.moves().items()],
        halts.first_level_bps,
        [
            MarketHaltShape(
                one.number,
                one == halts.standing,
                one.began_at,
                one.until,
                one.reopens_at,
                one.move_bps,
                one.index_key,
                one.index_bps,
                one.reason,
                one.by,
                one.ended_at,
                one.ended_by,
            )
            for one in halts.of_day()
        ],
    )
