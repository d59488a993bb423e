"""An order's life in words: a line for each thing that happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import Account
from engine.words import formats
from engine.words.audit import detail_words

if TYPE_CHECKING:
    from datetime import datetime

    from engine.execution.life import (
        AttemptView,
        FillView,
        OrderAudit,
        OrderLife,
        PostingView,
        RequestView,
    )


class Happening(StrEnum):
    """What kind of thing happened."""

    ATTEMPT = "attempt"
    REQUEST = "request"
    FILL = "fill"
    MONEY = "money"
    AUDIT = "audit"


class Happened(Struct, frozen=True):
    """One line of a life. `loud` is what the trader asked for or what came of a call."""

    at: datetime
    kind: Happening
    words: str
    loud: bool = False


def life_lines(life: OrderLife) -> list[Happened]:
    """Everything stored of an order as lines, oldest first."""
    lines = [*_attempts(life.attempts), *_requests(life.requests), *_fills(life.fills)]
    lines += [*_postings(life.postings), *_audit(life.audit)]
    return sorted(lines, key=lambda line: line.at)


def _attempts(attempts: Iterable[AttemptView]) -> Iterable[Happened]:
    for one in attempts:
        words = f"attempt {one.number} under tag {one.tag}"
        yield Happened(one.claimed_at, Happening.ATTEMPT, words)
        if one.ended_at is not None:
            words = f"attempt {one.number}: {one.outcome} {one.detail}".strip()
            yield Happened(one.ended_at, Happening.ATTEMPT, words, loud=True)


def _requests(requests: Iterable[RequestView]) -> Iterable[Happened]:
    for one in requests:
        halt = f", halt {one.halt_number}" if one.halt_number else ""
        asked = f"{one.kind} asked for: {one.why}{halt}{_asked_words(one)}"
        yield Happened(one.requested_at, Happening.REQUEST, asked, loud=True)
        at = one.ended_at or one.sent_at
        if at is not None:
            words = f"{one.kind} {one.state.lower()} {one.detail}".strip()
            yield Happened(at, Happening.REQUEST, words)


def request_words(one: RequestView) -> str:
    """How a request stands and what it asks for: `modify sent, limit 2,410.00`."""
    return f"{one.kind} {one.state.lower()}{_asked_words(one)}"


def _asked_words(one: RequestView) -> str:
    """What a modify asks for."""
    asked = {
        "quantity": None if one.quantity is None else formats.quantity(one.quantity),
        "limit": None if one.limit_paise is None else formats.price(one.limit_paise),
        "trigger": None if one.trigger_paise is None else formats.price(one.trigger_paise),
    }
    return "".join(f", {name} {words}" for name, words in asked.items() if words is not None)


def _fills(fills: Iterable[FillView]) -> Iterable[Happened]:
    for one in fills:
        words = (
            f"{formats.quantity(one.quantity)} at {formats.price(one.price_paise)}, trade {one.trade_id}, "
            f"traded {formats.time_of_day(one.traded_at)}, charges {formats.amount(one.charges_paise)}"
        )
        yield Happened(one.booked_at, Happening.FILL, words)


_OWED = {
    Account.MTF_LOAN: "MTF loan",
    Account.INTRADAY_LOAN: "intraday loan",
    Account.CHARGES_DUE: "charges owed",
    Account.SHORTFALL: "shortfall",
}
"""Accounts that the ledger keeps below zero: what the client owes, which a trader counts from zero up."""


def posting_words(one: PostingView) -> str:
    """An account with its amount as a trader counts it: `loss -20.90`, `MTF loan +48,074.00`."""
    if one.account == Account.REALISED:
        gained = -one.amount_paise
        return f"{'loss' if gained < 0 else 'profit'} {formats.signed_amount(gained)}"
    for account, words in _OWED.items():
        if one.account == account:
            return f"{words} {formats.signed_amount(-one.amount_paise)}"
    words = "cost of shares" if one.account == Account.STOCK_COST else one.account
    return f"{words} {formats.signed_amount(one.amount_paise)}"


def _postings(postings: Iterable[PostingView]) -> Iterable[Happened]:
    """One line a transaction: its accounts with their amounts."""
    txns: dict[int, list[PostingView]] = {}
    for one in postings:
        txns.setdefault(one.id, []).append(one)
    for lines in txns.values():
        moved = "  ".join(posting_words(one) for one in lines)
        yield Happened(lines[0].at, Happening.MONEY, f"{lines[0].kind}: {moved}")


def _audit(rows: Iterable[OrderAudit]) -> Iterable[Happened]:
    for one in rows:
        words = f"#{one.seq} {one.action} by {one.actor}: {detail_words(one.details)}"
        yield Happened(one.at, Happening.AUDIT, words)
