"""Quotes of the paper exchange as the contract's ticks."""

from datetime import datetime

from brokers.contract import Tick
from brokers.simulators.exchange.prices import Quote


def tick_of(quote: Quote, market_at: datetime, received_at: datetime) -> Tick:
    """A quote as of a moment of the market, received at one of the wall's."""
    return Tick(
        key=quote.key,
        last_paise=quote.last_paise,
        prev_close_paise=quote.prev_close_paise,
        open_paise=quote.open_paise,
        high_paise=quote.high_paise,
        low_paise=quote.low_paise,
        volume=quote.volume,
        bid_paise=quote.bid_paise,
        ask_paise=quote.ask_paise,
        lower_circuit_paise=quote.lower_circuit_paise,
        upper_circuit_paise=quote.upper_circuit_paise,
        market_at=market_at,
        received_at=received_at,
        bids=quote.bids,
        asks=quote.asks,
    )
