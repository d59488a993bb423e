"""Clients as stored. Apart from the repository, since short reads fill the same rows."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import ClientStatus, SessionState


class StoredClient(Struct, frozen=True):
    """A client with its sizing base and MTF limit; each is None where none stands."""

    id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    status_reason: str
    status_since: date | None
    session: SessionState
    capital_paise: int
    phone: str
    connection: str
    discretionary: bool
    multiplier_bps: int
    pause_reason: str
    paused_at: datetime | None
    paused_until: datetime | None
    base_paise: int | None
    mtf_limit_paise: int | None


class StoredRule(Struct, frozen=True):
    """A group of whoever its rule is true of."""

    name: str
    rule: str


class InGroup(Struct, frozen=True):
    """That a client is in a group of this name."""

    client_id: int
    name: str
