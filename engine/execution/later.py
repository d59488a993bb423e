"""What a plan does not reserve at once: the lines of its later stages, and what waits for cash."""

from data.repositories.trading.stages import StoredStaged, begin_staged, buys_to_come, take_left
from data.store import Unit
from data.vocabulary import StagedState
from engine.planning.plan import Plan


def keep_for_later(unit: Unit, plan: Plan, number: int) -> int:
    """Keep the lines of a plan's later stages, and what waits for cash; returns how many wait their turn.

    One whose client has the same security to buy in another run that goes on is none of them. What earlier
    runs of its model left of the clients that it trades for is this run's from now on.
    """
    wanted = {line.client_id for part in plan.parts for line in part.lines if line.ok or line.later}
    if plan.intent.model:
        take_left(unit, plan.intent.model, wanted, number)
    buying = buys_to_come(unit, wanted) if plan.stages > 1 else set[tuple[int, str]]()
    kept: list[StoredStaged] = []
    for part in plan.parts:
        for line in part.lines:
            waits = part.stage > 0 and line.ok
            if not waits and not line.later:
                continue
            state = StagedState.WAITS if waits else StagedState.UNFUNDED
            if waits and (line.client_id, part.instrument.security) in buying:
                state = StagedState.BARRED
            elif not waits and line.ok:
                state = StagedState.ORDERED
            kept.append(
                StoredStaged(
                    number,
                    part.leg,
                    line.client_id,
                    plan.intent.model,
                    part.instrument.security,
                    line.quantity if waits else 0,
                    line.later,
                    plan.trading_day,
                    state,
                    unit.now,
                )
            )
    begin_staged(unit, kept)
    return sum(1 for line in kept if line.state is StagedState.WAITS)
