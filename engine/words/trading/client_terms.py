"""What holds for a client's orders beside its gate, in words: its multiplier, on whose word, its pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from data.clock import IST
from data.money import BPS
from data.records import values_of
from engine.words import formats

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from engine.accounts.client_edit import ClientEdit
    from engine.book.views import ClientView


def until_words(until: datetime | None) -> str:
    """Until when a pause lasts, by the market's time."""
    return "until it is ended" if until is None else f"until {until.astimezone(IST):%d %b %H:%M}"


def pause_words(client: ClientView) -> str:
    """That a client is paused, why and until when; empty where it is not."""
    return f"paused {until_words(client.paused_until)}: {client.pause_reason}" if client.paused else ""


def multiplier_text(bps: int) -> str:
    """A multiplier as it is typed: `1.5`."""
    return f"{bps / BPS:.4f}".rstrip("0").rstrip(".")


def from_words(day: date | None) -> str:
    """From when a changed capital counts: `from 30 Nov`."""
    return "from the next trading day" if day is None else f"from {day:%d %b}"


def edit_words(client: ClientView, edit: ClientEdit, counts_from: date | None = None) -> str:
    """What an edit changes: `capital 5,00,000 → 6,00,000 from 30 Nov`, the trading day `counts_from`."""
    parts: list[str] = []
    for name, now in values_of(edit).items():
        if now is None or name == "status_reason":
            continue
        was = client.fixed_groups if name == "groups" else getattr(client, name)
        if name == "capital_paise":
            was = client.next_capital_paise
        when = f" {from_words(counts_from)}" if name == "capital_paise" else ""
        parts.append(f"{_FIELDS[name]} {_value_words(name, was)} → {_value_words(name, now)}{when}")
    return ", ".join(parts) or "nothing changes yet"


_FIELDS = {
    "name": "name",
    "phone": "phone",
    "capital_paise": "capital",
    "mtf_limit_paise": "MTF limit",
    "multiplier_bps": "multiplier",
    "discretionary": "discretionary",
    "groups": "groups",
    "status": "status",
}


def _value_words(name: str, value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"×{multiplier_text(value)}" if name == "multiplier_bps" else formats.rupees(value)
        case tuple():
            return "; ".join(cast("tuple[str, ...]", value)) or formats.DASH
        case _:
            return str(value) or formats.DASH


def multiplier_words(bps: int) -> str:
    """`×1.5`; empty for a client that is as large as all."""
    return "" if bps == BPS else f"×{multiplier_text(bps)}"


def terms_words(client: ClientView) -> str:
    """What is to be known of a client before it is traded for; empty where nothing is."""
    parts = [multiplier_words(client.multiplier_bps), "" if client.discretionary else "on instruction only"]
    return " · ".join(part for part in parts if part)


def multipliers_words(clients: Iterable[ClientView]) -> str:
    """Which multipliers a bulk will use: `3 clients ×0.5 to ×2`; empty where all are as large."""
    own = sorted(client.multiplier_bps for client in clients if client.multiplier_bps != BPS)
    if not own:
        return ""
    noun = "client" if len(own) == 1 else "clients"
    low, high = multiplier_words(own[0]), multiplier_words(own[-1])
    return f"{len(own)} {noun} {low}" if low == high else f"{len(own)} {noun} {low} to {high}"
