"""Changes of models, as the commands that would do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import RebalanceTo
from engine.colon.writing import rupees_word
from engine.rebalancing.model import ModelRules
from engine.review.client_commands import Code, shell_line

if TYPE_CHECKING:
    from engine.review.audit import AuditRow


class ModelKept(Struct, frozen=True):
    """What a row tells of a model's version: a file's targets, rules, an exception, or that it is retired."""

    model: str
    file: str = ""
    rules: ModelRules | bool = False
    key: str = ""
    does: str = ""
    retired: bool = False


def model_kept(row: AuditRow, told: ModelKept, code: Code) -> str:
    """The command of a row; none for one of before its rules were told."""
    if told.retired:
        return shell_line("models", "retire", told.model)
    if told.key and row.client_id is not None:
        does = told.does.replace("_", "-")
        return shell_line("models", "except", told.model, code(row.client_id), told.key, does)
    if isinstance(told.rules, ModelRules):
        return shell_line("models", "rules", told.model, *_rule_words(told.rules))
    return shell_line("models", "import", told.file, "--name", told.model) if told.file else ""


def _rule_words(rules: ModelRules) -> list[str]:
    return [
        *("--band", f"{rules.band_bps / 100:g}", "--to", RebalanceTo(rules.to).value),
        *("--min-trade", rupees_word(rules.least_paise), "--max-cost", f"{rules.cost_bps / 100:g}"),
        *("--cash", f"{rules.cash_bps / 100:g}"),
        "--avoid-short" if rules.avoid_short else "--take-short",
        "--losses-first" if rules.losses_first else "--pro-rata",
    ]
