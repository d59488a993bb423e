"""What is typed about alerts: one done with, or put off; rules of one's own made, changed, taken away."""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from data.clock import IST
from data.errors import BadInput
from data.money import count_from_text
from engine.colon.alert_lines import alert_rule_from
from engine.colon.asked import AlertDo, AskedAlert, AskedAlertRule
from engine.colon.known import Known

AT_FIRST = "10m"
"""What is meant where nothing is said."""
REST_OF_DAY = "eod"
ADD, EDIT, LIST = "add", "edit", "list"
FORM = (
    "nothing, done N, or later N with 5m, 1h, 15:00 or eod behind it, add RULE, edit N RULE, remove N, "
    "rules, usual, outbox or test"
)
"""What may be typed behind `alerts`."""
OFFERED = ("5m", AT_FIRST, "30m", "1h", "15:00", REST_OF_DAY)
"""What is offered, of which a time that has passed is left out."""

_SPAN = re.compile(r"(\d{1,3})([mh])")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def put_off_for(text: str, now: datetime) -> timedelta:
    """How long it is from `now`, the market's time, until what `text` says. Raises `BadInput`."""
    words, here = text.strip().casefold(), now.astimezone(IST)
    span = None
    if found := _SPAN.fullmatch(words):
        span = timedelta(**{"minutes" if found[2] == "m" else "hours": int(found[1])})
    elif found := _TIME.fullmatch(words):
        span = datetime.combine(here.date(), time(int(found[1]), int(found[2])), IST) - here
    elif words == REST_OF_DAY:
        span = datetime.combine(here.date() + timedelta(days=1), time(), IST) - here
    if span is None or span <= timedelta():
        raise BadInput("put off", text, f"give 5m, 1h, a time after {here:%H:%M}, or {REST_OF_DAY}")
    return span


def offered(now: datetime) -> list[str]:
    """What is offered at `now`, the market's time."""
    return [one for one in OFFERED if ":" not in one or now.astimezone(IST).time() < time.fromisoformat(one)]


def alert_from(words: Sequence[str], known: Known) -> AskedAlert | AskedAlertRule:
    """What is done with which alert or rule, or the list of alerts. Raises `BadInput`."""
    if not words or words == [LIST]:
        return AskedAlert()
    do, *behind = words
    match do.casefold(), behind:
        case AlertDo.DONE, [kind]:
            return AskedAlert(AlertDo.DONE, kind)
        case AlertDo.LATER, [kind]:
            return AskedAlert(AlertDo.LATER, kind, AT_FIRST)
        case AlertDo.LATER, [kind, how_long]:
            return AskedAlert(AlertDo.LATER, kind, how_long)
        case AlertDo.RULES | AlertDo.USUAL | AlertDo.OUTBOX | AlertDo.TEST as what, []:
            return AskedAlert(AlertDo(what))
        case AlertDo.REMOVE, [number]:
            return AskedAlert(AlertDo.REMOVE, number=_rule_number(number))
        case "add", _:
            return rule_from(behind, known)
        case "edit", [number, *rule]:
            return AskedAlertRule(alert_rule_from(rule, known) if rule else None, _rule_number(number))
        case _:
            raise BadInput("alerts", " ".join(words), f"give {FORM}")


def rule_from(words: Sequence[str], known: Known) -> AskedAlertRule:
    """A rule to be kept, or the form for one. Raises `BadInput`."""
    return AskedAlertRule(alert_rule_from(words, known) if words else None)


def _rule_number(word: str) -> int:
    number = count_from_text(word, "rule")
    if not number:
        raise BadInput("rule", word, "numbers begin at 1")
    return number
