# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of people: who may act, who is signed in, and who has confirmed what another has planned.

A home without a person is its one trader's. No password and no key stands here: a password's Argon2 hash
does, and the public half of the key that signs. `approval` and `approval_rule` are append-only.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered


class PersonRecord(TableRow, table=True):
    """Somebody who may sign in.

    `version` counts the changes of role, scope, password and whether they may sign in at all: a token of an
    earlier one is void. `scope` are words such as `client:7` and `group:hni`; none means every client.
    """

    __tablename__ = "person"
    name: str = Field(primary_key=True)
    role: str
    scope: list[str] | None = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    password: str
    recovery: str
    version: int = Field(sa_type=BigInteger)
    added_at: datetime = moment()
    added_by: str
    disabled_at: datetime | None = moment_or_none()


class SigningKey(TableRow, table=True):
    """The public half, in hex, of a key that has signed tokens; the private one is in the vault."""

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)
    public: str
    made_at: datetime = moment()
    retired_at: datetime | None = moment_or_none()


class SignInRecord(TableRow, table=True):
    """One sign-in of a person: it ends at `until`, or at once when it is ended before."""

    __tablename__ = "sign_in"
    id: str = Field(primary_key=True)
    person: str = Field(index=True)
    place: str
    at: datetime = moment()
    until: datetime = moment()
    ended_at: datetime | None = moment_or_none()
    ended_by: str


class SignInTry(TableRow, table=True):
    """One password that was given for a name, and whether it was right; a wrong one makes the next wait."""

    __tablename__ = "sign_in_try"
    id: int = numbered()
    name: str = Field(index=True)
    place: str
    was_right: bool
    at: datetime = moment()


class ApprovalRecord(TableRow, table=True):
    """Somebody's confirmation of a plan that somebody else has frozen, by its digest."""

    __tablename__ = "approval"
    plan_number: int = Field(primary_key=True, sa_type=BigInteger)
    person: str = Field(primary_key=True)
    digest: str
    at: datetime = moment()


class ApprovalRule(TableRow, table=True):
    """From which value on, in paise, plans need how many others to confirm them; the newest counts."""

    __tablename__ = "approval_rule"
    number: int = numbered()
    above_paise: int = Field(sa_type=BigInteger)
    needed: int
    by: str
    at: datetime = moment()
