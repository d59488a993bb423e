"""What a search shows: clients and symbols as rows of one table, prices as they are when they are painted."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from data.reference.classes import Classes
from engine.words import formats
from engine.words.gate import gate_sentence
from screens.desk.rows import sign_of
from widgets.livegrid import Column

if TYPE_CHECKING:
    from data.reference.instruments import Instrument
    from engine.book.views import ClientView
    from engine.desk import Desk


class HitKind(StrEnum):
    """What was found."""

    CLIENT = "client"
    SYMBOL = "symbol"


class Hit(Struct, frozen=True):
    """One row: a client or a symbol; `key` is the client's id, or the instrument's key."""

    kind: HitKind
    code: str
    name: str
    fact: str
    key: str | int

    @property
    def row_key(self) -> str:
        """Its key in the table."""
        return f"{self.kind}:{self.key}"

    @property
    def symbol_key(self) -> str | None:
        """The instrument's key; None of a client."""
        return self.key if isinstance(self.key, str) else None


def symbol_row(key: str) -> str:
    """A symbol's key in the table."""
    return f"{HitKind.SYMBOL}:{key}"


def client_hit(desk: Desk, client: ClientView) -> Hit:
    """A client, with what stands at the gate."""
    gate = f"{gate_sentence(desk.reconcile.readiness(client.id))} · {client.broker}"
    return Hit(HitKind.CLIENT, client.code, client.name, gate, client.id)


def symbol_hit(instrument: Instrument, known: Classes) -> Hit:
    """A symbol, with the size of its company and its sector as far as they are known."""
    fact = " · ".join(word for word in (known.cap_of(instrument), known.sector_of(instrument)) if word)
    return Hit(HitKind.SYMBOL, instrument.tradingsymbol, instrument.name, fact, instrument.key)


def hit_columns(desk: Desk, shown_name: Callable[[Hit], str]) -> list[Column]:
    """The columns; prices of symbols are read as they are painted."""
    market = desk.market

    def of_symbol(words: Callable[[str], str]) -> Callable[[Hit], str]:
        return lambda row: words(row.symbol_key) if row.symbol_key is not None else ""

    def last(key: str) -> str:
        quote = market.quote(key)
        return formats.price(quote.last_paise if quote else None)

    def volume(key: str) -> str:
        quote = market.quote(key)
        return formats.volume(quote.volume if quote else None)

    def style(row: Hit) -> str | None:
        key = row.symbol_key
        if key is None or market.quote(key) is None:
            return None
        return "stale" if market.stale(key) else sign_of(market.change_bps(key))

    return [
        Column("kind", "", 6, lambda row: row.kind, style=lambda _: "dim"),
        Column("code", "code", 12, lambda row: row.code, style=lambda _: "strong"),
        Column("name", "name", 12, shown_name, flex=True),
        Column("ltp", "LTP", 10, of_symbol(last), "right"),
        Column(
            "change",
            "chg%",
            6,
            of_symbol(lambda key: formats.signed_percent(market.change_bps(key))),
            "right",
            style=style,
        ),
        Column("volume", "vol", 6, of_symbol(volume), "right", priority=3),
        Column("age", "age", 4, of_symbol(lambda key: formats.age(market.age(key))), "right", priority=1),
        Column("fact", "", 14, lambda row: row.fact, flex=True, priority=2),
    ]
