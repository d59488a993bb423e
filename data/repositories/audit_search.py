"""The audit searched a step at a time from either end, however long it is.

Rows that an index finds are looked at one by one where more is asked of them, `LOOKED` a step at most, so
that no step reads for long.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, String, and_, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from data.audit import COMMON, UNCOMMON, AuditAction
from data.audit_wanted import AuditWanted, Detail
from data.engines.json_lists import told_under
from data.repositories.base import Query, Rows, among, given
from data.tables.audit import OF_PLANS, OF_RUNS, Audit
from data.tables.columns import table
from data.tables.orders import Order, RunRecord

Row = TypeVar("Row")

LOOKED = 20_000
"""Rows that a step looks at where no index knows all that is asked: some ten milliseconds."""

_BEYOND_ALL = 2**62
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class RowBounds(Struct, frozen=True):
    """The first and the last row that are dated within a search; None where there is none."""

    first: int | None = 0
    last: int | None = _BEYOND_ALL


class SearchStep(NamedTuple, Generic[Row]):
    """What a step found, in the order in which it went, and from where the next goes on; None at the end.

    `reached` is the furthest row that it looked at; None where there was none.
    """

    rows: list[Row]
    on: int | None
    reached: int | None


class AuditSearch(Generic[Row]):
    """Searches the audit for rows as objects of one class, which has their `seq`."""

    def __init__(self, row: type[Row]) -> None:
        self._rows = Rows(Audit, row)
        self._seq: Callable[[Row], int] = attrgetter("seq")
        self._made: dict[tuple[Any, ...], _Statements[Row]] = {}

    async def bounds(self, reader: AsyncConnection, wanted: AuditWanted) -> RowBounds:
        """Between which rows its dates are. The wall's clock may have been set back between two of them."""
        if wanted.since is None and wanted.until is None:
            return RowBounds()
        since, until = wanted.since or _EARLIEST, wanted.until or _LATEST
        return (await _BOUNDS.read(reader, since=since, until=until))[0]

    async def step(
        self,
        reader: AsyncConnection,
        wanted: AuditWanted,
        limit: int,
        beyond: int | None = None,
        up: bool = False,
        bounds: RowBounds = RowBounds(),  # noqa: B008 - frozen
    ) -> SearchStep[Row]:
        """At most `limit` rows beyond a number, the newest first; with `up` those after it, the oldest first.

        Without a number it begins at the newest, or the oldest.
        """
        if bounds.first is None or bounds.last is None:
            return SearchStep([], None, None)
        low, high = bounds.first - 1, bounds.last + 1
        if beyond is not None:
            low, high = (max(low, beyond), high) if up else (low, min(high, beyond))
        asked = _Question.of(wanted)
        statements = self._statements(asked, up)
        values = asked.values | {"low": low, "high": high}
        looked: _Looked | None = None
        if statements.looked is not None:
            (looked,) = await statements.looked.read(reader, **values)
            if looked.first is None or looked.last is None:
                return SearchStep([], None, None)
            # Rows that are written between the two reads are left to the next step.
            values |= {"low": looked.first - 1, "high": looked.last + 1}
        found = await statements.rows.read(reader, **values, limit=limit)
        last = self._seq(found[-1]) if found else None
        if len(found) == limit:
            return SearchStep(found, last, last)
        if looked is None:
            return SearchStep(found, None, last)
        furthest = looked.last if up else looked.first
        return SearchStep(found, furthest if looked.count == LOOKED else None, furthest)

    def _statements(self, asked: "_Question", up: bool) -> "_Statements[Row]":
        """One set of statements for each kind of question, so that its own index serves it."""
        kind = asked.lead, asked.narrowing, up
        if kind not in self._made:
            self._made[kind] = _Statements(self._rows, asked, up)
        return self._made[kind]


_AUDIT, _ORDERS, _RUNS = table(Audit), table(Order), table(RunRecord)

_BOUNDS = Query(
    RowBounds,
    select(func.min(_AUDIT.c.seq).label("first"), func.max(_AUDIT.c.seq).label("last")).where(
        _AUDIT.c.at >= given("since", _AUDIT.c.at.type), _AUDIT.c.at < given("until", _AUDIT.c.at.type)
    ),
)

_RUN_OF_PLAN = select(_RUNS.c.number).where(_RUNS.c.plan_number == given("plan_number")).scalar_subquery()

_LEADS = ("order_id", "order_ids", "run_number", "plan_number", "client_id", "actions")
"""What an index knows, the narrowest first."""


class _Question(NamedTuple):
    """A question as statements take it: what an index is asked, what is looked at besides, and the values."""

    lead: str
    narrowing: tuple[str, ...]
    values: dict[str, Any]

    @classmethod
    def of(cls, wanted: AuditWanted) -> "_Question":
        values: dict[str, Any] = {
            name: value
            for name in (
                "order_id",
                "order_ids",
                "run_number",
                "plan_number",
                "client_id",
                "actor",
                "via",
                "since",
                "until",
            )
            if (value := getattr(wanted, name)) is not None
        }
        if wanted.actions:
            values["actions"] = [str(action) for action in wanted.actions]
        if wanted.of is not None:
            values["of"] = sorted(wanted.of)
        if wanted.detail is not None:
            name, value = wanted.detail
            values[f"detail_{name}"] = value
        values |= {f"word{number}": _pattern(word) for number, word in enumerate(wanted.words)}
        known = [name for name in _LEADS if name in values]
        if known == ["actions"] and not set(COMMON).isdisjoint(wanted.actions):
            known = []
        lead = known[0] if known else ""
        if wanted.told_only and not lead and not wanted.actions:  # what an index leads to always tells
            values["told_only"] = AuditAction.ROWS_CHANGED.value
        return cls(lead, tuple(name for name in values if name != lead), values)


class _Looked(Struct, frozen=True):
    """How many rows a step looks at, and between which of them."""

    first: int | None
    last: int | None
    count: int


class _Statements(Generic[Row]):
    """What says at which rows a step that narrows looks, and what reads its rows."""

    def __init__(self, rows: Rows[Row], asked: _Question, up: bool) -> None:
        self.looked: Query[_Looked] | None = None
        self.rows: Query[Row]
        if not asked.narrowing:
            led = _ordered(_led(asked.lead, rows.columns()), up)
            self.rows = Query(rows.row, led.limit(given("limit")))
            return
        seen = _ordered(_led(asked.lead, [*_AUDIT.c]), up).limit(LOOKED).subquery()
        conditions = [_CONDITIONS.get(name, _word)(seen.c, name) for name in asked.narrowing]
        matching = select(*(seen.c[name] for name in rows.fields)).where(*conditions)
        self.rows = Query(rows.row, _ordered(matching, up).limit(given("limit")))
        numbers = _ordered(_led(asked.lead, [_AUDIT.c.seq]), up).limit(LOOKED).subquery()
        ends = func.min(numbers.c.seq).label("first"), func.max(numbers.c.seq).label("last")
        self.looked = Query(_Looked, select(*ends, func.count().label("count")))


def _led(lead: str, columns: list[ColumnElement[Any]]) -> Select[Any]:
    """The rows that the index of `lead` finds, between two numbers."""
    reach = and_(_AUDIT.c.seq > given("low"), _AUDIT.c.seq < given("high"))
    if lead in ("run_number", "plan_number"):
        # Rows of its orders have the number too, but are found by their orders: no index is kept for them.
        own = text(OF_RUNS if lead == "run_number" else OF_PLANS)
        of_itself = select(*columns).where(reach, own, _AUDIT.c[lead] == given(lead))
        of_run = given(lead) if lead == "run_number" else _RUN_OF_PLAN
        orders = select(_ORDERS.c.id).where(_ORDERS.c.run_number == of_run)
        of_orders = select(*columns).where(reach, _AUDIT.c.order_id.in_(orders))
        both = union_all(of_itself, of_orders).subquery()
        return select(*both.c)
    if lead == "order_ids":
        return select(*columns).where(reach, among(_AUDIT.c.order_id, lead))
    if lead == "actions":
        return select(*columns).where(reach, text(UNCOMMON), among(_AUDIT.c.action, "actions"))
    return select(*columns).where(reach, *([_AUDIT.c[lead] == given(lead)] if lead else []))


def _ordered(query: Select[Any], up: bool) -> Select[Any]:
    seq = query.selected_columns.seq
    return query.order_by(seq if up else seq.desc())


def _same(columns: Any, name: str) -> ColumnElement[bool]:
    return columns[name] == given(name)


def _detail(detail: Detail) -> Callable[[Any, str], ColumnElement[bool]]:
    """That a row's details have a value under a name; a row without a person's name is of its actor."""
    held = told_under("details", detail)

    def condition(columns: Any, name: str) -> ColumnElement[bool]:
        told = func.coalesce(held, columns.actor) if detail is Detail.PERSON else held
        return told == given(name)

    return condition


def _word(columns: Any, name: str) -> ColumnElement[bool]:
    """That a word occurs in what a row tells, in any letter case."""
    told = columns.action + " " + columns.actor + " " + columns.via + " " + columns.details
    return told.ilike(given(name, String()), escape="\\")


_CONDITIONS: dict[str, Callable[[Any, str], ColumnElement[bool]]] = {
    **dict.fromkeys(("order_id", "run_number", "plan_number", "client_id", "via"), _same),
    "order_ids": lambda columns, name: among(columns.order_id, name),
    **{f"detail_{detail}": _detail(detail) for detail in Detail},
    "actor": lambda columns, name: func.lower(columns[name]) == func.lower(given(name)),
    "since": lambda columns, name: columns.at >= given(name, _AUDIT.c.at.type),
    "until": lambda columns, name: columns.at < given(name, _AUDIT.c.at.type),
    "actions": lambda columns, name: among(columns.action, name),
    "of": lambda columns, name: among(columns.client_id, name),
    "told_only": lambda columns, name: columns.action != given(name),
}
"""What is asked of a row that an index found; every other name is a word."""


def _pattern(word: str) -> str:
    """A word as it stands within the JSON of a row, for LIKE."""
    stored = json.dumps(word, ensure_ascii=False)[1:-1]
    for sign in ("\\", "%", "_"):
        stored = stored.replace(sign, f"\\{sign}")
    return f"%{stored}%"
