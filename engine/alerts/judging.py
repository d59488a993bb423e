"""Which rules come true: kept by what each of them looks at, so that only those of what changed are asked."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from data.vocabulary import Measure
from engine.colon.alert_rules import DESK, AlertCondition, AlertRule, Figures

BY_TIME = frozenset({Measure.FEED, Measure.DRIFT, Measure.LATENCY, Measure.ERRORS, Measure.HALTED})
"""What changes though nothing of a symbol or client does: it is looked at each time."""

WHOLE: frozenset[int] = frozenset({DESK})
NOBODY: frozenset[int] = frozenset()


class Reads(Protocol):
    """What reads the figures of conditions."""

    def begin(self) -> None:
        """A new look begins."""
        ...

    def of(self, one: AlertCondition, clients: Iterable[int]) -> Figures:
        """A condition's figures: of each of these clients, or of `DESK`."""
        ...


class WatchedRule(Struct):
    """A rule that waits; `held` are those of whom it was true when it was asked last, `DESK` for all.

    `scope` are the clients that whoever made it may see, None for all.
    """

    number: int
    rule: AlertRule
    held: frozenset[int] = NOBODY
    scope: frozenset[int] | None = None

    @property
    def alone(self) -> AlertCondition | None:
        """The one condition of a rule that has no other and looks at no client, as most do."""
        first = self.rule.parts[0]
        alone = len(self.rule.parts) == 1 and len(first) == 1 and not first[0].is_of_clients
        return first[0] if alone else None


class RuleTurn(Struct, frozen=True):
    """A rule of which something else is true than before: of whom it is, and of whom it was not."""

    watched: WatchedRule
    holds: frozenset[int]
    joined: frozenset[int]
    figures: tuple[tuple[AlertCondition, Figures], ...] = ()


class RuleJudge:
    """Holds the rules, and asks those of what changed."""

    def __init__(self, readings: Reads, everybody: Callable[[], Collection[int]]) -> None:
        self._readings = readings
        self._everybody = everybody
        self._rules: dict[int, WatchedRule] = {}
        self._of_key: dict[str, set[int]] = defaultdict(set)
        self._of_client: dict[int, set[int]] = defaultdict(set)
        self._of_everybody: set[int] = set()
        self._by_time: set[int] = set()

    def take(self, rules: Iterable[WatchedRule]) -> None:
        """Have these rules in the place of those before."""
        self._rules = {one.number: one for one in rules}
        for kept in (self._of_key, self._of_client):
            kept.clear()
        self._of_everybody.clear()
        self._by_time.clear()
        for number, one in self._rules.items():
            for condition in one.rule.conditions:
                self._keep(number, condition)

    def _keep(self, number: int, condition: AlertCondition) -> None:
        if condition.key:
            self._of_key[condition.key].add(number)
        if condition.measure in BY_TIME:
            self._by_time.add(number)
        if not condition.is_of_clients:
            return
        if condition.client_ids is None:
            self._of_everybody.add(number)
        for client in condition.client_ids or ():
            self._of_client[client].add(number)

    def forget(self, number: int) -> None:
        """Take a rule for one of which nothing was true yet."""
        self._rules.pop(number, None)

    @property
    def rules(self) -> Mapping[int, WatchedRule]:
        """The rules that wait, by number."""
        return self._rules

    @property
    def looks_at_clients(self) -> bool:
        """Whether any of them looks at figures of clients."""
        return bool(self._of_everybody or self._of_client)

    def keys(self) -> set[str]:
        """The symbols whose prices they look at."""
        return {key for key, rules in self._of_key.items() if rules}

    def of(self, keys: Iterable[str], clients: Collection[int], by_time: bool) -> list[int]:
        """The rules that look at any of these symbols or clients, and at what changes by time."""
        found = set(self._by_time) if by_time else set[int]()
        for key in keys:
            found |= self._of_key.get(key, NOBODY)
        for client in clients:
            found |= self._of_client.get(client, NOBODY)
        if clients:
            found |= self._of_everybody
        return sorted(found)

    def begin(self) -> None:
        """A new look begins: what is read is of now."""
        self._readings.begin()

    def judge(self, numbers: Iterable[int]) -> Iterator[RuleTurn]:
        """Ask these rules; those of which nothing else is true than before are silent."""
        for number in numbers:
            watched = self._rules.get(number)
            if watched is None:
                continue
            holds, figures = self._holds(watched)
            if holds != watched.held:
                joined = holds - watched.held
                watched.held = holds
                yield RuleTurn(watched, holds, joined, tuple(figures))

    def figures(
        self, rule: AlertRule, scope: frozenset[int] | None
    ) -> Sequence[tuple[AlertCondition, Figures]]:
        """What each condition of a rule reads now."""
        clients = self._everybody() if scope is None else scope
        return [(one, self._readings.of(one, self._clients(one, clients, scope))) for one in rule.conditions]

    def _holds(self, watched: WatchedRule) -> tuple[frozenset[int], list[tuple[AlertCondition, Figures]]]:
        """Of whom a rule is true, with what was read for it; whose figure is not known stays as it was."""
        if (alone := watched.alone) is not None:
            figures = self._readings.of(alone, ())
            value = figures[DESK]
            holds = watched.held if value is None else WHOLE if alone.meets(value) else NOBODY
            return holds, [(alone, figures)]
        read: list[tuple[AlertCondition, Figures]] = []
        found, everybody = NOBODY, self._everybody()
        for part in watched.rule.parts:
            holds = WHOLE
            for one in part:
                figures = self._readings.of(one, self._clients(one, everybody, watched.scope))
                read.append((one, figures))
                met = frozenset(
                    [
                        whose
                        for whose, value in figures.items()
                        if one.meets(value) or (value is None and whose in watched.held)
                    ]
                )
                holds = _both(holds, met)
                if not holds:
                    break
            found |= holds
        return found, read

    def _clients(
        self, one: AlertCondition, everybody: Collection[int], scope: frozenset[int] | None
    ) -> Collection[int]:
        ids = everybody if one.client_ids is None else one.client_ids
        return ids if scope is None else [client for client in ids if client in scope]


def _both(one: frozenset[int], other: frozenset[int]) -> frozenset[int]:
    """Of whom two conditions hold: what holds of the whole desk holds of each client."""
    if one == WHOLE:
        return other
    return one if other == WHOLE else one & other
