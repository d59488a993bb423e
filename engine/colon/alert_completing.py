"""What may stand where a line about alerts is being typed."""

from collections.abc import Iterable, Sequence

from data.vocabulary import AlertKind, Measure
from engine.colon.alert_lines import ABOVE, AND, BELOW, EACH, NOTE, ONCE, OR, REPEAT, SIGNS
from engine.colon.alert_rules import FORMS, MeasureUnit
from engine.colon.alerts import ADD, EDIT, OFFERED
from engine.colon.asked import AlertDo
from engine.colon.known import Known
from engine.colon.offered import Completion, beginning, symbols, whom


def alerts_offered(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    """Words behind `alerts`."""
    match [one.casefold() for one in before]:
        case []:
            return beginning(word, (Completion(do, says) for do, says in _ALERT_DOES.items()))
        case [AlertDo.DONE | AlertDo.LATER]:
            return beginning(word, (Completion(kind.value) for kind in AlertKind))
        case [AlertDo.LATER, _]:
            return beginning(word, map(Completion, OFFERED))
        case [AlertDo.REMOVE] | ["edit"]:
            return beginning(word, (Completion(str(one), "rule") for one in known.alert_rules))
        case ["add", *_]:
            return alert_offered(before[1:], word, known)
        case ["edit", _, *_]:
            return alert_offered(before[2:], word, known)
        case _:
            return ()


_ALERT_DOES = {
    AlertDo.DONE.value: "N or KIND: not shown again",
    AlertDo.LATER.value: "N or KIND: put off",
    ADD: "RULE: what you want to be told of",
    EDIT: "N RULE: have a rule be another one",
    AlertDo.REMOVE.value: "N: take a rule away",
    AlertDo.RULES.value: "your rules, and what they read now",
    AlertDo.USUAL.value: "add the usual rules of a desk",
    AlertDo.OUTBOX.value: "what leaves by which channel",
    AlertDo.TEST.value: "send one that says nothing",
}


def alert_offered(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    """Words of a rule of alerts: what it is about, a measure, above or below, and what may go on behind."""
    told = [one.casefold() for one in before]
    begins = max((at + 1 for at, one in enumerate(told) if one in (AND, OR)), default=0)
    here = told[begins:]
    measure = next((one for one in here if one in _MEASURES), None)
    if NOTE in told or (told and told[-1] == ONCE):
        return
    if REPEAT in told:
        behind = [*map(Completion, ("1m", "10m", "1h"))] if told[-1] == REPEAT else []
        yield from beginning(word, [*behind, Completion(NOTE, "words of your own")])
    elif measure is None:
        yield from beginning(word, (Completion(one.value, FORMS[one].says) for one in Measure))
        yield from beginning(word, (Completion("all", "every client"), Completion("g:", "a group")))
        yield from beginning(word, [Completion(EACH, "each client by itself, not all together")])
        yield from whom(word, known)
        yield from symbols(word, known)
    elif here[-1] == measure and FORMS[Measure(measure)].unit is not MeasureUnit.YES:
        yield from beginning(word, (Completion(ABOVE, "at it or above"), Completion(BELOW, "at it or below")))
    elif here[-1] not in (ABOVE, BELOW, *SIGNS):
        yield from beginning(word, _BEHIND)


_MEASURES = tuple(measure.value for measure in Measure)
_BEHIND = (
    Completion(AND, "both must hold"),
    Completion(OR, "one of them is enough"),
    Completion(REPEAT, "each time it comes anew; else once"),
    Completion(ONCE, "once, as where nothing is said"),
    Completion(NOTE, "words of your own"),
)
