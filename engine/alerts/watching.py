"""Has the rules looked at as the desk moves, and raises alerts of those that come true."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from msgspec import Struct, to_builtins

from data.records import replace
from data.repositories.alerting.rules import StoredAlertRule, note_fired, note_held
from data.store import Unit
from data.vocabulary import AlertKind, Measure, RuleState
from engine.accounts.valuation import Valuation
from engine.alerts.judging import NOBODY, RuleJudge, RuleTurn
from engine.alerts.rules import AlertRules
from engine.book.kept import Kept
from engine.colon.alert_rules import DESK, AlertCondition, AlertReading, Figures
from engine.events import Event, FundsChanged, OrderChanged, SessionsChanged
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

log = logging.getLogger(__name__)

OWNER = "alerts"
"""Under which name the rules follow prices."""

LOOK_S = 0.2
"""Seconds between two looks at what moved: as often as a screen paints."""

BY_TIME_S = 1.0
"""Seconds between two looks at what changes by itself."""

SOME = 500
"""Rules that are asked before whatever else waits has its turn."""

URGENT_MEASURES = frozenset({Measure.UNKNOWN, Measure.HALTED})
"""Measures of which quiet hours keep nothing back."""

NO_FIGURES: Figures = {}

MOST_NAMED = 20
"""Clients that an alert names by their codes on the tape."""


class Watch(Struct, frozen=True):
    """What rules look at: prices, and what clients' shares are worth by them."""

    market: Market
    valuation: Valuation
    judge: RuleJudge
    took: Callable[[float], None] = lambda _: None
    """Told how long each look took."""


class RuleWatch:
    """Looks for as long as the desk lives; an order never waits for it."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, rules: AlertRules, watch: Watch
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._rules = rules
        self._market = watch.market
        self._valuation = watch.valuation
        self.judge = watch.judge
        """Which rules come true."""
        self._took = watch.took
        self._clients: set[int] = set()
        self._again: set[int] = set()
        """Rules that came true again too soon to be told."""
        self._by_time_at = float("-inf")

    def heard(self, event: Event) -> None:
        """Note whose figures may have changed."""
        if isinstance(event, (FundsChanged, OrderChanged, SessionsChanged)):
            self._clients |= event.client_ids
        self._rules.heard(event)

    async def keep(self) -> None:
        """Look again and again."""
        end = self._kept.bus.subscribe(self.heard)
        try:
            while True:
                began = self._timing.wall.monotonic()
                try:
                    await self.look()
                except Exception as problem:  # whatever it was, the next look comes soon
                    log.warning("the rules of alerts could not be looked at: %r", problem)
                self._took(self._timing.wall.monotonic() - began)
                await self._timing.wall.sleep(LOOK_S)
        finally:
            end()

    async def look(self) -> None:
        """Ask the rules of what changed since the last look, and raise what came true."""
        if self._rules.outdated:
            await self._rules.load()
            self._clients.update(self._kept.book.funds)
            self._by_time_at = float("-inf")
        await self._follow()
        touched = self._touched()
        self.judge.begin()
        turns: list[RuleTurn] = []
        asked = iter(touched)
        while some := list(islice(asked, SOME)):
            turns += self.judge.judge(some)
            await self._timing.wall.sleep(0)
        if turns:
            await self._carry_out(turns)

    async def _follow(self) -> None:
        """Have the prices come that the rules look at, and those of what their clients hold."""
        keys = self.judge.keys()
        if self.judge.looks_at_clients:
            keys |= self._valuation.keys()
        if frozenset(keys) != self._market.followed_by(OWNER):
            await self._market.follow(keys, OWNER)

    def _touched(self) -> list[int]:
        """The rules to be asked now."""
        keys = self._market.take_dirty(OWNER)
        clients, self._clients = self._clients, set()
        if self.judge.looks_at_clients and keys:
            self._valuation.take_in(keys)
            for key in keys:
                clients |= self._valuation.holders(key)
        now = self._timing.wall.monotonic()
        by_time = now - self._by_time_at >= BY_TIME_S
        if by_time:
            self._by_time_at = now
        again, self._again = (self._again, set[int]()) if by_time else (set[int](), self._again)
        return sorted({*self.judge.of(keys, clients, by_time), *again})

    async def _carry_out(self, turns: Sequence[RuleTurn]) -> None:
        """Write what came true and what is true no more, all in one commit, and raise the alerts."""
        now = self._timing.wall.now()
        come: list[tuple[StoredAlertRule, RuleTurn]] = []
        left: list[tuple[StoredAlertRule, RuleTurn]] = []
        for turn in turns:
            row = self._rules.stored.get(turn.watched.number)
            if row is None:
                continue
            if not turn.joined:
                self._leave(row, turn, left)
            elif _is_too_soon(row, turn, now):
                turn.watched.held = turn.holds - turn.joined
                self._again.add(row.number)
            else:
                come.append((row, turn))
        if come or left:
            day = self._timing.market.trading_day
            fired = await self._kept.store.write(lambda unit: self._write(unit, come, left, day))
            self._rules.take_fired(fired)
            if len(fired) < len(come) + len(left):
                self._rules.outdated = True  # another engine was first with one of them

    def _leave(
        self, row: StoredAlertRule, turn: RuleTurn, left: list[tuple[StoredAlertRule, RuleTurn]]
    ) -> None:
        """Note of whom a rule is true no more, but of one that is for once a client."""
        if turn.watched.rule.again_s is None and DESK not in turn.watched.held | frozenset(row.held):
            turn.watched.held = frozenset(row.held) | turn.holds
        elif row.held:
            left.append((row, turn))

    def _write(
        self,
        unit: Unit,
        come: Sequence[tuple[StoredAlertRule, RuleTurn]],
        left: Sequence[tuple[StoredAlertRule, RuleTurn]],
        day: date,
    ) -> Mapping[int, StoredAlertRule]:
        """Returns the rules as they stand then; one that another engine has raised is not among them."""
        written: dict[int, StoredAlertRule] = {}
        for row, turn in left:
            held = sorted(turn.holds)
            note_held(unit, row.number, held)
            written[row.number] = replace(row, held=held)
        for row, turn in come:
            once = turn.watched.rule.again_s is None
            held = sorted(turn.holds | (frozenset(row.held) if once else NOBODY))
            state = RuleState.SPENT if once and DESK in turn.holds else RuleState.ARMED
            if note_fired(unit, row, unit.now, held, state):
                fired = replace(row, fired=row.fired + 1, fired_at=unit.now, held=held, state=state)
                written[row.number] = fired
                raise_alert(unit, self._told(fired, turn), day, self._engine.actor)
        return written

    def _told(self, row: StoredAlertRule, turn: RuleTurn) -> AlertTold:
        """What the alert of a rule says."""
        rule, joined = turn.watched.rule, turn.joined - {DESK}
        figures = dict(turn.figures)
        readings = [
            to_builtins(_reading(one, figures.get(one, NO_FIGURES), joined))
            for one in rule.conditions
            if one in figures
        ]
        of_each = [found for one, found in turn.figures if one.each]
        each = of_each[0] if of_each else NO_FIGURES
        clients = self._kept.book.clients
        codes = tuple(clients[one].code for one in sorted(joined)[:MOST_NAMED] if one in clients)
        return AlertTold(
            AlertKind.RULE,
            subject=f"{row.number}.{row.fired}",
            client_ids=joined or self._of(turn),
            told={"rule": row.number, "line": row.line, "note": rule.note, "readings": readings},
            named=[{"client_id": one, "value": each.get(one)} for one in sorted(joined)],
            urgent=any(one.measure in URGENT_MEASURES for one in rule.conditions),
            codes=codes,
        )

    def _of(self, turn: RuleTurn) -> frozenset[int] | None:
        """The clients whose figures are in what came true; None of what is nobody's."""
        of = turn.watched.rule.looks_at(turn.watched.scope)
        return frozenset(self._kept.book.clients) if of is None else of or None


def _is_too_soon(row: StoredAlertRule, turn: RuleTurn, now: datetime) -> bool:
    again_s = turn.watched.rule.again_s
    if again_s is None or row.fired_at is None:
        return False
    return now - row.fired_at < timedelta(seconds=again_s)


def _reading(one: AlertCondition, figures: Figures, joined: frozenset[int]) -> AlertReading:
    """A condition as the alert keeps it, with the figure that came: of several clients the farthest."""
    of = {whose: value for whose, value in figures.items() if whose in joined or not joined}
    values = [value for value in of.values() if value is not None]
    farthest = (max if one.above else min)(values, default=None)
    return AlertReading(
        one.measure, one.key, one.whom, one.connection, one.above, one.limit, one.percent, farthest
    )
