# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of how clients reach their brokers: routes, sessions, consents, and what was waived at the gate.

No secret stands here in the clear: tokens and api secrets are in the vault (`data.secrets`), which may be
the rows of `secret`, each sealed (`data.server.secret_rows`). `route_probe`, `gate_waiver`,
`consent` and `consent_end` are append-only.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered


class SecretRecord(TableRow, table=True):
    """A secret that desks of a server share, sealed by the key with this id for its name and its version."""

    __tablename__ = "secret"
    name: str = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    key_id: str
    sealed: str
    at: datetime = moment()


class ClientRoute(TableRow, table=True):
    """How a client's orders leave. `permission` is the reference of a paper kept elsewhere.

    `refused_at` is since when its broker takes no order on it, `refused_text` the broker's words.
    """

    __tablename__ = "client_route"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    kind: str
    api_key: str = ""
    proxy: str = ""
    bind_address: str = ""
    egress_ip: str = ""
    family: str = ""
    permission: str = ""
    demat: str
    mtf_enabled: bool | None = None
    refused_at: datetime | None = moment_or_none()
    refused_text: str = ""
    updated_at: datetime = moment()


class RouteProbe(TableRow, table=True):
    """By which address a client's calls were seen to leave; `seen` is empty where nobody could tell.

    `told_by` says whose word it is, `problem` why there is none, `seen_before` which address it was on the
    latest day before. `registered` are the addresses that the broker has on its list by its own word, with
    blanks between. `way_out` is what the route named then.
    """

    __tablename__ = "route_probe"
    id: int = numbered()
    client_id: int = Field(foreign_key="client.id", sa_type=BigInteger, index=True)
    trading_date: date = Field(index=True)
    way_out: str
    told_by: str
    seen: str
    seen_before: str
    registered: str
    problem: str
    at: datetime = moment()


class ConsentRecord(TableRow, table=True):
    """What a client has agreed to, from a day and until one where those are said; both days count.

    `reference` names the paper, call or mail, which is kept elsewhere.
    """

    __tablename__ = "consent"
    id: int = numbered()
    client_id: int = Field(foreign_key="client.id", sa_type=BigInteger, index=True)
    kind: str
    reference: str
    given_from: date | None = None
    until: date | None = None
    actor: str
    at: datetime = moment()


class ConsentEnd(TableRow, table=True):
    """That a consent covers nothing from then on, and why: withdrawn, or another stands in its place."""

    __tablename__ = "consent_end"
    consent_id: int = Field(primary_key=True, foreign_key="consent.id", sa_type=BigInteger)
    why: str
    actor: str
    at: datetime = moment()


class BrokerSession(TableRow, table=True):
    """A client's session at its broker, without its token. An empty `problem_code` says that nothing is."""

    __tablename__ = "broker_session"
    client_id: int = Field(primary_key=True, foreign_key="client.id", sa_type=BigInteger)
    user_name: str = ""
    login_at: datetime | None = moment_or_none()
    expires_at: datetime | None = moment_or_none()
    problem_code: str = ""
    problem_text: str = ""
    checked_at: datetime = moment()


class GateWaiver(TableRow, table=True):
    """One amber item of one client that a trader let pass for one trading day."""

    __tablename__ = "gate_waiver"
    id: int = numbered()
    client_id: int = Field(foreign_key="client.id", sa_type=BigInteger, index=True)
    item: str
    reason: str
    actor: str
    trading_date: date
    at: datetime = moment()
