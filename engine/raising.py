"""How anything on the desk raises an alert: in the unit that makes it true, once a kind, subject and day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct, field

from data.audit import AuditAction, AuditEntry
from data.repositories.alerting.alerts import StoredAlert, add_alert, keep_alert
from data.repositories.alerting.outbox import queue_alert
from data.store import Unit
from data.vocabulary import URGENT, AlertKind
from engine.events import AlertRaised, TapeLine
from engine.news import AlertNews, News


class AlertTold(Struct, frozen=True):
    """What an alert tells: of which kind it is, about which subject, of which clients, with which figures.

    There is one a kind, `subject` and day. It is of the whole desk where `client_ids` is None, else shown to
    whoever may see all of those. `told` are the figures that `engine/words/alerts.py` makes the sentence of,
    `named` clients, each under `client_id` with its own figure as `value`. An `urgent` one knows no quiet
    hours; those of `URGENT` never do. `news` is its line of the tape where that says more than the alert
    does, `codes` are the clients' in it; not `on_tape` where whoever raises it tells the tape themselves.
    """

    kind: AlertKind
    subject: str = ""
    client_ids: frozenset[int] | None = None
    told: Mapping[str, Any] = field(default_factory=dict[str, object])
    named: Sequence[Mapping[str, Any]] = ()
    urgent: bool = False
    codes: tuple[str, ...] = ()
    news: News | None = None
    on_tape: bool = True


def raise_alert(unit: Unit, told: AlertTold, day: date, actor: str, again: bool = False) -> int:
    """Raise an alert in this unit, with its rows of the audit and the outbox and its line of the tape.

    Returns its number, 0 where there was one of its kind, subject and `day` already, done with or not;
    `again` puts this one in the place of that.
    """
    stored = StoredAlert(
        kind=told.kind,
        trading_date=day,
        at=unit.now,
        positions=[dict(one) for one in told.named],
        subject=told.subject,
        told=told.told,
        client_ids=None if told.client_ids is None else sorted(told.client_ids),
        urgent=told.urgent or told.kind in URGENT,
    )
    number = keep_alert(unit, stored) if again else add_alert(unit, stored)
    if not number:
        return 0
    details: dict[str, object] = {"alert": told.kind.value, "number": number, "subject": told.subject}
    only = next(iter(told.client_ids)) if told.client_ids is not None and len(told.client_ids) == 1 else None
    entry = AuditEntry(AuditAction.ALERT_RAISED, actor, client_id=only, details=details | dict(told.told))
    unit.audit(entry)
    queue_alert(unit, number, unit.now)
    if told.on_tape:
        news = told.news or AlertNews(told.kind, told.told, told.codes)
        unit.publish(TapeLine(unit.now, news, told.client_ids))
    unit.publish(AlertRaised(number))
    return number
