"""What proves one order, as it lies in the books: its rows, what was frozen, and its stretch of the audit."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import takewhile
from typing import Any, cast

from msgspec import Struct, convert
from sqlalchemy import Connection

from data.json_values import json_text
from data.proving.stored_audit import StoredRow, stored_rows
from data.tables.columns import stored_moment

Cells = dict[str, Any]
"""A row as stored, by column."""

_END = 2**62


class OrderNamed(Struct, frozen=True):
    """Which order it is: whose, of which plan's leg, by which run."""

    id: int
    client_id: int
    leg: int
    plan_number: int | None
    run_number: int | None


class GuardProof(Struct, frozen=True):
    """The guard that had an order sent: its terms as they stood, set when by whom, and its trip.

    `told` are the rows of the audit that tell of both, and of the flatten that the trip began.
    """

    guard: Cells
    trip: Cells
    told: Sequence[StoredRow]


class OrderProof(Struct, frozen=True):
    """All that the books hold of one order. `plan` is the frozen record, None of an order without one.

    `chain` are the audit's rows from the plan's freezing, or the order's first row, to the last row of the
    order or its run, without a gap; `consents` those that tell what the client's consent was until then.
    `covering` are the consents that its reservation names, each with how it was ended since, if it was. Of an
    order that a flatten sent the chain is from the flatten's start; where a guard began that, from the trip
    of `guard`, which is None of others.
    """

    order: Cells
    plan: Cells | None
    attempts: Sequence[Cells]
    requests: Sequence[Cells]
    fills: Sequence[Cells]
    postings: Sequence[Cells]
    share_postings: Sequence[Cells]
    waivers: Sequence[Cells]
    consents: Sequence[StoredRow]
    covering: Sequence[Cells]
    chain: Sequence[StoredRow]
    guard: "GuardProof | None"

    @property
    def named(self) -> OrderNamed:
        """The same order by its numbers."""
        return convert(self.order, OrderNamed)


def order_proof(connection: Connection, order_id: int) -> OrderProof | None:
    """What proves an order; None where there is no such order."""

    def rows(query: str, *values: object) -> list[Cells]:
        found = connection.exec_driver_sql(query, values)
        return [{name: _as_in_file(cell) for name, cell in row.items()} for row in found.mappings()]

    orders = rows("SELECT * FROM orders WHERE id = ?", order_id)
    if not orders:
        return None
    order = orders[0]
    plans = rows("SELECT body FROM plan WHERE number = ?", order["plan_number"])
    (span,) = rows(
        "SELECT MIN(seq) AS first, MAX(seq) AS last FROM audit WHERE order_id = ? OR run_number = ?"
        " OR (plan_number = ? AND action = 'PLAN_FROZEN')",
        *(order_id, order["run_number"], order["plan_number"]),
    )
    began, guard = _flatten(connection, rows, order["flatten_number"])
    consents = rows(
        "SELECT seq FROM audit WHERE client_id = ? AND seq <= ? AND action IN"
        " ('CLIENT_ROUTE', 'CLIENT_CONSENT', 'CLIENT_CONSENT_ENDED') ORDER BY seq",
        *(order["client_id"], span["last"]),
    )
    postings = (
        "SELECT txn.kind, txn.evidence, txn.trading_date, txn.at, {0}.* FROM {0} JOIN txn ON txn.id = txn_id"
        " WHERE txn.order_id = ? ORDER BY txn_id, line"
    )
    return OrderProof(
        order=order,
        plan=json.loads(plans[0]["body"]) if plans else None,
        attempts=rows("SELECT * FROM attempt WHERE order_id = ? ORDER BY number", order_id),
        requests=rows("SELECT * FROM request WHERE order_id = ? ORDER BY number", order_id),
        fills=rows("SELECT * FROM fill WHERE order_id = ? ORDER BY id", order_id),
        postings=rows(postings.format("posting"), order_id),
        share_postings=rows(postings.format("share_posting"), order_id),
        waivers=rows(
            "SELECT * FROM gate_waiver WHERE client_id = ? AND trading_date = ? ORDER BY id",
            *(order["client_id"], order["trading_date"]),
        ),
        consents=[next(stored_rows(connection, row["seq"])) for row in consents],
        covering=_covering(rows, order_id),
        chain=_between(connection, began or span["first"], span["last"]),
        guard=guard,
    )


def _as_in_file(cell: Any) -> Any:
    """A cell as a file has it: a server tells moments, days, truths and JSON as what they are."""
    match cell:
        case bool():
            return int(cell)
        case datetime():
            return stored_moment(cell)
        case date():
            return cell.isoformat()
        case dict() | list():
            return json_text(cast("object", cell))
        case _:
            return cell


def _flatten(
    connection: Connection, rows: Callable[..., list[Cells]], number: int | None
) -> tuple[int | None, GuardProof | None]:
    """Where in the audit a flatten begins, and the guard that began it; None of no flatten."""

    def last(action: str, before: int = _END, **told: object) -> StoredRow | None:
        """The last row of an action before another that tells these figures."""
        query = "SELECT seq, details FROM audit WHERE action = ? AND seq < ? ORDER BY seq DESC"
        for row in rows(query, action, before):
            details = json.loads(row["details"])
            if all(details.get(name) == value for name, value in told.items()):
                return next(stored_rows(connection, row["seq"]))
        return None

    if number is None:
        return None, None
    started = last("FLATTEN_STARTED", flatten=number)
    began = None if started is None else started.seq
    trips = rows("SELECT * FROM guard_trip WHERE flatten_number = ?", number)
    if not trips:
        return began, None
    trip = trips[0]
    of = trip["guard_number"]
    flattens = last("GUARD_FLATTENS", guard=of, flatten=number)
    tripped = None if flattens is None else last("GUARD_TRIPPED", flattens.seq, guard=of, nth=trip["nth"])
    put = None if tripped is None else last("GUARD_SET", tripped.seq, guard=of)
    terms = {} if put is None else {**json.loads(put.details), "set_at": put.at, "set_by": put.actor}
    told = [row for row in (put, tripped, flattens) if row is not None]
    return (began if tripped is None else tripped.seq), GuardProof({"number": of, **terms}, trip, told)


def _covering(rows: Callable[..., list[Cells]], order_id: int) -> list[Cells]:
    """The consents that an order's reservation names, each with how it was ended since, if it was."""
    reserved = rows("SELECT details FROM audit WHERE order_id = ? AND action = 'ORDER_RESERVED'", order_id)
    numbers = [number for row in reserved for number in json.loads(row["details"]).get("consents", ())]
    ended = "consent_end.at AS ended_at, consent_end.actor AS ended_by, consent_end.why AS ended_why"
    query = (
        f"SELECT consent.*, {ended} FROM consent LEFT JOIN consent_end ON consent_id = consent.id"
        " WHERE consent.id = ?"
    )
    return [found for number in numbers for found in rows(query, number)]


def _between(connection: Connection, first: int, last: int) -> list[StoredRow]:
    return list(takewhile(lambda row: row.seq <= last, stored_rows(connection, first)))
