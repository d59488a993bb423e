"""People as stored: who they are, who is signed in, which keys have signed, who has confirmed which plan."""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from msgspec import Struct
from sqlalchemy import func, select, text, update

from data.audit import UNCOMMON, AuditAction
from data.repositories.base import Change, On, Query, Rows, given
from data.tables.audit import OF_PLANS, Audit
from data.tables.columns import table
from data.tables.people import (
    ApprovalRecord,
    ApprovalRule,
    PersonRecord,
    SigningKey,
    SignInRecord,
    SignInTry,
)
from data.vocabulary import Role

CLIENT, GROUP = "client:", "group:"
"""What words of a scope begin with."""


class StoredPerson(Struct, frozen=True):
    """Somebody who may sign in, with the hashes of their password and of their recovery code."""

    name: str
    role: Role
    scope: list[str] | None
    password: str
    recovery: str
    version: int
    added_at: datetime
    added_by: str
    disabled_at: datetime | None = None


class StoredKey(Struct, frozen=True):
    """The public half of a key that signs, in hex."""

    kid: str
    public: str
    made_at: datetime
    retired_at: datetime | None = None


class StoredPersonSignIn(Struct, frozen=True):
    """A sign-in of a person, and until when it stands."""

    id: str
    person: str
    place: str
    at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str = ""


class Try(Struct, frozen=True):
    """A password that was given for a name, somewhere, and whether it was right."""

    id: int
    name: str
    place: str
    was_right: bool
    at: datetime


class StoredApproval(Struct, frozen=True):
    """Somebody's confirmation of a plan, by its digest."""

    plan_number: int
    person: str
    digest: str
    at: datetime


class StoredLimit(Struct, frozen=True):
    """From which value on plans need how many others to confirm them; who has said so, and when."""

    number: int
    above_paise: int
    needed: int
    by: str
    at: datetime


_PEOPLE = Rows(PersonRecord, StoredPerson)
_EVERY = _PEOPLE.query(order_by=[_PEOPLE.c.name])
_ONE = _PEOPLE.query(_PEOPLE.c.name == given("name"))
_KEYS = Rows(SigningKey, StoredKey)
_STANDING_KEYS = _KEYS.query(
    _KEYS.c.retired_at.is_(None) | (_KEYS.c.retired_at > given("at")), order_by=[_KEYS.c.made_at]
)
_RETIRE = Change(
    update(_KEYS.table)
    .where(_KEYS.c.retired_at.is_(None) | (_KEYS.c.retired_at > given("at")))
    .values(retired_at=given("at"))
)
_SIGN_INS = Rows(SignInRecord, StoredPersonSignIn)
_STANDING = _SIGN_INS.query(_SIGN_INS.c.ended_at.is_(None), order_by=[_SIGN_INS.c.at])
_SIGN_IN = _SIGN_INS.query(_SIGN_INS.c.id == given("id"))
_KNOWN_PLACE = Query(
    str,
    select(_SIGN_INS.c.id).where(
        _SIGN_INS.c.person == given("person"),
        _SIGN_INS.c.place == given("place"),
        _SIGN_INS.c.at > given("since"),
    ),
)
_END_OVER = Change(
    update(_SIGN_INS.table)
    .where(_SIGN_INS.c.ended_at.is_(None), _SIGN_INS.c.until <= given("at"))
    .values(ended_at=_SIGN_INS.c.until)
)
_END = Change(
    update(_SIGN_INS.table)
    .where(_SIGN_INS.c.ended_at.is_(None), _SIGN_INS.c.id == given("id"))
    .values(ended_at=given("at"), ended_by=given("by"))
)
_END_ALL = Change(
    update(_SIGN_INS.table)
    .where(_SIGN_INS.c.ended_at.is_(None), _SIGN_INS.c.person == given("person"))
    .values(ended_at=given("at"), ended_by=given("by"))
)
_TRIES = Rows(SignInTry, Try)
_TRIES_OF = _TRIES.query(_TRIES.c.name == given("name"), _TRIES.c.at > given("since"), order_by=[_TRIES.c.id])
_APPROVALS = Rows(ApprovalRecord, StoredApproval)
_OF_PLAN = _APPROVALS.query(_APPROVALS.c.plan_number == given("plan"), order_by=[_APPROVALS.c.at])
_RULES = Rows(ApprovalRule, StoredLimit)
_NEWEST_RULE = _RULES.query(
    _RULES.c.number == select(func.max(table(ApprovalRule).c.number)).scalar_subquery()
)


def every_person(on: On) -> list[StoredPerson]:
    """All people, by name, those who may sign in no more among them."""
    return _EVERY.all(on)


def person(on: On, name: str) -> StoredPerson | None:
    """The person of this name; None where there is none."""
    return _ONE.first(on, name=name)


def scoped_to_group(on: On, name: str) -> list[str]:
    """Whose scope names a group, those who may sign in no more among them."""
    return [one.name for one in every_person(on) if f"{GROUP}{name}" in (one.scope or ())]


class ToldOfPerson(Struct, frozen=True):
    """A row of the audit about somebody who was added or changed, as it lies there."""

    action: AuditAction
    details: str


_AUDIT = table(Audit)
_ABOUT_PEOPLE = Query(
    ToldOfPerson,
    select(_AUDIT.c.action, _AUDIT.c.details)
    .where(
        text(UNCOMMON),
        _AUDIT.c.action.in_(
            [
                AuditAction.PERSON_ADDED.value,
                AuditAction.PERSON_CHANGED.value,
                AuditAction.PERSON_RECOVERED.value,
            ]
        ),
    )
    .order_by(_AUDIT.c.seq.desc()),
)
_SIGNED_IN_TOLD = Query(
    str,
    select(_AUDIT.c.details)
    .where(
        text(UNCOMMON),
        _AUDIT.c.action == AuditAction.SIGNED_IN.value,
        _AUDIT.c.actor == given("person"),
    )
    .order_by(_AUDIT.c.seq.desc()),
)
_RULE_TOLD = Query(
    str,
    select(_AUDIT.c.details)
    .where(text(UNCOMMON), _AUDIT.c.action == AuditAction.APPROVAL_RULE.value)
    .order_by(_AUDIT.c.seq.desc())
    .limit(1),
)
_APPROVERS_TOLD = Query(
    str,
    select(_AUDIT.c.actor).where(
        text(OF_PLANS),
        _AUDIT.c.plan_number == given("plan"),
        _AUDIT.c.action == AuditAction.PLAN_APPROVED.value,
    ),
)


def secrets_mark(row: StoredPerson) -> str:
    """What the audit keeps of a person's hashes: enough to know them again, nothing to guess at."""
    return sha256(f"{row.password}\n{row.recovery}".encode()).hexdigest()[:16]


def is_as_told(on: On, row: StoredPerson) -> bool:
    """Whether a person's role, scope, standing and hashes are what the audit's newest row about them says.

    A row of a version that told nothing of the hashes says nothing against them.
    """
    for one in _ABOUT_PEOPLE.all(on):
        told = json.loads(one.details)
        if told.get("person") == row.name:
            after = told.get("after", told)
            scope = ["all"] if row.scope is None else list(row.scope)
            stands = (row.role.value, scope, row.disabled_at is not None)
            same = told.get("secrets", mark := secrets_mark(row)) == mark
            return same and stands == (after.get("role"), after.get("scope"), after.get("disabled", False))
    return False


def is_sign_in_as_told(on: On, row: StoredPersonSignIn) -> bool:
    """Whether a sign-in stands as long as the audit says; one of a version that did not tell does."""
    for one in _SIGNED_IN_TOLD.all(on, person=row.person):
        told = json.loads(one)
        if told.get("sign_in") == row.id[:8]:
            return told.get("until", until := row.until.isoformat()) == until
    return False


def is_rule_as_told(on: On, rule: StoredLimit | None) -> bool:
    """Whether the newest limit of approvals is what the audit's newest row about one says."""
    told = json.loads(_RULE_TOLD.first(on) or "null")
    return told == (rule and {"above_paise": rule.above_paise, "needed": rule.needed})


def approvers_told(on: On, plan_number: int) -> set[str]:
    """Who has confirmed a plan, as the audit has it."""
    return set(_APPROVERS_TOLD.all(on, plan=plan_number))


def add_person(on: On, row: StoredPerson) -> None:
    """Store somebody."""
    _PEOPLE.insert(on, [row])


def save_person(on: On, row: StoredPerson) -> None:
    """Write what may change of a person."""
    _PEOPLE.save(on, [row], "role", "scope", "password", "recovery", "version", "disabled_at")


def standing_keys(on: On, at: datetime) -> list[StoredKey]:
    """The keys whose tokens are taken then, oldest first; the last signs, others are being rotated out."""
    return _STANDING_KEYS.all(on, at=at)


def add_key(on: On, key: StoredKey, others_until: datetime) -> None:
    """Have a key's tokens taken, and those of others until then at most."""
    _RETIRE.run(on, at=others_until)
    _KEYS.insert(on, [key])


def standing_sign_ins(on: On) -> list[StoredPersonSignIn]:
    """The sign-ins that nobody has ended, oldest first; some may be past their time."""
    return _STANDING.all(on)


def sign_in_of(on: On, number: str) -> StoredPersonSignIn | None:
    """One sign-in, whether it stands or not."""
    return _SIGN_IN.first(on, id=number)


def is_known_place(on: On, name: str, place: str, since: datetime) -> bool:
    """Whether a person has signed in at this place since then."""
    return _KNOWN_PLACE.first(on, person=name, place=place, since=since) is not None


def add_sign_in(on: On, row: StoredPersonSignIn) -> None:
    """Store a sign-in; those that are past their time are ended by that."""
    _END_OVER.run(on, at=row.at)
    _SIGN_INS.insert(on, [row])


def end_sign_in(on: On, number: str, by: str, at: datetime) -> int:
    """End a sign-in at once; returns whether it stood, as a count."""
    return _END.run(on, id=number, by=by, at=at)


def end_sign_ins(on: On, name: str, by: str, at: datetime) -> int:
    """End all of a person's sign-ins at once; returns how many stood."""
    return _END_ALL.run(on, person=name, by=by, at=at)


def add_try(on: On, row: Try) -> None:
    """Store that a password was given."""
    _TRIES.insert(on, [row])


def tries_of(on: On, name: str, since: datetime) -> list[Try]:
    """The passwords that were given for a name since then, oldest first."""
    return _TRIES_OF.all(on, name=name, since=since)


def approvals_of(on: On, plan_number: int) -> list[StoredApproval]:
    """Who has confirmed a plan, in the order in which they did."""
    return _OF_PLAN.all(on, plan=plan_number)


def add_approval(on: On, row: StoredApproval) -> None:
    """Store a confirmation."""
    _APPROVALS.insert(on, [row])


def approval_rule(on: On) -> StoredLimit | None:
    """The limit from which on plans are confirmed by others; None where none was ever set."""
    return _NEWEST_RULE.first(on)


def add_rule(on: On, rows: Sequence[StoredLimit]) -> None:
    """Store a limit, which counts from here on."""
    _RULES.insert(on, rows)
