# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of how clients reach their brokers: routes, sessions, and what was waived at the gate.

No secret stands here: tokens and api secrets are in the vault (`data.secrets`). `gate_waiver` is append-only.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, moment_or_none, numbered


class ClientRoute(TableRow, table=True):
    """How a client's orders leave. `permission` and `consent` are references of papers kept elsewhere.

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
    consent: str = ""
    consent_until: date | None = None
    demat: str
    mtf_enabled: bool | None = None
    refused_at: datetime | None = moment_or_none()
    refused_text: str = ""
    updated_at: datetime = moment()


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
