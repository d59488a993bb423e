"""Changes of clients, their groups and notes, as the commands that would do the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from msgspec import Struct, convert

from data.audit import AuditAction
from data.clock import IST
from engine.colon.writing import rupees_word
from engine.words.trading.client_terms import multiplier_text

if TYPE_CHECKING:
    from engine.review.audit import AuditRow

Code = Callable[[int | None], str]
"""A client's code by its id."""

Command: TypeAlias = "Callable[[AuditRow, Code], str]"
"""The command that would do what a row tells, empty where none would."""

T = TypeVar("T")


def told_as(kind: type[T], worded: Callable[[AuditRow, T, Code], str]) -> Command:
    """The command of rows whose details are read as this kind."""
    return lambda row, code: worded(row, convert(row.details, kind), code)


def shell_line(*words: object) -> str:
    """A command for a shell, its words quoted."""
    return " ".join(("tradedesk", *(shlex.quote(str(word)) for word in words)))


_Field: TypeAlias = "str | int | bool | list[str] | None"
"""A field of a client as a row tells it."""


class _Changed(Struct, frozen=True):
    after: Mapping[str, _Field] = {}
    """Empty in rows of versions that did not tell it."""


class _ToldOfPause(Struct, frozen=True):
    reason: str
    until: str | None


class _Paused(Struct, frozen=True):
    after: _ToldOfPause


class _PauseEnded(Struct, frozen=True):
    at_its_time: bool


class _ToldOfGroup(Struct, frozen=True):
    """What a row tells of a group, before or after: its rule, its name or its clients."""

    rule: str | None = None
    name: str | None = None
    clients: frozenset[str] = frozenset()


class _Grouped(Struct, frozen=True):
    group: str
    before: _ToldOfGroup | None
    after: _ToldOfGroup | None


class _Consented(Struct, frozen=True, rename={"begins": "from"}):
    kind: str
    reference: str
    begins: str | None = None
    until: str | None = None


class _ConsentEnded(Struct, frozen=True):
    number: int
    why: str


class _Noted(Struct, frozen=True):
    text: str


def _client_changed(row: AuditRow, told: _Changed, code: Code) -> str:
    words = [f"--{name}={value}" for name, value in map(_edited, told.after.items())]
    return shell_line("clients", "edit", code(row.client_id), *words) if words else ""


def _edited(changed: tuple[str, _Field]) -> tuple[str, str]:
    """The option for a changed field of a client, and what is typed behind it."""
    name, value = changed
    match value:
        case list():
            return name, ";".join(value)
        case bool():
            return name, "yes" if value else "no"
        case int() if name == "multiplier_bps":
            return "multiplier", multiplier_text(value)
        case int():
            return name.removesuffix("_paise").replace("_", "-"), rupees_word(value)
        case _:
            return name, str(value)


def _client_paused(row: AuditRow, told: _Paused, code: Code) -> str:
    words = ["clients", "pause", code(row.client_id), "--reason", told.after.reason]
    if (until := told.after.until) is not None:
        words += ["--until", f"{datetime.fromisoformat(until).astimezone(IST):%Y-%m-%dT%H:%M}"]
    return shell_line(*words)


def _pause_ended(row: AuditRow, told: _PauseEnded, code: Code) -> str:
    return "" if told.at_its_time else shell_line("clients", "unpause", code(row.client_id))


def _grouped(row: AuditRow, told: _Grouped, code: Code) -> str:
    before, after = told.before or _ToldOfGroup(), told.after
    if after is None:
        return shell_line("groups", "delete", told.group)
    added, removed = sorted(after.clients - before.clients), sorted(before.clients - after.clients)
    if sum(map(bool, (after.rule, after.name, added, removed))) > 1:
        words = [f"--name={after.name}"] if after.name else []
        words += [f"--rule={after.rule}"] if after.rule else []
        words += [f"--{way}={','.join(of)}" for way, of in (("add", added), ("remove", removed)) if of]
        return shell_line("groups", "edit", before.name or told.group, *words)
    if after.rule is not None:
        return shell_line("groups", "rule", told.group, after.rule)
    if after.name is not None:
        return shell_line("groups", "rename", before.name, told.group)
    verb, codes = ("add", added) if added else ("remove", removed)
    return shell_line("groups", verb, told.group, *codes)


def _consented(row: AuditRow, told: _Consented, code: Code) -> str:
    days = {"from": told.begins, "until": told.until}
    words = [f"--{name}={day}" for name, day in days.items() if day is not None]
    kind = told.kind.replace("_", "-")
    return shell_line("consents", "give", code(row.client_id), kind, told.reference, *words)


def _consent_ended(row: AuditRow, told: _ConsentEnded, code: Code) -> str:
    return shell_line("consents", "end", code(row.client_id), told.number, "--reason", told.why)


def _noted(row: AuditRow, told: _Noted, code: Code) -> str:
    if row.order_id is not None:
        return shell_line("notes", "add", "order", row.order_id, told.text)
    if row.run_number is not None:
        return shell_line("notes", "add", "run", row.run_number, told.text)
    return shell_line("notes", "add", "client", code(row.client_id), told.text)


OF_CLIENTS: Mapping[AuditAction, Command] = {
    AuditAction.CLIENT_CHANGED: told_as(_Changed, _client_changed),
    AuditAction.CLIENT_CONSENT: told_as(_Consented, _consented),
    AuditAction.CLIENT_CONSENT_ENDED: told_as(_ConsentEnded, _consent_ended),
    AuditAction.CLIENT_PAUSED: told_as(_Paused, _client_paused),
    AuditAction.CLIENT_PAUSE_ENDED: told_as(_PauseEnded, _pause_ended),
    AuditAction.GROUP_CHANGED: told_as(_Grouped, _grouped),
    AuditAction.NOTE_ADDED: told_as(_Noted, _noted),
}
"""The command of a row, and what its details are read as for it."""
