"""People as the book shows them: who they are, what they may do for whom, and whose sign-ins stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from data.repositories.people import StoredLimit, StoredPerson, StoredPersonSignIn
from data.vocabulary import Role


class PersonView(Struct, frozen=True):
    """Somebody who may sign in, unless `disabled`; `scope` None means every client."""

    name: str
    role: Role
    scope: tuple[str, ...] | None
    version: int
    added_at: datetime
    added_by: str
    disabled: bool


class ApprovalLimit(Struct, frozen=True):
    """Plans worth more than this need so many others to confirm them."""

    above_paise: int
    needed: int


class People(Struct, frozen=True):
    """Everybody by name, and until when each sign-in stands, by its number with whose it is.

    Without anybody the home is its one trader's, who is never asked who it is.
    """

    by_name: Mapping[str, PersonView]
    sign_ins: Mapping[str, tuple[str, datetime]]
    limit: ApprovalLimit | None
    any: bool
    """Whether there is anybody who may sign in, so that whoever acts has to. The last admin always may."""


NOBODY = People({}, {}, None, False)


def person_view(stored: StoredPerson) -> PersonView:
    """A stored person, without any hash."""
    scope = None if stored.scope is None else tuple(stored.scope)
    return PersonView(
        stored.name,
        stored.role,
        scope,
        stored.version,
        stored.added_at,
        stored.added_by,
        stored.disabled_at is not None,
    )


def people_of(
    people: Sequence[StoredPerson], sign_ins: Sequence[StoredPersonSignIn], rule: StoredLimit | None
) -> People:
    """What is stored of people as the book shows it."""
    limit = None if rule is None or not rule.needed else ApprovalLimit(rule.above_paise, rule.needed)
    return People(
        {one.name: person_view(one) for one in people},
        {one.id: (one.person, one.until) for one in sign_ins},
        limit,
        any(one.disabled_at is None for one in people),
    )
