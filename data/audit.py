"""The audit's chains: SHA-256 over each row's content and the hash before it, in the order of commit."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, cast

from data.json_values import json_texts

GENESIS = "0" * 64
"""The hash before the first row."""


class AuditAction(StrEnum):
    """What a row of the audit tells of."""

    ACTIONS_IMPORTED = "ACTIONS_IMPORTED"
    ACTION_BOOKED = "ACTION_BOOKED"
    ACTION_UNDONE = "ACTION_UNDONE"
    ACTION_PROVEN = "ACTION_PROVEN"
    ALERT_DONE = "ALERT_DONE"
    ALERT_PUT_OFF = "ALERT_PUT_OFF"
    ALERT_RAISED = "ALERT_RAISED"
    ALERT_CHANNEL_ADDED = "ALERT_CHANNEL_ADDED"
    ALERT_CHANNEL_REMOVED = "ALERT_CHANNEL_REMOVED"
    ALERT_DELIVERED = "ALERT_DELIVERED"
    ALERT_NOT_DELIVERED = "ALERT_NOT_DELIVERED"
    ALERT_RULE_ADDED = "ALERT_RULE_ADDED"
    ALERT_RULE_CHANGED = "ALERT_RULE_CHANGED"
    ALERT_RULE_REMOVED = "ALERT_RULE_REMOVED"
    APPROVAL_RULE = "APPROVAL_RULE"
    ASSISTANT_LOOKED = "ASSISTANT_LOOKED"
    AUDIT_BREAK = "AUDIT_BREAK"
    AUDIT_HEAD_DIFFERS = "AUDIT_HEAD_DIFFERS"
    AUDIT_SEALED = "AUDIT_SEALED"
    BACKUP_MADE = "BACKUP_MADE"
    BASKET_REMOVED = "BASKET_REMOVED"
    BASKET_RENAMED = "BASKET_RENAMED"
    BASKET_SAVED = "BASKET_SAVED"
    BOOKS_DISTRUSTED = "BOOKS_DISTRUSTED"
    BOOKS_TRUSTED = "BOOKS_TRUSTED"
    BREAK_ADOPTED = "BREAK_ADOPTED"
    BREAK_CLOSED = "BREAK_CLOSED"
    BREAK_OPENED = "BREAK_OPENED"
    BROKER_ANSWERS = "BROKER_ANSWERS"
    BROKER_DOWN = "BROKER_DOWN"
    CALENDAR_IMPORTED = "CALENDAR_IMPORTED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN"
    CHASE_ENDED = "CHASE_ENDED"
    CHASE_PAUSED = "CHASE_PAUSED"
    CHASE_RESUMED = "CHASE_RESUMED"
    CHASE_STARTED = "CHASE_STARTED"
    CLIENTS_IMPORTED = "CLIENTS_IMPORTED"
    CLIENT_ADDED = "CLIENT_ADDED"
    CLIENT_CHANGED = "CLIENT_CHANGED"
    CLIENT_CONNECTED = "CLIENT_CONNECTED"
    CONNECTION_ADDED = "CONNECTION_ADDED"
    LEG_HELD = "LEG_HELD"
    LIVE_BESIDE_ALLOWED = "LIVE_BESIDE_ALLOWED"
    CLIENT_CONSENT = "CLIENT_CONSENT"
    CLIENT_CONSENT_ENDED = "CLIENT_CONSENT_ENDED"
    CLIENT_DEMAT_TOLD = "CLIENT_DEMAT_TOLD"
    CLIENT_GATE_WAIVED = "CLIENT_GATE_WAIVED"
    JOB_ASKED = "JOB_ASKED"
    JOB_CANCELLED = "JOB_CANCELLED"
    JOB_DONE = "JOB_DONE"
    JOB_FAILED = "JOB_FAILED"
    JOB_RETRIED = "JOB_RETRIED"
    KILL_SWITCH_SET = "KILL_SWITCH_SET"
    CLIENT_PAUSED = "CLIENT_PAUSED"
    CLIENT_PAUSE_ENDED = "CLIENT_PAUSE_ENDED"
    CLIENT_ROUTE = "CLIENT_ROUTE"
    CLIENT_ROUTE_REFUSED = "CLIENT_ROUTE_REFUSED"
    CLIENT_ROUTE_RETRIED = "CLIENT_ROUTE_RETRIED"
    ROUTES_PROBED = "ROUTES_PROBED"
    CLIENT_SESSION_ENDED = "CLIENT_SESSION_ENDED"
    CLIENT_SIGNED_IN = "CLIENT_SIGNED_IN"
    CLIENT_STATUS = "CLIENT_STATUS"
    CONVERSION_ENDED = "CONVERSION_ENDED"
    CONVERSION_REQUESTED = "CONVERSION_REQUESTED"
    DAY_BACKED_UP = "DAY_BACKED_UP"
    DAY_EXPORTED = "DAY_EXPORTED"
    DAY_OPENED = "DAY_OPENED"
    DAY_OPEN_ADOPTED = "DAY_OPEN_ADOPTED"
    DAY_SEALED = "DAY_SEALED"
    EVIDENCE_WRITTEN = "EVIDENCE_WRITTEN"
    FACT_SETTLED = "FACT_SETTLED"
    FACT_UNBOOKED = "FACT_UNBOOKED"
    FLATTEN_CERTIFIED = "FLATTEN_CERTIFIED"
    FLATTEN_STARTED = "FLATTEN_STARTED"
    FLATTEN_STOPPED = "FLATTEN_STOPPED"
    FLATTEN_TAKEN_OVER = "FLATTEN_TAKEN_OVER"
    FILL_APPLIED = "FILL_APPLIED"
    FILL_REBOOKED = "FILL_REBOOKED"
    GROUP_CHANGED = "GROUP_CHANGED"
    GUARD_FLATTENS = "GUARD_FLATTENS"
    GUARD_REARMED = "GUARD_REARMED"
    GUARD_REMOVED = "GUARD_REMOVED"
    GUARD_SEES_AGAIN = "GUARD_SEES_AGAIN"
    GUARD_SET = "GUARD_SET"
    GUARD_TRIPPED = "GUARD_TRIPPED"
    HALT_CERTIFIED = "HALT_CERTIFIED"
    FLOW_CLASSED = "FLOW_CLASSED"
    DAY_CORRECTED = "DAY_CORRECTED"
    HALT_FIRED = "HALT_FIRED"
    HALT_SWEPT = "HALT_SWEPT"
    HALT_RESUMED = "HALT_RESUMED"
    TRADEBOOK_IMPORTED = "TRADEBOOK_IMPORTED"
    HISTORY_IMPORTED = "HISTORY_IMPORTED"
    HOME_PRUNED = "HOME_PRUNED"
    HOME_RESTORED = "HOME_RESTORED"
    INSTRUMENTS_IMPORTED = "INSTRUMENTS_IMPORTED"
    INSTRUMENT_ACCEPTED = "INSTRUMENT_ACCEPTED"
    INSTRUMENT_DOUBTED = "INSTRUMENT_DOUBTED"
    INSTRUMENT_RENAMED = "INSTRUMENT_RENAMED"
    LEASES_ENDED = "LEASES_ENDED"
    LEASES_TAKEN = "LEASES_TAKEN"
    LIMIT_REMOVED = "LIMIT_REMOVED"
    LIMIT_SET = "LIMIT_SET"
    LIST_IMPORTED = "LIST_IMPORTED"
    LIST_REMOVED = "LIST_REMOVED"
    MARGINS_TOLD = "MARGINS_TOLD"
    MTF_LIST_IMPORTED = "MTF_LIST_IMPORTED"
    MTF_PLEDGE_ACCEPTED = "MTF_PLEDGE_ACCEPTED"
    MARKET_HALTED = "MARKET_HALTED"
    MARKET_OPENED = "MARKET_OPENED"
    MODIFIES_ASKED = "MODIFIES_ASKED"
    MODIFY_ABSENT = "MODIFY_ABSENT"
    MODIFY_NOT_SENT = "MODIFY_NOT_SENT"
    MODIFY_REFUSED = "MODIFY_REFUSED"
    MODIFY_REQUESTED = "MODIFY_REQUESTED"
    MODIFY_UNKNOWN = "MODIFY_UNKNOWN"
    NOTE_ADDED = "NOTE_ADDED"
    ORDER_ACCEPTED = "ORDER_ACCEPTED"
    ORDER_ADOPTED = "ORDER_ADOPTED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    ORDER_DECLARED_ABSENT = "ORDER_DECLARED_ABSENT"
    ORDER_DENIED = "ORDER_DENIED"
    ORDER_EXPIRED = "ORDER_EXPIRED"
    ORDER_FILLED = "ORDER_FILLED"
    ORDER_GOES_ON = "ORDER_GOES_ON"
    ORDER_MODIFIED = "ORDER_MODIFIED"
    ORDER_NEEDS_TRADER = "ORDER_NEEDS_TRADER"
    ORDER_NOT_RECEIVED = "ORDER_NOT_RECEIVED"
    ORDER_NOT_SENT = "ORDER_NOT_SENT"
    ORDER_REJECTED = "ORDER_REJECTED"
    ORDER_RESERVED = "ORDER_RESERVED"
    ORDER_RESURRECTED = "ORDER_RESURRECTED"
    ORDER_SENDING = "ORDER_SENDING"
    ORDER_TAKEN_IN = "ORDER_TAKEN_IN"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    PERSON_ADDED = "PERSON_ADDED"
    PERSON_CHANGED = "PERSON_CHANGED"
    PERSON_RECOVERED = "PERSON_RECOVERED"
    PLAN_APPROVED = "PLAN_APPROVED"
    PLAN_FROZEN = "PLAN_FROZEN"
    PRESET_REMOVED = "PRESET_REMOVED"
    PRESET_SAVED = "PRESET_SAVED"
    REFUSED = "REFUSED"
    ROWS_CHANGED = "ROWS_CHANGED"
    RUN_FINISHED = "RUN_FINISHED"
    RUN_PAUSED = "RUN_PAUSED"
    RUN_RESUMED = "RUN_RESUMED"
    RUN_RESERVED = "RUN_RESERVED"
    RUN_STARTED = "RUN_STARTED"
    MODEL_KEPT = "MODEL_KEPT"
    RUN_STAGED = "RUN_STAGED"
    RUN_STOPPED = "RUN_STOPPED"
    SIGNED_IN = "SIGNED_IN"
    SIGNED_OUT = "SIGNED_OUT"
    SIGNING_KEY_MADE = "SIGNING_KEY_MADE"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    WATCHLIST_ADDED = "WATCHLIST_ADDED"
    WATCHLIST_DELETED = "WATCHLIST_DELETED"
    WATCHLIST_MADE = "WATCHLIST_MADE"
    WATCHLIST_REMOVED = "WATCHLIST_REMOVED"
    WATCHLIST_RENAMED = "WATCHLIST_RENAMED"


HEAD_DIFFERS = AuditAction.AUDIT_HEAD_DIFFERS
"""The action of a row that says: what was written here before was not what had been written last."""

BREAK = AuditAction.AUDIT_BREAK
"""The action of a row by which a trader accepted what was found wrong before it, with a reason."""

SEALED = AuditAction.AUDIT_SEALED
"""The action of a row of chain 0 that names the newest row of every other chain."""

DISTRUSTED = AuditAction.BOOKS_DISTRUSTED
"""The action of a row that tells what stops trading from then on, until it is accepted or found mended."""

TRUSTED = AuditAction.BOOKS_TRUSTED
"""The action of a row that says: nothing is left of what stopped trading."""

JUDGED = f"action IN ('{BREAK}', '{DISTRUSTED}', '{TRUSTED}')"
"""The rows that say whether trading is stopped, as SQL; an index of them asks for these very words."""


COMMON = (
    AuditAction.FILL_APPLIED,
    AuditAction.ORDER_ACCEPTED,
    AuditAction.ORDER_FILLED,
    AuditAction.ORDER_RESERVED,
    AuditAction.ORDER_SENDING,
)
"""What every order has: most rows of the audit are of these, and no index is kept of them by their action."""

UNCOMMON = f"action NOT IN ({', '.join(map(repr, map(str, COMMON)))})"
"""All other rows, as SQL; an index of them asks for these very words."""


class Head(NamedTuple):
    """The number and hash of a row of a chain."""

    seq: int
    hash: str


class Details(dict[str, Any]):
    """What a row of the audit tells beside the numbers of what it is about; it stands as JSON text."""

    stored = ""
    """The text that it was read from, to the letter, since the row's hash is of that."""

    @classmethod
    def of_text(cls, text: str) -> "Details":
        """The details of a stored row; none where the text is no JSON object, and so nobody's here."""
        try:
            told = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            told = None
        details = cls(cast(dict[str, Any], told) if isinstance(told, dict) else {})
        details.stored = text
        return details

    def text(self) -> str:
        """What stands in the row."""
        return self.stored or json.dumps(self)


NO_DETAILS: Mapping[str, Any] = {}


class AuditEntry(NamedTuple):
    """What a unit of work tells the audit; the writer numbers and hashes it just before the commit."""

    action: AuditAction
    actor: str
    client_id: int | None = None
    order_id: int | None = None
    plan_number: int | None = None
    run_number: int | None = None
    details: Mapping[str, Any] = NO_DETAILS
    via: str = ""


def row_hash(
    previous: str,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subjects: tuple[int | None, int | None, int | None, int | None],
    details: str,
    proof: str = "",
    via: str = "",
    chain: int = 0,
) -> str:
    """The hash of one row; `subjects` are client, order, plan and run."""
    return _hash(previous, seq, at.isoformat(), actor, action, subjects, details, proof, via, chain)


def _hash(
    previous: str,
    seq: int,
    at: str,
    actor: str,
    action: str,
    subjects: tuple[int | None, int | None, int | None, int | None],
    details: str,
    proof: str,
    via: str,
    chain: int,
) -> str:
    client, order, plan, run = subjects
    content = (
        f"{previous}\x1f{seq}\x1f{at}\x1f{actor}\x1f{action}\x1f{client},{order},{plan},{run}\x1f{details}"
    )
    # Rows of versions that knew none of these keep their hashes.
    if via:
        content += f"\x1e{via}"
    if proof:
        content += f"\x1f{proof}"
    if chain:
        content += f"\x1d{chain}"
    return hashlib.sha256(content.encode()).hexdigest()


COLUMNS = (
    "seq",
    "at",
    "actor",
    "action",
    "client_id",
    "order_id",
    "plan_number",
    "run_number",
    "details",
    "via",
    "proof",
    "previous",
    "hash",
)
"""The columns of the cells that `chained` returns."""


def chained(
    entries: Sequence[AuditEntry],
    head: str,
    numbers: Sequence[int],
    at: datetime,
    proofs: Sequence[str],
    chain: int = 0,
) -> tuple[list[tuple[Any, ...]], str]:
    """Number and hash `entries`, each with its proofs, behind the row with hash `head` of their chain.

    Returns the cells of each row, which are of `COLUMNS`, and the head after.
    """
    rows: list[tuple[Any, ...]] = []
    moment, told = at.isoformat(), json_texts([entry.details for entry in entries], is_sorted=True)
    for seq, entry, details, proof in zip(numbers, entries, told, proofs, strict=True):
        subjects = (entry.client_id, entry.order_id, entry.plan_number, entry.run_number)
        action = str(entry.action)  # the driver takes a text of a class of its own for one to be adapted
        digest = _hash(head, seq, moment, entry.actor, action, subjects, details, proof, entry.via, chain)
        rows.append((seq, at, entry.actor, action, *subjects, details, entry.via, proof, head, digest))
        head = digest
    return rows, head
