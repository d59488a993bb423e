"""The grid of a plan's lines: which keys are the answer's there, and why a key has nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from data.vocabulary import AlternativeKind, Reason
from engine.words.trading.plans import alternative
from engine.words.trading.reasons import INSIST_WORDS, reason_word
from screens.bulk.plan_rows import GroupRow, lines_of
from screens.frame.commands import COMMANDS
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.planning.plan import Plan, PlanLine

ANSWER_LETTERS = frozenset("buyslBUYSL")
"""Letters of the typed answers; `e` edits a line, and comes second in every answer that has one."""

MENDING = {
    COMMANDS[name].keys: COMMANDS[name].action
    for name in ("plan.affordable", "plan.mtf", "plan.drop", "order.modify", "plan.again")
}
"""The keys that mend lines, with their actions."""


class LinesGrid(LiveGrid):
    """The plan's lines. The letters of an answer typed here are the answer's, never other commands."""

    @dataclass
    class Typed(Message):
        """A letter of an answer was typed."""

        letter: str

    answering = True
    """Whether there is an answer to type."""

    _typing = False

    def on_focus(self) -> None:
        """Nothing has been typed here yet."""
        self._typing = False

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is the answer's, so that outer bindings are neither shown nor run for it."""
        return self.answering and character is not None and character in ANSWER_LETTERS

    def on_key(self, event: events.Key) -> None:
        """Hand the letters of an answer on; what follows one that nobody took is no command either."""
        letter = self.check_consume_key(event.key, event.character)
        if letter:
            self.post_message(self.Typed(event.character or ""))
        behind = self._typing and event.character is not None and event.character in " 0123456789"
        self._typing = letter or behind
        if self._typing:
            event.stop()
            event.prevent_default()


def nothing_to_send(plan: Plan) -> str:
    """What is said to whoever types an answer to a plan that has none."""
    return f"nothing to send: no line of plan {plan.number} can go"


def soft_lines(plan: Plan | None) -> list[PlanLine]:
    """The lines beyond soft limits alone; none while others are left out since the same was just sent."""
    skipped = () if plan is None else plan.skipped_lines
    if any(line.reason is Reason.DUPLICATE_INTENT for line in skipped):
        return []
    return [line for line in skipped if line.reason is Reason.OVER_SOFT_LIMIT]


def has_use(action: str, plan: Plan, row: PlanLine | GroupRow | None) -> bool:
    """Whether the action of a mending key would change anything on a row."""
    line = None if isinstance(row, GroupRow) else row
    if action == "affordable":
        return any(alternative(each, AlternativeKind.AFFORDABLE) for each in lines_of(row))
    if action == "toggle_mtf":
        if any(alternative(each, AlternativeKind.MTF) for each in lines_of(row)):
            return True
        mtf_offered = plan.instrument.mtf_margin_bps is not None
        return line is not None and line.ok and plan.intent.product is not None and mtf_offered
    if action == "send_again":
        return any(each.reason in INSIST_WORDS for each in plan.skipped_lines)
    if line is None:
        return False
    return line.ok or line.by_hand or (action == "modify_here" and line.wanted > 0)


def why_not(action: str, plan: Plan, row: PlanLine | GroupRow) -> str:
    """Why a mending key has nothing to do on a row, the key first."""
    if isinstance(row, GroupRow):
        whom, problem = f"these {len(row.lines)}", reason_word(row.reason, False)
    else:
        whom = row.code
        problem = "ok as it is" if row.reason is None else reason_word(row.reason, False)
    if action == "affordable":
        return f"a: {whom}: {problem}; no smaller quantity would help"
    if action == "toggle_mtf":
        if plan.instrument.margins_unknown:
            return f"m: the broker has not told the MTF margin of {plan.instrument.tradingsymbol} yet"
        if plan.instrument.mtf_margin_bps is None:
            return f"m: MTF is not offered for {plan.instrument.tradingsymbol}"
        return f"m: {whom}: {problem}; MTF would not help"
    if action == "send_again":
        return "A: no line was left out because the same was just sent, or for a soft limit"
    if isinstance(row, GroupRow):
        return "d and e work on one client's line"
    return f"{'d' if action == 'drop_line' else 'e'}: {whom}: {problem}; this line has no order"
