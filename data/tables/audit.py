# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""Tables of the audit: its chain, the rows of it that are kept beside it, and what its proofs cover."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, text
from sqlmodel import Field

from data.audit import JUDGED, UNCOMMON
from data.tables.columns import TableRow, moment, moment_or_none, numbered, where

OF_RUNS = "run_number IS NOT NULL AND order_id IS NULL"
OF_PLANS = "plan_number IS NOT NULL AND order_id IS NULL"
"""Rows of a run and of a plan that are of no order, as SQL; those of their orders are found by the order."""


class Audit(TableRow, table=True):
    """The audit's chains: each row's hash covers its content and the hash before it in its chain.

    `seq` numbers the rows of all chains, later ones higher where they can have known of each other.
    `via` is by which way its actor came (`data.vocabulary.Via`), empty where that is not told; `proof` are
    hashes of the rows that its commit changed, as JSON by table and key (`data.proving.proofs`).
    """

    __table_args__ = (
        Index("audit_judged", "seq", **where(JUDGED)),
        Index("audit_by_client", "client_id", "seq"),
        Index("audit_by_day", "at", "seq"),
        Index("audit_by_action", "action", "seq", **where(UNCOMMON)),
        Index("audit_of_runs", "run_number", "seq", **where(OF_RUNS)),
        Index("audit_of_plans", "plan_number", "seq", **where(OF_PLANS)),
        Index("audit_of_chain", "chain", "seq", sqlite_where=text("chain != 0")),
    )
    seq: int = numbered()
    at: datetime = moment()
    actor: str
    action: str
    client_id: int | None = Field(default=None, sa_type=BigInteger)
    order_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    plan_number: int | None = Field(default=None, sa_type=BigInteger)
    run_number: int | None = Field(default=None, sa_type=BigInteger)
    details: str
    via: str = Field(default="", sa_column_kwargs={"server_default": ""})
    proof: str = Field(default="", sa_column_kwargs={"server_default": ""})
    previous: str
    hash: str
    chain: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class AuditHead(TableRow, table=True):
    """A row of a chain kept beside it: `written` is its newest, `verified` the last one found good.

    `at` and `actor` say when and by whom, where that was kept.
    """

    __tablename__ = "audit_head"
    name: str = Field(primary_key=True)
    chain: int = Field(
        default=0,
        sa_type=BigInteger,
        primary_key=True,
        sa_column_kwargs={"server_default": "0", "autoincrement": False},
    )
    seq: int = Field(sa_type=BigInteger)
    hash: str
    at: datetime | None = moment_or_none()
    actor: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ProofLayout(TableRow, table=True):
    """Which columns of each table the audit's proofs cover from here on, in the order of their hash.

    `not_held` are the rows by table that stood then without a proof.
    """

    __tablename__ = "proof_layout"
    number: int = numbered()
    at: datetime = moment()
    layout: dict[str, list[str]] = Field(sa_type=JSON)
    not_held: dict[str, int] = Field(sa_type=JSON)
