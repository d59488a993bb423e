"""What is looked for in the audit: words and `name:value`, read alike by screens, `:` and commands."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from data.audit import AuditAction
from data.audit_wanted import TELL_OF, AuditWanted, Detail
from data.clock import IST
from data.errors import BadInput
from data.money import count_from_text
from data.records import replace
from data.vocabulary import Via
from engine.colon.asked import UNASKED, AuditWish
from engine.colon.known import Known
from engine.colon.splitting import quoted

_ALL = "all"

FORM = "action: client: order: run: plan: halt: flatten: by: via: on: from: to: and words"


def search_from(words: Sequence[str], known: Known) -> AuditWish:
    """What words look for. A client's code may stand by itself; every other word is looked for as it is.

    Rows that only keep hashes (`ROWS_CHANGED`) are left out unless `action:` names them, or is `all`.

    Raises `BadInput` with the word that cannot be taken, `LookupError` for a client who is not there.
    """
    wanted, told = UNASKED.wanted, set[str]()
    for word in words:
        name, colon, value = word.partition(":")
        name = name.casefold()
        if not (colon and name in _READERS):
            _hold_no_slip(name, word, bool(colon))
            wanted = _plain(wanted, word, known)
            continue
        if name in told:
            raise BadInput(name, value, f"{name}: was given already")
        told.add(name)
        if not value:
            raise BadInput(name, "", f"say what behind {name}:")
        wanted = _READERS[name](wanted, value, known)
    if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
        raise BadInput("to", f"{wanted.until.astimezone(IST):%Y-%m-%d %H:%M}", "it must be after from:")
    if wanted.detail is not None and not wanted.actions:
        wanted = replace(wanted, actions=TELL_OF[wanted.detail[0]])
    return AuditWish(wanted, line=" ".join(map(quoted, words)))


def _hold_no_slip(name: str, word: str, has_colon: bool) -> None:
    """A name that is nearly one of ours is a slip; `NSE:TCS` is a word."""
    near = difflib.get_close_matches(name, _READERS, n=1, cutoff=0.7) if has_colon else []
    if near:
        raise BadInput("word", word, f"no such name; do you mean {near[0]}:? There are {FORM}")


def _plain(wanted: AuditWanted, word: str, known: Known) -> AuditWanted:
    for client in known.clients.all():
        if client.code.casefold() == word.casefold() and wanted.client_id is None:
            return replace(wanted, client_id=client.id)
    return replace(wanted, words=(*wanted.words, word)) if word.strip() else wanted


def _action(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    if value.casefold() == _ALL:
        return replace(wanted, told_only=False)
    found = [one for part in value.split(",") for one in _actions(part.strip())]
    return replace(wanted, actions=tuple(dict.fromkeys(found)))


def _actions(word: str) -> list[AuditAction]:
    """An action by its name, or all that have such a word or begin so: `halt`, `run_p`."""
    told = word.upper().replace("-", "_")
    if told in AuditAction.__members__:
        return [AuditAction(told)]
    found = [one for one in AuditAction if told and (one.startswith(told) or f"_{told}" in one)]
    if not found:
        near = difflib.get_close_matches(told, list(AuditAction), n=3, cutoff=0.4)
        raise BadInput("action", word, f"no such action; {', '.join(near) or 'such as RUN_STARTED, or halt'}")
    return found


def _client(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    return replace(wanted, client_id=known.clients.find(value).id)


def _number(field: str) -> "_Read":
    def read(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
        return replace(wanted, **{field: count_from_text(value, field.partition("_")[0])})

    return read


def _told(detail: Detail) -> "_Read":
    def read(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
        if wanted.detail is not None:
            raise BadInput(detail.value, value, "give halt: or flatten:, one of both")
        return replace(wanted, detail=(detail, count_from_text(value, detail.value)))

    return read


def _by(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    return replace(wanted, actor=value)


def _via(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    try:
        return replace(wanted, via=Via(value.casefold()))
    except ValueError:
        raise BadInput("via", value, f"give one of {', '.join(Via)}") from None


def _on(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    if wanted.since is not None or wanted.until is not None:
        raise BadInput("on", value, "give on:, or from: and to:")
    day = _day(value, known.today)
    if day is None:
        raise BadInput("on", value, _DAYS)
    return replace(wanted, since=_midnight(day), until=_midnight(day + timedelta(days=1)))


def _from(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    return replace(wanted, since=_moment("from", value, known.today, timedelta()))


def _to(wanted: AuditWanted, value: str, known: Known) -> AuditWanted:
    return replace(wanted, until=_moment("to", value, known.today, timedelta(days=1)))


_DAYS = "give a day as 2026-11-18, today or yesterday"
_MOMENTS = f"{_DAYS}; with a time as 2026-11-18T09:15; or a time of today as 09:15"


def _moment(name: str, value: str, today: date, end_of_day: timedelta) -> datetime:
    """A moment as typed in India; a day alone is its beginning, and `end_of_day` later its end."""
    day = _day(value, today)
    try:
        if day is not None:
            return _midnight(day) + end_of_day
        if "T" not in value.upper():
            return datetime.combine(today, _time(value), IST)
        of_day, _, at = value.upper().partition("T")
        return datetime.combine(date.fromisoformat(of_day), _time(at), IST)
    except (ValueError, OverflowError):
        raise BadInput(name, value, _MOMENTS) from None


def _time(text: str) -> time:
    """A time of day with a colon, so that `0915` is none."""
    at = time.fromisoformat(text)
    if ":" not in text or at.tzinfo is not None:
        raise ValueError(text)
    return at


def _day(value: str, today: date) -> date | None:
    match value.casefold():
        case "today":
            return today
        case "yesterday":
            return today - timedelta(days=1)
        case _:
            try:
                return date.fromisoformat(value) if value.count("-") == 2 else None
            except ValueError:
                return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST)


_Read = Callable[[AuditWanted, str, Known], AuditWanted]

_READERS: Mapping[str, _Read] = {
    "action": _action,
    "client": _client,
    "order": _number("order_id"),
    "run": _number("run_number"),
    "plan": _number("plan_number"),
    "halt": _told(Detail.HALT),
    "flatten": _told(Detail.FLATTEN),
    "by": _by,
    "via": _via,
    "on": _on,
    "from": _from,
    "to": _to,
}
"""What reads each `name:value`."""

NAMES = tuple(_READERS)
