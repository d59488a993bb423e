"""The shapes of what clients have agreed to, and of what of it is missing."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import ConsentKind, GateColour
from engine.words.gate import finding_words

if TYPE_CHECKING:
    from engine.book.access_views import ConsentView
    from engine.book.gate_views import LackingConsent
    from engine.desk import Desk


class ConsentShape(Struct, frozen=True):
    """A consent; `covers` says whether it holds on this trading day."""

    number: int
    client_id: int
    code: str
    kind: ConsentKind
    reference: str
    given_from: date | None
    until: date | None
    covers: bool
    given_by: str
    given_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None


class LackingShape(Struct, frozen=True):
    """A consent that is asked of a client and is missing or about to end; a `hard` one keeps orders back."""

    client_id: int
    code: str
    kind: ConsentKind
    hard: bool
    colour: GateColour
    words: str


def consent_shape(desk: Desk, one: ConsentView) -> ConsentShape:
    """A consent of the register."""
    from engine.access.judgement import covering

    return ConsentShape(
        one.id,
        one.client_id,
        desk.clients.get(one.client_id).code,
        one.kind,
        one.reference,
        one.given_from,
        one.until,
        bool(covering([one], desk.market_clock.trading_day)),
        one.actor,
        one.at,
        one.ended_at,
        one.ended_by,
        one.ended_why,
    )


def lacking_shape(desk: Desk, client_id: int, one: LackingConsent) -> LackingShape:
    """What a client lacks."""
    words = finding_words(one.verdict.finding, one.verdict.figures)
    code = desk.clients.get(client_id).code
    return LackingShape(client_id, code, one.kind, one.hard, one.verdict.colour, words)
