"""What an audit row tells, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from data.clock import IST
from data.vocabulary import BreakKind
from engine.book.audit_views import Of
from engine.rules import SHOWN_DIGITS
from engine.words import formats
from engine.words.trading.reasons import REASON_WORDS

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord, AuditRow, ChainState, StoryOf


def detail_words(details: Mapping[str, Any]) -> str:
    """What an audit row tells besides its action: money in rupees, names without underscores."""
    shares = details.get("kind") == BreakKind.SHARES.value
    return ", ".join(told for key, value in details.items() if (told := _detail(key, value, shares)))


def about_words(row: AuditRow, code: str | None) -> str:
    """What a row is about: `client AM1042  order 12  plan 3  run 3`."""
    subjects = (("client", code), ("order", row.order_id), ("plan", row.plan_number), ("run", row.run_number))
    return "  ".join(f"{name} {number}" for name, number in subjects if number is not None)


def chapter_words(subject: StoryOf, code: str | None) -> str:
    """What a chapter of a story is of."""
    match subject.of:
        case Of.CLIENT:
            return f"client {code or subject.number}"
        case Of.CHAIN:
            return "the chain around it"
        case _:
            return f"{subject.of} {subject.name or subject.number}"


_PAIRS = (("from", "to"), ("before", "after"), ("was", "is"), ("ours", "theirs"), ("of", "to"))
"""Details that stand for one value before and after."""


def row_lines(row: AuditRecord, code: str | None, shown_at: datetime) -> list[tuple[str, str]]:
    """All that a row tells, a line each: when, who, what, about what, its details and its hashes."""
    return [
        ("row", f"{row.seq}  {row.action}"),
        ("at", f"{shown_at.astimezone(IST):%a %d %b %Y %H:%M:%S}"),
        ("by", f"{row.actor}{f' via {row.via}' if row.via else ''}"),
        *((name, words) for name, words in (("about", about_words(row, code)),) if words),
        *detail_lines(row.details),
        ("hash", row.hash),
        ("hash before", row.previous),
    ]


def detail_lines(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a row tells besides its action, a line a value; what was before and after stands in one."""
    shares = details.get("kind") == BreakKind.SHARES.value
    lines: list[tuple[str, str]] = []
    for before, after in _PAIRS:
        if before in details and after in details:
            told = [_bare(key, details[key], shares) for key in (before, after)]
            lines.append((f"{before}, {after}", " → ".join(told)))
    paired = {key for pair in _PAIRS if set(pair) <= details.keys() for key in pair}
    for key, value in details.items():
        if key not in paired and (value or key not in _UNSAID):
            lines.append((_name(key), _bare(key, value, shares)))
    return lines


def _bare(key: str, value: Any, shares: bool) -> str:
    """A value without its name."""
    if isinstance(value, Mapping):
        return detail_words(cast(Mapping[str, Any], value)) or formats.DASH
    if isinstance(value, list):
        return "; ".join(_item(each) for each in cast(list[Any], value)) or formats.DASH
    return formats.DASH if value in (None, "") else _value_words(key, value, shares)


def chain_words(state: ChainState, verified_at: datetime | None) -> str:
    """How far the chain was found good, by whom and when: `verified to row 543, 09:15:02 by tester`."""
    if state.against:
        return "CHANGED BY SOMETHING ELSE: trading is stopped"
    if not state.verified_to:
        return "not verified yet"
    at = (
        ""
        if verified_at is None
        else f", {verified_at.astimezone(IST):%d %b} {formats.time_of_day(verified_at)}"
    )
    by = f" by {state.verified_by}" if state.verified_by else ""
    return f"verified to row {state.verified_to}{at}{by}"


_UNSAID = frozenset(
    [
        "halt",
        "message",
        "reason",
        "symbol",
        "product",
        "quantity",
        "limit_paise",
        "trigger_paise",
        "released_paise",
    ]
)
"""Details that say nothing where they are empty or nought; elsewhere that is what the row tells."""


def _detail(key: str, value: Any, shares: bool) -> str:
    name = _name(key)
    if key == "counts" and isinstance(value, Mapping):
        value = cast(Mapping[str, int], value)
        return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in value.items() if count)
    if isinstance(value, Mapping):
        return f"{name} ({detail_words(cast(Mapping[str, Any], value))})"
    if isinstance(value, list):
        return f"{name} ({'; '.join(_item(each) for each in cast(list[Any], value))})"
    if key in _UNSAID and not value:
        return ""
    if value in (None, ""):
        return f"{name} {formats.DASH}"
    return f"{name} {_value_words(key, value, shares)}"


def _name(key: str) -> str:
    return key.removesuffix("_paise").removesuffix("_bps").removesuffix("_id").replace("_", " ")


def _item(value: Any) -> str:
    return detail_words(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else str(value)


def _moment(text: str) -> datetime | None:
    """The moment that a text is in ISO form with its offset; a date alone is none."""
    try:
        at = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else at


def _value_words(key: str, value: Any, shares: bool) -> str:
    """One value by what its key says of it; a difference counts shares or money."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if key.endswith("_paise") or (key in ("ours", "theirs") and not shares):
            return f"₹{formats.amount(value)}"
        if key.endswith("_bps"):
            return f"{formats.percent(value)} %"
        counts = key.endswith("quantity") or key in ("ours", "theirs")
        return formats.quantity(value) if counts else str(value)
    if key == "digest":
        return str(value)[:SHOWN_DIGITS]
    if (at := _moment(str(value))) is not None:
        return f"{at.astimezone(IST):%d %b %Y %H:%M:%S}"
    return REASON_WORDS.get(value, str(value)) if key == "reason" else str(value)
