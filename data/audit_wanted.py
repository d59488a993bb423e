"""What rows of the audit are asked for, by whoever looks into it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from data.audit import AuditAction
from data.vocabulary import Via


class Detail(StrEnum):
    """Details by whose value rows can be asked for; a row that names no person is of whoever acted."""

    HALT = "halt"
    FLATTEN = "flatten"
    CONVERSION = "conversion"
    ALERT = "alert"
    PERSON = "person"


TELL_OF: Mapping[Detail, tuple[AuditAction, ...]] = {
    Detail.HALT: (
        AuditAction.HALT_FIRED,
        AuditAction.HALT_SWEPT,
        AuditAction.HALT_CERTIFIED,
        AuditAction.HALT_RESUMED,
    ),
    Detail.FLATTEN: (
        AuditAction.FLATTEN_STARTED,
        AuditAction.FLATTEN_TAKEN_OVER,
        AuditAction.FLATTEN_STOPPED,
        AuditAction.FLATTEN_CERTIFIED,
    ),
    Detail.CONVERSION: (AuditAction.CONVERSION_REQUESTED, AuditAction.CONVERSION_ENDED),
    Detail.ALERT: (AuditAction.ALERT_RAISED, AuditAction.ALERT_PUT_OFF, AuditAction.ALERT_DONE),
    Detail.PERSON: (
        AuditAction.PERSON_ADDED,
        AuditAction.PERSON_CHANGED,
        AuditAction.PERSON_RECOVERED,
        AuditAction.SIGNED_IN,
        AuditAction.SIGNED_OUT,
        AuditAction.SIGN_IN_REFUSED,
        AuditAction.REFUSED,
    ),
}
"""The actions whose rows are a detail's own: what an index leads to where rows of it are asked for."""


class AuditWanted(Struct, frozen=True):
    """What rows of the audit are asked for; what is left out is not asked.

    `words` must all occur in a row, in any letter case. `since` is within, `until` without. `of` are the
    clients of which rows may be, where they may not be of all and of none. `told_only` leaves out rows that
    tell of nothing and only keep hashes, `ROWS_CHANGED`, unless `actions` name them.
    """

    actions: tuple[AuditAction, ...] = ()
    client_id: int | None = None
    order_id: int | None = None
    order_ids: tuple[int, ...] | None = None
    run_number: int | None = None
    plan_number: int | None = None
    actor: str | None = None
    via: Via | None = None
    since: datetime | None = None
    until: datetime | None = None
    detail: tuple[Detail, int | str] | None = None
    words: tuple[str, ...] = ()
    of: frozenset[int] | None = None
    told_only: bool = False
