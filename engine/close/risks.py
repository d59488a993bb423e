"""What a close takes of risk: value at risk, beta and drawdown by what is held at it, and what keeps them."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from data.money import BPS
from data.records import replace
from data.store import Unit
from engine.close.views import ClientDay, DayReport, DeskRisk
from engine.risk.runs import Dispersion
from engine.risk.service import HeldAtClose, Risk
from engine.risk.views import DayCosts, RiskView


class DayRisks:
    """The risk of a day's report, and what its runs cost, as they stand at its close."""

    def __init__(self, risk: Risk, dispersion: Dispersion) -> None:
        self._risk = risk
        self._dispersion = dispersion

    async def of(self, report: DayReport) -> DeskRisk:
        """The report's risk with what history carries."""
        return _told(report, await self._risk.of_held(report.day, _all_held(report)))

    async def costs(self, day: date, closed: bool) -> DayCosts:
        """What the day's runs cost each client beside the others, and the month's."""
        return await self._dispersion.costs(day, closed)

    async def at_close(self, report: DayReport) -> tuple[DeskRisk, Callable[[Unit], None]]:
        """The same, and what keeps it and the day's dispersion in the unit that the close is part of."""
        view, keep_risk = await self._risk.at_close(report.day, _all_held(report))
        keep_dispersion = await self._dispersion.at_close(report.day)

        def keep(unit: Unit) -> None:
            keep_risk(unit)
            keep_dispersion(unit)

        return _told(report, view), keep


def _told(report: DayReport, view: RiskView) -> DeskRisk:
    return replace(
        report.risk,
        var95_paise=view.var95_paise,
        var99_paise=view.var99_paise,
        drawdown_paise=view.drawdown_paise,
        beta=None if view.beta_bps is None else view.beta_bps / BPS,
    )


def _all_held(report: DayReport) -> dict[int, HeldAtClose]:
    return {one.client_id: _held(one) for one in report.clients}


def _held(one: ClientDay) -> HeldAtClose:
    worth: dict[str, int] = defaultdict(int)
    for position in one.positions:
        worth[position.key] += position.value_paise
    unrealised = sum(position.value_paise - position.cost_paise for position in one.positions)
    return HeldAtClose(worth, one.portfolio_value_paise, one.todays_pnl_paise, unrealised)
