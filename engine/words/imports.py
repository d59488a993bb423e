"""What taking a list of clients would do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import quoted
from data.vocabulary import ClientStatus, ImportDoes
from engine.accounts.column_marks import AS_READ, FIXED
from engine.words import formats
from engine.words.privacy import unless_private
from engine.words.trading.client_terms import edit_words, multiplier_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from engine.accounts.client_file import NewClient
    from engine.accounts.clients import ImportReport
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


def line_words(
    line: ImportLine, before: ClientView | None, fresh: NewClient | None, counts_from: date | None
) -> str:
    """What a row changes of its client, who is added by it, or what is against it."""
    if line.problems:
        return "; ".join(f"{one.field}: {quoted(one.value)} {one.expected}" for one in line.problems)
    if line.edit is not None and before is not None:
        return edit_words(before, line.edit, counts_from)
    return "" if fresh is None or line.does is not ImportDoes.ADD else new_words(fresh)


def new_words(new: NewClient) -> str:
    """A client as it would be added: `zerodha DR1077 · capital 5,00,000 · Rao; HNI`."""
    money = {"capital": new.capital_paise, "cash": new.available_paise, "MTF limit": new.mtf_limit_paise}
    parts = [f"{new.broker} {new.broker_user_id}"]
    parts += [f"{name} {formats.rupees(of)}" for name, of in money.items() if of or name == "capital"]
    parts += ["; ".join(new.groups), "" if new.status is ClientStatus.ACTIVE else new.status.value]
    parts += [multiplier_words(new.multiplier_bps), "" if new.discretionary else "on instruction only"]
    return " · ".join(filter(None, [*parts, unless_private(new.phone) if new.phone else ""]))


FIELD_WORDS = {
    "code": "code",
    "broker_user_id": "user id",
    "name": "name",
    "broker": "broker",
    "capital": "capital",
    "available": "cash",
    "mtf_limit": "MTF limit",
    "multiplier": "multiplier",
    "groups": "groups",
    "phone": "phone",
    "discretionary": "discretionary",
    "status": "status",
    "status_reason": "reason of the status",
}
"""What a column may be taken for, as it is said."""


def field_words(field: str) -> str:
    """A field as it is said."""
    return FIELD_WORDS.get(field, field)


def fields_words(fields: Sequence[str]) -> str:
    """Several that one column is taken for."""
    return " and ".join(field_words(field) for field in fields)


def known_words(plan: ImportPlan) -> list[str]:
    """How its columns were found: `known by name`, `kept as odin`, `headers in row 4`."""
    how = f"kept as {plan.map_name}" if plan.map_name else plan.known
    return [f"columns {how}", *([f"headers in row {plan.header_row}"] if plan.header_row > 1 else [])]


def answer_words(plan: ImportPlan) -> str:
    """What is typed to take it: `import 118 without 2`; empty where there is nothing to take."""
    refused = plan.count(ImportDoes.REFUSED)
    without = f" without {refused}" if refused else ""
    return f"import {plan.taken}{without}" if plan.taken and not plan.missing else ""


def missing_words(plan: ImportPlan) -> str:
    """Why there is nothing to answer."""
    if plan.missing:
        fields = ", ".join(field_words(field) for field in plan.missing)
        return f"say first which column each is (Enter on it): {fields}"
    return "nothing here adds or changes a client: Esc goes back"


def name_in_answer(typed: str, answer: str) -> str | None:
    """The name behind `import 120 as NAME`, empty where none is given; None where it is another answer."""
    if typed.casefold() == answer:
        return ""
    start = f"{answer} as "
    return typed[len(start) :].strip() or None if typed.casefold().startswith(start) else None


def report_words(plan: ImportPlan, report: ImportReport, name: str) -> str:
    """What taking it did."""
    refused = plan.count(ImportDoes.REFUSED)
    told = [f"{report.added} added", f"{report.updated} changed", f"{report.unchanged} the same"]
    left = [f"{refused} left out"] if refused else []
    return f"{', '.join(told + left)}; columns kept as {name or plan.map_name or plan.path.stem}"
