"""The shapes of limits before the order, and of what they say of a plan's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import LimitUnit
from engine.planning.limits.why import LIMIT_KINDS, OverLimit
from tradedesk.cli.views import values

if TYPE_CHECKING:
    from datetime import datetime

    from data.json_values import JsonObject
    from data.vocabulary import LimitKind, LimitScope, LimitStrength
    from engine.book.watched.limit_views import LimitView
    from engine.planning.limits.service import LimitUse
    from engine.planning.limits.why import Limiting

_WORDS = {kind: word for word, kind in LIMIT_KINDS.items()}

_SUFFIX = {LimitUnit.PAISE: "_paise", LimitUnit.BPS: "_bps", LimitUnit.COUNT: "", LimitUnit.NONE: ""}
"""How keys of a figure end, by what it counts."""


class OrderLimitShape(Struct, frozen=True):
    """A limit: whose, of what, how strict; `by` nobody where the desk holds it by itself.

    The figure stands under the key of its unit; `used` of a client's is None where nothing stands against it
    between orders. `decides` says that of its kind and strength it is the strictest over the client.
    """

    scope: LimitScope
    whose: str
    kind: LimitKind
    list: str
    strength: LimitStrength
    limit_paise: int | None
    limit_bps: int | None
    limit: int | None
    by: str
    at: datetime | None
    used: int | None = None
    used_bps: int | None = None
    decides: bool | None = None


def limit_shape(limit: LimitView, whose: str, use: LimitUse | None = None) -> OrderLimitShape:
    """The limit in that shape, with how much of it a client has used."""
    unit = limit.kind.unit
    return OrderLimitShape(
        scope=limit.scope,
        whose=whose,
        kind=limit.kind,
        list=limit.list_name,
        strength=limit.strength,
        limit_paise=limit.figure if unit is LimitUnit.PAISE else None,
        limit_bps=limit.figure if unit is LimitUnit.BPS else None,
        limit=limit.figure if unit is LimitUnit.COUNT else None,
        by=limit.by,
        at=limit.at,
        used=None if use is None else use.used,
        used_bps=None if use is None else use.used_bps,
        decides=None if use is None else use.decides,
    )


def told_of_limit(why: Limiting) -> JsonObject:
    """What a limit says of a line: its kind, whose it is, the figures under keys that tell their unit."""
    told = values(why)
    held = told.pop("held")
    of = {"scope": None, "whose": "", "strength": None, "override": ""} if held is None else values(held)
    told = {"says": _WORDS[type(why)], **of, **told}
    if isinstance(why, OverLimit):
        suffix = _SUFFIX[why.limit.unit]
        for name in ("figure", "now", "would"):
            told[f"{name}{suffix}"] = told.pop(name)
    return told
