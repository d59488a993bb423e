"""What a typed line about what is on record would do, and what consents say, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.colon.records.asked import (
    AskedActions,
    AskedActionUndo,
    AskedBackup,
    AskedConsent,
    AskedConsentEnd,
    AskedConsents,
    AskedDispersion,
    AskedFlowClass,
    AskedFlows,
    AskedHistory,
    AskedOfRecord,
    AskedProbe,
    AskedRecorded,
    AskedRisk,
    OfWhom,
)
from engine.words.gate import CONSENT_TO

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from data.vocabulary import ConsentKind


def record_words(asked: AskedOfRecord, code: Callable[[int], str]) -> str:
    """What a line would do; `code` is a client's."""
    match asked:
        case AskedConsents(client_id):
            return f"what {'clients have' if client_id is None else f'{code(client_id)} has'} agreed to"
        case AskedConsent(client_id, kind, reference, begins, until):
            told = f"enters the {kind_words(kind)} of {code(client_id)}: {reference}"
            return f"{told} {span_words(begins, until)}".rstrip()
        case AskedConsentEnd(client_id, number):
            return f"consent {number} of {code(client_id)} covers nothing from now on"
        case AskedHistory(whom):
            return f"what days have brought {_whose(whom, code)}"
        case AskedRisk(whom):
            return f"what {_whose(whom, code)} could lose"
        case AskedDispersion(run):
            return "what runs of today and the month cost" if run is None else f"what run {run} cost"
        case AskedActions(client_id):
            whose = "clients" if client_id is None else code(client_id)
            return f"companies' actions, and what was booked of them for {whose}"
        case AskedActionUndo(client_id, key, ex_date, why):
            what = f"{key.partition(':')[2]} of {ex_date:%d %b %Y}"
            return f"takes back what was booked for {code(client_id)} of {what}: {why}"
        case AskedFlows(client_id):
            whose = "clients" if client_id is None else code(client_id)
            return f"what came to {whose} and went by no trade"
        case AskedFlowClass(number, kind):
            return f"flow {number} was: {kind.value.replace('_', ' ')}"
        case AskedProbe() | AskedRecorded() | AskedBackup():
            return _other_words(asked, code)


def _other_words(asked: AskedProbe | AskedRecorded | AskedBackup, code: Callable[[int], str]) -> str:
    match asked:
        case AskedProbe(client_id):
            whose = "each client's calls" if client_id is None else f"the calls of {code(client_id)}"
            return f"looks by which address {whose} leave, against what the route claims"
        case AskedRecorded(word):
            return f"what happened on the replayed day{f' of {word}' if word else ''}"
        case AskedBackup(path):
            return f"copies the home's books to {path or 'its backups'} and tests the copy"


def _whose(whom: OfWhom, code: Callable[[int], str]) -> str:
    if whom.client_id is not None:
        return code(whom.client_id)
    return f"group {whom.group}" if whom.group else "the desk"


def kind_words(kind: ConsentKind) -> str:
    """A consent by what it is to: `consent to MTF`."""
    return f"consent to {to_words(kind)}"


def to_words(kind: ConsentKind) -> str:
    """What a consent is to: `MTF`."""
    return CONSENT_TO[kind].removeprefix(" to ") or kind.value


def span_words(begins: date | None, until: date | None) -> str:
    """From when and until when: `1 Apr 2026 - 31 Mar 2027`; empty where neither is said."""
    told = [f"from {begins:%d %b %Y}"] if begins is not None else []
    return " ".join([*told, *([f"until {until:%d %b %Y}"] if until is not None else [])])
