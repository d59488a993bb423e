# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of leases: which of several desks on one database has a client, and what proves that it lives."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from data.tables.columns import TableRow, moment, numbered


class ClientLease(TableRow, table=True):
    """Which engine has a client, since when, and how often it has changed hands; `instance_id` 0 is nobody.

    It has it while its `LeaseBeat` has not run out. `rolled_on` is the trading day that it has opened the
    client's books for, empty where they never were.
    """

    __tablename__ = "client_lease"
    client_id: int = Field(
        sa_type=BigInteger,
        primary_key=True,
        foreign_key="client.id",
        sa_column_kwargs={"autoincrement": False},
    )
    instance_id: int = Field(sa_type=BigInteger, index=True)
    epoch: int = Field(sa_type=BigInteger)
    since: datetime = moment()
    rolled_on: date | None = None


class Fence(TableRow, table=True):
    """What a batch of an engine holds shared while it writes for its clients, and who takes one takes alone.

    `host` is where its process number means something, `home` the id of its home, `name` how people know it.
    """

    __tablename__ = "fence"
    instance_id: int = numbered()
    epoch: int = Field(sa_type=BigInteger)
    host: str
    home: str
    name: str


class LeaseBeat(TableRow, table=True):
    """Until when an engine's leases last, in milliseconds since 1970 by the database's clock.

    It is apart from the fence, so that a beat waits for no batch.
    """

    __tablename__ = "lease_beat"
    instance_id: int = numbered()
    until_ms: int = Field(sa_type=BigInteger)


class RoleLease(TableRow, table=True):
    """Which engine has a role that only one may have, such as the feed of prices, and until when.

    `epoch` says how often it has changed hands: what an earlier holder still says is known by it.
    """

    __tablename__ = "role_lease"
    role: str = Field(primary_key=True)
    instance_id: int = Field(sa_type=BigInteger)
    epoch: int = Field(sa_type=BigInteger)
    until_ms: int = Field(sa_type=BigInteger)
