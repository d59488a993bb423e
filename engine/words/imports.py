"""What taking a list of clients would do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import quoted
from data.vocabulary import ImportDoes
from engine.accounts.column_marks import AS_READ, FIXED
from engine.words.trading.client_terms import edit_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.accounts.importing import ImportLine, ImportPlan
    from engine.book.views import ClientView


def source_words(header: str, headers: Sequence[str]) -> str:
    """Where a field is read from: a header, or what is the same for all rows."""
    if header.startswith(FIXED):
        return f"{header[1:]} for all rows"
    if header not in headers and header.startswith(AS_READ):
        return f"{header[1:]}, numbers as they are"
    return header


def counts_words(plan: ImportPlan) -> list[str]:
    """How many rows would do what: `120 add`, `3 change`; what none does is left out but adding."""
    counts = [(does, plan.count(does)) for does in ImportDoes]
    return [f"{count} {does.value}" for does, count in counts if count or does is ImportDoes.ADD]


def line_words(line: ImportLine, before: ClientView | None) -> str:
    """What a row changes of its client, or what is against it."""
    if line.problems:
        return "; ".join(f"{one.field}: {quoted(one.value)} {one.expected}" for one in line.problems)
    return "" if line.edit is None or before is None else edit_words(before, line.edit)
