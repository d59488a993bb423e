"""The shapes of risk and of dispersion in JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date

    from data.vocabulary import Side
    from engine.desk import Desk
    from engine.risk.dispersion import RunCost
    from engine.risk.views import Breaches, ClientRisk, Concentration, DispersionView, RiskView, RunDispersion


class ClientRiskShape(Struct, frozen=True):
    """A client's risk; of value at risk a loss is positive, `lacking` are shares with too few closes."""

    client_id: int
    code: str
    portfolio_value_paise: int
    todays_pnl_paise: int
    unrealised_paise: int
    var95_paise: int | None
    var99_paise: int | None
    beta: float | None
    concentration: Concentration
    breaches: Breaches
    lacking: tuple[str, ...]


class RiskShape(Struct, frozen=True):
    """The risk of some clients together; `days` are those that value at risk is reckoned by."""

    of: str
    day: date
    total_value_paise: int
    todays_pnl_paise: int
    unrealised_paise: int
    profitable: int
    losing: int
    average_value_paise: int
    max_gain_paise: int
    max_loss_paise: int
    best: str | None
    worst: str | None
    var95_paise: int | None
    var99_paise: int | None
    beta: float | None
    index: str
    days: int
    first: date | None
    last: date | None
    drawdown_paise: int
    concentration: Concentration
    breaches: Breaches
    left_out: list[str]
    clients: list[ClientRiskShape]


class PartShape(Struct, frozen=True):
    """What a client got of a run's leg; costs are in paise, null where they are not known yet."""

    client_id: int
    code: str
    place: int
    leg: int
    symbol: str
    side: Side
    quantity: int
    filled: int
    average_paise: int | None
    dispersion_paise: int
    dispersion_bps: int | None
    unfilled_paise: int | None
    slippage_paise: int
    slippage_bps: int | None


class RunDispersionShape(Struct, frozen=True):
    """A run: its rotation, null of one that did not keep it, and its parts, the costliest first."""

    run: int
    title: str
    day: date
    rotation_seed: int | None
    rotation_start: int | None
    first: str | None
    final: bool
    notional_paise: int
    slippage_paise: int
    parts: list[PartShape]


class CostShape(Struct, frozen=True):
    """What a client's runs of the month have cost it beside their averages."""

    client_id: int
    code: str
    runs: int
    late_runs: int
    always_late: bool
    notional_paise: int
    dispersion_paise: int
    dispersion_bps: int | None
    unfilled_paise: int
    slippage_paise: int


class DispersionShape(Struct, frozen=True):
    """A day's runs and its month so far."""

    day: date
    since: date
    runs: list[RunDispersionShape]
    month: list[CostShape]


def code_of(desk: Desk, client_id: int) -> str:
    """A client's code."""
    return desk.clients.get(client_id).code


def beta_of(bps: int | None) -> float | None:
    """A beta as a number, 1 for what moves as the index does."""
    return None if bps is None else bps / 10_000


def risk_shape(desk: Desk, of: str, view: RiskView) -> RiskShape:
    """A risk in that shape."""
    code = partial(code_of, desk)
    return RiskShape(
        of=of,
        day=view.day,
        total_value_paise=view.total_value_paise,
        todays_pnl_paise=view.todays_pnl_paise,
        unrealised_paise=view.unrealised_paise,
        profitable=view.profitable,
        losing=view.losing,
        average_value_paise=view.average_value_paise,
        max_gain_paise=max(0, view.best.todays_pnl_paise) if view.best else 0,
        max_loss_paise=min(0, view.worst.todays_pnl_paise) if view.worst else 0,
        best=code(view.best.client_id) if view.best else None,
        worst=code(view.worst.client_id) if view.worst else None,
        var95_paise=view.var95_paise,
        var99_paise=view.var99_paise,
        beta=beta_of(view.beta_bps),
        index=view.index,
        days=view.days,
        first=view.first,
        last=view.last,
        drawdown_paise=view.drawdown_paise,
        concentration=view.concentration,
        breaches=view.breaches,
        left_out=[code(one) for one in view.left_out],
        clients=[_client(code(one.client_id), one) for one in view.clients],
    )


def _client(code: str, one: ClientRisk) -> ClientRiskShape:
    return ClientRiskShape(
        client_id=one.client_id,
        code=code,
        portfolio_value_paise=one.value_paise,
        todays_pnl_paise=one.todays_pnl_paise,
        unrealised_paise=one.unrealised_paise,
        var95_paise=one.var95_paise,
        var99_paise=one.var99_paise,
        beta=beta_of(one.beta_bps),
        concentration=one.concentration,
        breaches=one.breaches,
        lacking=one.lacking,
    )


def run_shape(desk: Desk, run: RunDispersion) -> RunDispersionShape:
    """A run's dispersion in that shape."""
    code, places = partial(code_of, desk), {one.client_id: one.place for one in run.places}
    return RunDispersionShape(
        run=run.number,
        title=run.title,
        day=run.day,
        rotation_seed=run.seed,
        rotation_start=run.start,
        first=code(run.places[0].client_id) if run.places else None,
        final=run.final,
        notional_paise=run.notional_paise,
        slippage_paise=run.slippage_paise,
        parts=[
            PartShape(
                client_id=one.client_id,
                code=code(one.client_id),
                place=places[one.client_id],
                leg=one.leg,
                symbol=one.key.partition(":")[2],
                side=one.side,
                quantity=one.quantity,
                filled=one.filled,
                average_paise=one.average_paise,
                dispersion_paise=one.dispersion_paise,
                dispersion_bps=one.dispersion_bps,
                unfilled_paise=one.unfilled_paise,
                slippage_paise=one.slippage_paise,
                slippage_bps=one.slippage_bps,
            )
            for one in run.parts
        ],
    )


def dispersion_shape(desk: Desk, view: DispersionView) -> DispersionShape:
    """A day's dispersion in that shape."""
    return DispersionShape(
        day=view.day,
        since=view.since,
        runs=[run_shape(desk, one) for one in view.runs],
        month=[_cost(code_of(desk, one.client_id), one) for one in view.month],
    )


def _cost(code: str, one: RunCost) -> CostShape:
    return CostShape(
        client_id=one.client_id,
        code=code,
        runs=one.runs,
        late_runs=one.late_runs,
        always_late=one.always_late,
        notional_paise=one.notional_paise,
        dispersion_paise=one.dispersion_paise,
        dispersion_bps=one.dispersion_bps,
        unfilled_paise=one.unfilled_paise,
        slippage_paise=one.slippage_paise,
    )
