"""Reads lines about what is on record, such as `consent PS1015 phone tape 12 until:2027-03-31`."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from data.errors import BadInput
from data.money import count_from_text
from data.spreadsheets.named import named_file
from data.vocabulary import ConsentKind, FlowKind
from engine.colon.files import day_from
from engine.colon.known import Known
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
from engine.colon.splitting import at_most
from engine.colon.whom import group_named

K = TypeVar("K", ConsentKind, FlowKind)

CONSENT_FORM = "CODE KIND REFERENCE [from:DAY] [until:DAY], or CODE end N WHY"
END, CLASS, UNDO, DESK, GROUP = "end", "class", "undo", "desk", "g:"
FROM, UNTIL = "from:", "until:"


def consents_from(words: Sequence[str], known: Known) -> AskedConsents:
    """All consents, or those of a client. Raises `BadInput`."""
    at_most(words, 1, "a client's code, or nothing for all")
    return AskedConsents(known.clients.find(words[0]).id if words else None)


def consent_from(words: Sequence[str], known: Known) -> AskedConsent | AskedConsentEnd | AskedConsents:
    """A consent to be entered or ended; a client alone shows what it has. Raises `BadInput`."""
    if not words:
        raise BadInput("consent", "", f"give {CONSENT_FORM}")
    client_id = known.clients.find(words[0]).id
    if len(words) == 1:
        return AskedConsents(client_id)
    if words[1].casefold() == END:
        number, why = (words[2] if len(words) > 2 else ""), " ".join(words[3:])
        if not number.isdecimal() or not why:
            raise BadInput("consent", " ".join(words[1:]), "give end, its number and why: end 12 withdrawn")
        return AskedConsentEnd(client_id, count_from_text(number, "number"), why)
    kind = _one_of(ConsentKind, "kind", words[1])
    days: dict[str, date] = {}
    told: list[str] = []
    for word in words[2:]:
        prefix = next((one for one in (FROM, UNTIL) if word.casefold().startswith(one)), "")
        if prefix:
            days[prefix] = day_from(word[len(prefix) :], prefix.rstrip(":"))
        else:
            told.append(word)
    if not told:
        raise BadInput("reference", "", "name the paper, call or mail that shows it")
    return AskedConsent(client_id, kind, " ".join(told), days.get(FROM), days.get(UNTIL))


def _one_of(kinds: type[K], field: str, word: str) -> K:
    told = word.casefold().replace("-", "_")
    for one in kinds:
        if one.value == told:
            return one
    raise BadInput(field, word, f"give one of {', '.join(one.value.replace('_', '-') for one in kinds)}")


def of_whom(make: Callable[[OfWhom], AskedOfRecord]) -> Callable[[Sequence[str], Known], AskedOfRecord]:
    """Reads whose figures are asked for: a client's, a group's or the desk's."""

    def read(words: Sequence[str], known: Known) -> AskedOfRecord:
        at_most(words, 1, "a client's code, g:GROUP, or nothing for the desk")
        if not words or words[0].casefold() == DESK:
            return make(OfWhom())
        if words[0].casefold().startswith(GROUP):
            return make(OfWhom(group=group_named(words[0][len(GROUP) :], words[0], known)))
        return make(OfWhom(client_id=known.clients.find(words[0]).id))

    return read


def dispersion_from(words: Sequence[str], _: Known) -> AskedDispersion:
    """A run's dispersion, or that of today and the month. Raises `BadInput`."""
    at_most(words, 1, "the number of a run, or nothing for today and the month")
    return AskedDispersion(count_from_text(words[0], "run") if words else None)


def flows_from(words: Sequence[str], known: Known) -> AskedFlows | AskedFlowClass:
    """Flows of all clients or one, or what one was. Raises `BadInput`."""
    if words and words[0].casefold() == CLASS:
        if len(words) < 3:
            raise BadInput("flows", " ".join(words), "give class N KIND [NOTE]: class 12 pay-in cheque 7")
        kind = _one_of(FlowKind, "kind", words[2])
        return AskedFlowClass(count_from_text(words[1], "flow"), kind, " ".join(words[3:]))
    at_most(words, 1, "a client's code, class N KIND, or nothing for all")
    return AskedFlows(known.clients.find(words[0]).id if words else None)


def actions_from(words: Sequence[str], known: Known) -> AskedActions | AskedActionUndo:
    """Companies' actions of all clients or one, or one to be taken back. Raises `BadInput`."""
    if words and words[0].casefold() == UNDO:
        if len(words) < 5:
            form = "give undo CODE SYMBOL EX-DATE WHY: undo PS1015 TCS 2026-11-19 put off"
            raise BadInput("actions", " ".join(words), form)
        ex_date = day_from(words[3], "ex_date")
        client, share = known.clients.find(words[1]), known.index.resolve(words[2])
        return AskedActionUndo(client.id, share.key, ex_date, " ".join(words[4:]))
    at_most(words, 1, "a client's code, undo CODE SYMBOL EX-DATE WHY, or nothing for all")
    return AskedActions(known.clients.find(words[0]).id if words else None)


def recorded_from(words: Sequence[str], _: Known) -> AskedRecorded:
    """What a replayed day's recording tells, of all or of what a word names. Raises `BadInput`."""
    at_most(words, 1, "a client's code, a symbol or an order's number, or nothing for all")
    return AskedRecorded(words[0] if words else "")


def probe_from(words: Sequence[str], known: Known) -> AskedProbe:
    """Which routes are looked at: all, or a client's. Raises `BadInput`."""
    at_most(words, 1, "a client's code, or nothing for all that have a route")
    return AskedProbe(known.clients.find(words[0]).id if words else None)


def backup_from(words: Sequence[str], _: Known) -> AskedBackup:
    """A backup, into the home's own folder or that one. Raises `BadInput`."""
    at_most(words, 1, "a folder, or nothing for the home's own")
    return AskedBackup(named_file(Path(words[0]), "folder") if words else None)


READ_RECORDS: dict[str, Callable[[Sequence[str], Known], AskedOfRecord]] = {
    "consents": consents_from,
    "consent": consent_from,
    "history": of_whom(AskedHistory),
    "risk": of_whom(AskedRisk),
    "dispersion": dispersion_from,
    "flows": flows_from,
    "actions": actions_from,
    "recorded": recorded_from,
    "probe": probe_from,
    "backup": backup_from,
}
"""What reads the words behind each of these commands."""
