"""The shapes of people, of who is signed in, and of what roles may do."""

from datetime import datetime

from msgspec import Struct

from data.vocabulary import Right, Role


class PersonShape(Struct, frozen=True):
    """Somebody who may sign in; `clients` and `groups` are their scope, both empty where it is everybody."""

    name: str
    role: Role
    clients: tuple[str, ...]
    groups: tuple[str, ...]
    disabled: bool
    added_at: datetime
    added_by: str
    signed_in: int
    """Sign-ins of theirs that stand."""


class WhoShape(Struct, frozen=True):
    """Who acts by this terminal; without people the home's own trader, who signs in by themselves."""

    name: str
    role: Role
    people: bool
    clients: tuple[str, ...]
    groups: tuple[str, ...]
    until: datetime | None


class SignedInShape(Struct, frozen=True):
    """A sign-in that was made; its token is kept where the app and commands find it."""

    name: str
    role: Role
    until: datetime
    kept_in: str


class RoleShape(Struct, frozen=True):
    """What a role may do."""

    role: Role
    may: tuple[Right, ...]


class LimitShape(Struct, frozen=True):
    """From which value on plans need others to confirm them, and how many; none with `needed` 0."""

    above_paise: int
    needed: int


class ConfirmedShape(Struct, frozen=True):
    """Somebody's confirmation of a plan."""

    person: str
    digest: str
    at: datetime


class ApprovalShape(Struct, frozen=True):
    """How far a plan is confirmed; `needed` is 0 where it needs nobody else."""

    plan: int
    digest: str
    title: str
    maker: str
    worth_paise: int
    above_paise: int
    needed: int
    missing: int
    expires_at: datetime
    confirmed: tuple[ConfirmedShape, ...]
