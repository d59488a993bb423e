"""What may stand next in a line about what is on record."""

from collections.abc import Iterable, Iterator, Sequence

from data.vocabulary import ConsentKind, FlowKind
from engine.colon.known import Known
from engine.colon.offered import Completion, beginning, clients, groups
from engine.colon.records.reading import CLASS, DESK, END, FROM, GROUP, UNDO, UNTIL


def _whom(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion(DESK, "everybody"),))
        yield from clients(word, known)
        yield from groups(word.removeprefix(GROUP), known, GROUP) if word.startswith(GROUP) else ()


def _client(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return clients(word, known) if not before else ()


def _consent(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if not before:
        return clients(word, known)
    if len(before) == 1:
        kinds = (Completion(one.value.replace("_", "-")) for one in ConsentKind)
        return beginning(word, (*kinds, Completion(END, "N WHY: it covers nothing from now on")))
    days = (Completion(FROM, "its first day, 2026-04-01"), Completion(UNTIL, "its last day, 2027-03-31"))
    return beginning(word, days) if len(before) > 2 and before[1].casefold() != END else ()


def _flows(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion(CLASS, "N KIND: say what one was"),))
        yield from clients(word, known)
    elif len(before) == 2 and before[0].casefold() == CLASS:
        yield from beginning(word, (Completion(one.value.replace("_", "-")) for one in FlowKind))


def _actions(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    undone = bool(before) and before[0].casefold() == UNDO
    if not before:
        yield from beginning(word, (Completion(UNDO, "CODE SYMBOL EX-DATE WHY: take one back"),))
    if not before or (undone and len(before) == 1):
        yield from clients(word, known)


OFFER_RECORDS = {
    "consents": _client,
    "consent": _consent,
    "history": _whom,
    "risk": _whom,
    "flows": _flows,
    "actions": _actions,
    "recorded": _client,
    "probe": _client,
}
"""What each of these commands offers behind its name."""
