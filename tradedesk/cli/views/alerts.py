"""The shapes of rules of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from engine.colon.alert_rules import MeasureUnit

if TYPE_CHECKING:
    from datetime import datetime

    from data.vocabulary import RuleState
    from engine.colon.alert_rules import AlertRuleView

_ENDINGS = {
    MeasureUnit.PRICE: "_paise",
    MeasureUnit.MONEY: "_paise",
    MeasureUnit.PERCENT: "_bps",
    MeasureUnit.TIME: "_ms",
    MeasureUnit.COUNT: "",
    MeasureUnit.YES: "",
}


class AlertRuleShape(Struct, frozen=True):
    """A rule. `any_of` are its parts, of each of which all conditions hold.

    A condition has `measure`, `key`, `clients` (words), `connection`, `each`, `above`, `limit…` and `now…`,
    by client id or `0` for one figure of all; their names end in what they count in.
    """

    number: int
    line: str
    by: str
    at: datetime
    state: RuleState
    fired: int
    fired_at: datetime | None
    problem: str
    again_s: float | None
    note: str
    any_of: list[list[dict[str, Any]]]


def rule_shape(one: AlertRuleView) -> AlertRuleShape:
    """A rule with what it reads now."""
    rule, place, parts = one.rule, 0, list[list[dict[str, Any]]]()
    for part in () if rule is None else rule.parts:
        conditions: list[dict[str, Any]] = []
        for condition in part:
            ending = _ENDINGS[condition.unit]
            conditions.append(
                {
                    "measure": condition.measure,
                    "key": condition.key,
                    "clients": condition.whom,
                    "connection": condition.connection,
                    "each": condition.each,
                    "above": condition.above,
                    f"limit{ending}": condition.limit,
                    f"now{ending}": dict(one.readings[place][1]),
                }
            )
            place += 1
        parts.append(conditions)
    return AlertRuleShape(
        one.number,
        one.line,
        one.by,
        one.at,
        one.state,
        one.fired,
        one.fired_at,
        one.problem,
        None if rule is None else rule.again_s,
        "" if rule is None else rule.note,
        parts,
    )
