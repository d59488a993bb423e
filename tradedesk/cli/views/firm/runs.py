"""The shapes of runs over all desks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.jobs.firm_wide import FirmRunView


class ShardShape(Struct, frozen=True):
    """One shard: its clients, the job that reserves for them, and what came of it."""

    shard: int
    job: int
    client_ids: Sequence[int]
    reserved: int
    denied: int
    problem: str
    ended_at: datetime | None


class FirmRunShape(Struct, frozen=True):
    """A run over all desks; `missing_client_ids` are those of whom nothing was reserved."""

    run: int
    plan: int
    status: str
    reserved: int
    shards_left: int
    missing_client_ids: Sequence[int]
    shards: Sequence[ShardShape]


def firm_run_shape(run: FirmRunView) -> FirmRunShape:
    """One of them."""
    return FirmRunShape(
        run=run.number,
        plan=run.plan_number,
        status=run.status.value,
        reserved=run.reserved,
        shards_left=sum(one.ended_at is None for one in run.shards),
        missing_client_ids=run.missing,
        shards=[
            ShardShape(
                shard=one.shard,
                job=one.job_number,
                client_ids=one.client_ids,
                reserved=one.reserved,
                denied=one.denied,
                problem=one.problem,
                ended_at=one.ended_at,
            )
            for one in run.shards
        ],
    )
