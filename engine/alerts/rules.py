"""The trader's rules: made, changed and taken away, and kept in step with the books."""

import logging
from collections.abc import Callable, Mapping, Sequence

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.alerting.rules import (
    StoredAlertRule,
    add_rules,
    change_rule,
    read_rules,
    remove_rule,
    stored_rule,
)
from data.store import Unit
from data.vocabulary import RuleState
from engine.alerts.judging import RuleJudge, WatchedRule
from engine.book.kept import Kept
from engine.colon.alert_lines import alert_rule_from
from engine.colon.alert_rules import AlertCondition, AlertRule, AlertRuleView, Figures
from engine.colon.known import Known
from engine.colon.splitting import words_of
from engine.events import AlertRulesChanged, ClientsChanged, Event, InstrumentsRenamed, PeopleChanged
from engine.instances import ThisEngine
from engine.people.rights import scope_ids

log = logging.getLogger(__name__)

MOST_RULES = 20_000
"""Rules of a desk."""

USUAL = (
    "halted",
    "unknown above 1 repeat 1m",
    "breaks above 1 repeat 10m",
    "feed above 15s repeat 5m",
    "session repeat 10m",
    "all circuit repeat 10m",
    "all rejected above 1 repeat 1m",
    "rejects above 20% repeat 5m",
    "errors above 20% repeat 5m",
    "all mtf above 90% repeat 1h",
    "all portfolio below 70% repeat 1h",
)
"""What a desk usually wants to be told of. Below 70 % of the capital brokers call for margin."""


class AlertRules:
    """Keeps the rules of the home."""

    def __init__(self, kept: Kept, engine: ThisEngine, judge: RuleJudge, known: Callable[[], Known]) -> None:
        self._kept = kept
        self._engine = engine
        self._judge = judge
        self._known = known
        self.stored: dict[int, StoredAlertRule] = {}
        """The rules as they stand in the books, by number."""
        self._read: dict[int, AlertRule] = {}
        self._problems: dict[int, str] = {}
        self.outdated = True
        """Whether names or clients have changed since the rules were read."""

    def heard(self, event: Event) -> None:
        """Note what has the rules be read anew."""
        if isinstance(event, (ClientsChanged, InstrumentsRenamed, PeopleChanged, AlertRulesChanged)):
            self.outdated = True

    async def load(self) -> None:
        """Read the rules, and what their words mean now."""
        self.outdated = False
        async with self._kept.store.reader() as reader:
            rows = await read_rules(reader)
        known = self._known() if rows else None
        before, self.stored = self.stored, {row.number: row for row in rows}
        for number in [one for one in self._read if one not in self.stored]:
            del self._read[number]
        self._problems = {}
        for row in rows:
            same = row.number in before and before[row.number].line == row.line
            if same and row.number in self._read and not _names_clients(self._read[row.number]):
                continue
            try:
                assert known is not None
                self._read[row.number] = alert_rule_from(words_of(row.line), known)
            except (BadInput, LookupError) as problem:
                self._problems[row.number] = str(problem)
                self._read.pop(row.number, None)
        self._judge.take(self._watched())

    def _watched(self) -> list[WatchedRule]:
        held = {number: one.held for number, one in self._judge.rules.items()}
        return [
            WatchedRule(
                row.number,
                self._read[row.number],
                held.get(row.number, frozenset(row.held)),
                self._scope_of(row.by),
            )
            for row in self.stored.values()
            if row.number in self._read and row.state is RuleState.ARMED
        ]

    def _scope_of(self, by: str) -> frozenset[int] | None:
        """The clients that whoever made a rule may see; None for all, as where there are no people."""
        people, clients = self._kept.book.people, self._kept.book.clients
        found = people.by_name.get(by) if people.any else None
        if found is None or found.scope is None:
            return None
        return scope_ids(found, clients.values())

    def numbers(self) -> list[int]:
        """The numbers of all rules."""
        return list(self.stored)

    def all(self) -> list[AlertRuleView]:
        """Every rule, with what its conditions read now."""
        self._judge.begin()
        return [self._view(row) for row in self.stored.values()]

    def get(self, number: int) -> AlertRuleView:
        """The rule with this number. Raises `BadInput` where there is none."""
        if number not in self.stored:
            there = ", ".join(map(str, list(self.stored)[:8])) or "none"
            raise BadInput("rule", number, f"there is no such rule; there are {there}")
        self._judge.begin()
        return self._view(self.stored[number])

    def reads(self, rule: AlertRule) -> Sequence[tuple[AlertCondition, Figures]]:
        """What the conditions of a rule read now, before it is made."""
        self._judge.begin()
        return self._judge.figures(rule, self._scope_of(self._engine.actor))

    def _view(self, row: StoredAlertRule) -> AlertRuleView:
        read = self._read.get(row.number)
        return AlertRuleView(
            row.number,
            row.line,
            row.by,
            row.at,
            row.state,
            row.fired,
            row.fired_at,
            read,
            self._problems.get(row.number, ""),
            () if read is None else self._judge.figures(read, self._scope_of(row.by)),
            None if read is None else read.looks_at(self._scope_of(row.by)),
        )

    # --- what the trader does ---

    async def add(self, *rules: AlertRule) -> list[int]:
        """Keep rules; returns their numbers. Raises `BadInput` where there are too many."""
        actor = self._engine.actor
        if len(self.stored) + len(rules) > MOST_RULES:
            raise BadInput("alert", len(rules), f"at most {MOST_RULES} rules; take some away")

        def unit_of_work(unit: Unit) -> list[int]:
            numbers = list(unit.take_ids("alert_rule", len(rules)))
            made = [
                StoredAlertRule(number, rule.line, actor, unit.now)
                for number, rule in zip(numbers, rules, strict=True)
            ]
            add_rules(unit, made)
            for row in made:
                self._tell(unit, AuditAction.ALERT_RULE_ADDED, row.number, row.line)
            return numbers

        numbers = await self._kept.store.write(unit_of_work)
        await self._load_again()
        return numbers

    async def edit(self, number: int, rule: AlertRule) -> None:
        """Have a rule be another one, which waits anew. Raises `BadInput` where there is none."""
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            if stored_rule(unit, number) is None:
                raise BadInput("rule", number, "there is no such rule")
            change_rule(unit, StoredAlertRule(number, rule.line, actor, unit.now))
            self._tell(unit, AuditAction.ALERT_RULE_CHANGED, number, rule.line)

        await self._kept.store.write(unit_of_work)
        self._judge.forget(number)
        await self._load_again()

    async def remove(self, number: int) -> None:
        """Take a rule away. Raises `BadInput` where there is none."""

        def unit_of_work(unit: Unit) -> None:
            row = stored_rule(unit, number)
            if row is None or not remove_rule(unit, number):
                raise BadInput("rule", number, "there is no such rule")
            self._tell(unit, AuditAction.ALERT_RULE_REMOVED, number, row.line)

        await self._kept.store.write(unit_of_work)
        await self._load_again()

    async def add_usual(self) -> list[int]:
        """Keep the usual rules that are not there yet; returns their numbers."""
        there = {row.line for row in self.stored.values()}
        known = self._known()
        missing = [alert_rule_from(words_of(line), known) for line in USUAL if line not in there]
        return await self.add(*missing) if missing else []

    def _tell(self, unit: Unit, action: AuditAction, number: int, line: str) -> None:
        details: dict[str, object] = {"alert_rule": number, "line": line}
        unit.audit(AuditEntry(action, self._engine.actor, details=details))

    async def _load_again(self) -> None:
        await self.load()
        self._kept.bus.publish([AlertRulesChanged()])
        self.outdated = False

    def take_fired(self, rows: Mapping[int, StoredAlertRule]) -> None:
        """Know rules as they were just written."""
        self.stored.update(rows)
        spent = any(row.state is not RuleState.ARMED for row in rows.values())
        if spent:
            self._judge.take(self._watched())
        self._kept.bus.publish([AlertRulesChanged()])
        self.outdated = False


def _names_clients(rule: AlertRule) -> bool:
    return any(one.client_ids is not None for one in rule.conditions)
