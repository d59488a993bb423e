"""Rules of alerts as they are stored."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, given
from data.tables.alerts import AlertRuleRecord
from data.vocabulary import RuleState


class StoredAlertRule(Struct, frozen=True):
    """A rule as a line, who made it, how often it came, and of whom it was true when that last changed."""

    number: int
    line: str
    by: str
    at: datetime
    state: RuleState = RuleState.ARMED
    fired: int = 0
    fired_at: datetime | None = None
    held: Sequence[int] = ()


_ROWS = Rows(AlertRuleRecord, StoredAlertRule)
_C = _ROWS.c
_EVERY = _ROWS.query(order_by=[_C.number])
_ONE = _ROWS.query(_C.number == given("number"))
_REMOVE = Change(delete(_ROWS.table).where(_C.number == given("number")))
_FIRED = Change(
    update(_ROWS.table)
    .where(_C.number == given("number"), _C.fired == given("before"), _C.state == RuleState.ARMED.value)
    .values(fired=given("now"), fired_at=given("at"), held=given("held"), state=given("state"))
)
_HELD = Change(update(_ROWS.table).where(_C.number == given("number")).values(held=given("held")))


async def read_rules(reader: AsyncConnection) -> list[StoredAlertRule]:
    """Every rule, in the order of their making."""
    return await _EVERY.read(reader)


def stored_rule(on: On, number: int) -> StoredAlertRule | None:
    """The rule with this number; None where there is none."""
    return _ONE.first(on, number=number)


def add_rules(on: On, rules: Sequence[StoredAlertRule]) -> None:
    """Keep rules under their numbers."""
    _ROWS.insert(on, rules)


def change_rule(on: On, rule: StoredAlertRule) -> None:
    """Have a rule be another, armed anew."""
    _ROWS.save(on, [rule], "line", "by", "at", "state", "held")


def remove_rule(on: On, number: int) -> bool:
    """Take a rule away; returns whether it was there."""
    return bool(_REMOVE.run(on, number=number))


def note_fired(on: On, rule: StoredAlertRule, at: datetime, held: Sequence[int], state: RuleState) -> bool:
    """Note that a rule has come, of these clients; returns False where it has come since `rule` was read."""
    values = {"before": rule.fired, "now": rule.fired + 1, "at": at, "held": list(held), "state": state.value}
    return bool(_FIRED.run(on, number=rule.number, **values))


def note_held(on: On, number: int, held: Sequence[int]) -> None:
    """Note of whom a rule is true still."""
    _HELD.run(on, number=number, held=list(held))
