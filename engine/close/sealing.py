"""A closed day as it is stored and hashed, purely: the same figures give the same digest for ever."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from msgspec import to_builtins

from data.json_values import json_texts
from data.records import replace, values_of
from data.reference.rates import Charges
from data.repositories.close.stored import ClientDayFigures, StoredClientDay
from engine.book.views import ClientView
from engine.close.views import ClientDay, StaysOpen

_FIGURES, _CHARGES = ClientDayFigures.__struct_fields__, Charges.__struct_fields__


def _sha256(of: object) -> str:
    """SHA-256 over JSON with sorted names, no blanks and everything beyond ASCII escaped."""
    return hashlib.sha256(json_texts([of], is_sorted=True, ascii_only=True)[0].encode()).hexdigest()


def stored_day(one: ClientDay, day: date, rev: int, at: datetime) -> StoredClientDay:
    """A client's day as it is kept, with its digest."""
    kept = StoredClientDay(
        **{name: getattr(one, name) for name in _FIGURES},
        **values_of(one.charges),
        day=day,
        rev=rev,
        positions=to_builtins(one.positions),
        digest="",
        closed_at=at,
    )
    return replace(kept, digest=digest_of(kept))


def digest_of(stored: StoredClientDay) -> str:
    """The digest that a stored day should have.

    What was earned by flows counts where there is any: days kept before that was have no such figure.
    """
    left_out = ("digest", "closed_at", *(() if stored.earned_paise else ("earned_paise",)))
    kept = {name: value for name, value in values_of(stored).items() if name not in left_out}
    return _sha256({**kept, "day": stored.day.isoformat()})


def day_of(stored: StoredClientDay, client: ClientView | None) -> ClientDay:
    """A stored day as the report tells it; the client's names are those of now."""
    charges = Charges(*(getattr(stored, name) for name in _CHARGES))
    return ClientDay(
        **{name: getattr(stored, name) for name in _FIGURES},
        code="" if client is None else client.code,
        name="" if client is None else client.name,
        broker="" if client is None else client.broker,
        charges=charges,
        charges_booked_paise=charges.total_paise,
        positions=stored.held,
        digest=stored.digest,
    )


def seal_of(
    day: date,
    rev: int,
    before: str,
    days: Iterable[StoredClientDay],
    left_open: Sequence[StaysOpen],
    closes: Mapping[str, int],
) -> str:
    """A day's seal: over the seal before it, each client's digest, who stays open, and closing prices."""
    return _sha256(
        {
            "day": day.isoformat(),
            "rev": rev,
            "before": before,
            "clients": [[one.client_id, one.digest] for one in days],
            "open": sorted([one.client_id, one.why.value] for one in left_open),
            "closes": sorted(closes.items()),
        }
    )
