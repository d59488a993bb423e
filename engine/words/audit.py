"""What an audit row tells, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast

from data.clock import IST
from data.vocabulary import BreakKind
from engine.book.audit_views import Of
from engine.rules import SHOWN_DIGITS
from engine.words import formats
from engine.words.trading.reasons import REASON_WORDS

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord, AuditRow, ChainState, StoryOf


_FIRST = (
    "title",
    "text",
    "line",
    "symbol",
    "tool",
    "person",
    "quantity",
    "price_paise",
    "limit_paise",
    "reason",
    "why",
)
"""Details that a line begins with, since its end may be cut."""

NOT_AS_WRITTEN = "NOT AS WRITTEN"
"""Said of a row whose hash is not made of what it tells."""


def detail_words(details: Mapping[str, object]) -> str:
    """What an audit row tells besides its action: money in rupees, names without underscores."""
    shares = details.get("kind") == BreakKind.SHARES.value
    return ", ".join(told for key, value in details.items() if (told := _detail(key, value, shares)))


def told_words(row: AuditRecord) -> str:
    """What a row tells in a line, what matters most first; before it stands where it is not as written."""
    details = row.details
    order = sorted(details, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    told = detail_words({key: details[key] for key in order})
    return told if row.holds else f"{NOT_AS_WRITTEN}: {told}"


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
    """All that a row tells, a line each: when, by whom, about what, its details, its hashes."""
    return [
        ("row", f"{row.seq}  {row.action}"),
        *about_lines(row, code, shown_at),
        *told_lines(row),
        *hash_lines(row),
    ]


def about_lines(row: AuditRecord, code: str | None, shown_at: datetime) -> list[tuple[str, str]]:
    """When a row was written, by whom and about what."""
    about = about_words(row, code)
    return [
        ("at", f"{shown_at.astimezone(IST):%a %d %b %Y %H:%M:%S}"),
        ("by", f"{row.actor}{f' via {row.via}' if row.via else ''}"),
        *([("about", about)] if about else []),
    ]


def told_lines(row: AuditRecord) -> list[tuple[str, str]]:
    """What a row tells besides its action, with a line before it where the row is not as it was written."""
    changed = "something else has changed this row: its hash is of another"
    return [*([] if row.holds else [(NOT_AS_WRITTEN, changed)]), *detail_lines(row.details)]


def hash_lines(row: AuditRecord) -> list[tuple[str, str]]:
    """A row's hash and the one before it."""
    return [("hash", row.hash), ("hash before", row.previous)]


def detail_lines(details: Mapping[str, object]) -> list[tuple[str, str]]:
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


def _bare(key: str, value: object, shares: bool) -> str:
    """A value without its name."""
    if key == "counts" and isinstance(value, Mapping):
        return _counts(cast(Mapping[str, int], value)) or formats.DASH
    if isinstance(value, Mapping):
        return detail_words(cast(Mapping[str, object], value)) or formats.DASH
    if isinstance(value, list):
        return "; ".join(_item(each) for each in cast(list[object], value)) or formats.DASH
    return formats.DASH if value in (None, "") else _value_words(key, value, shares)


def chain_words(state: ChainState, now: datetime) -> str:
    """How far the chain was found good, and how long ago: `chain ok to row 543, 12s ago`."""
    if state.against:
        return "CHAIN BROKEN: trading is stopped"
    if not state.verified_to:
        return "chain not verified yet"
    ago = None if state.verified_at is None else (now - state.verified_at).total_seconds()
    return f"chain ok to row {state.verified_to}" + ("" if ago is None else f", {formats.age(ago)} ago")


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


def _detail(key: str, value: object, shares: bool) -> str:
    name = _name(key)
    if key == "counts" and isinstance(value, Mapping):
        return _counts(cast(Mapping[str, int], value))
    if isinstance(value, Mapping):
        return f"{name} ({detail_words(cast(Mapping[str, object], value))})"
    if isinstance(value, list):
        return f"{name} ({'; '.join(_item(each) for each in cast(list[object], value))})"
    if key in _UNSAID and not value:
        return ""
    if value in (None, ""):
        return f"{name} {formats.DASH}"
    return f"{name} {_value_words(key, value, shares)}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in counts.items() if count)


def _name(key: str) -> str:
    return key.removesuffix("_paise").removesuffix("_bps").removesuffix("_id").replace("_", " ")


def _item(value: object) -> str:
    return detail_words(cast(Mapping[str, object], value)) if isinstance(value, Mapping) else str(value)


def _moment(text: str) -> datetime | None:
    """The moment that a text is in ISO form with its offset; a date alone is none."""
    try:
        at = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else at


_REASON_WORDS = {reason.value: words for reason, words in REASON_WORDS.items()}


def _value_words(key: str, value: object, shares: bool) -> str:
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
    return _REASON_WORDS.get(str(value), str(value)) if key == "reason" else str(value)
