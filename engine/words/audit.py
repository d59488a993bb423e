"""What an audit row tells, in words."""

from collections.abc import Mapping
from typing import Any, cast

from data.vocabulary import BreakKind
from engine.rules import SHOWN_DIGITS
from engine.words import formats
from engine.words.trading.reasons import REASON_WORDS


def detail_words(details: Mapping[str, Any]) -> str:
    """What an audit row tells besides its action: money in rupees, names without underscores."""
    shares = details.get("kind") == BreakKind.SHARES.value
    return ", ".join(told for key, value in details.items() if (told := _detail(key, value, shares)))


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
    name = key.removesuffix("_paise").removesuffix("_bps").removesuffix("_id").replace("_", " ")
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


def _item(value: Any) -> str:
    return detail_words(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else str(value)


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
    return REASON_WORDS.get(value, str(value)) if key == "reason" else str(value)
