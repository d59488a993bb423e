"""Numbers of each kind of row: given out once, and above every one that stands in its table.

A counter that something else set back, or made no number, must not keep a halt from its row.
"""

from functools import cache

from sqlalchemy import Connection
from sqlmodel import SQLModel

from data.engines.dialect import Phrases, or_update
from data.engines.driver import On, fetch, sql, words

KINDS = {
    "alert": "alert",
    "alert_delivery": "alert_delivery",
    "alert_rule": "alert_rule",
    "approval_rule": "approval_rule",
    "break": "account_break",
    "client": "client",
    "closed_lot": "closed_lot",
    "consent": "consent",
    "conversion": "conversion",
    "day_correction": "day_correction",
    "earlier_trade": "earlier_trade",
    "fill": "fill",
    "flatten": "flatten",
    "flow_class": "flow_class",
    "gate_waiver": "gate_waiver",
    "guard": "guard",
    "halt": "halt",
    "hold": "hold",
    "instance": "instance",
    "job": "job",
    "limit": "order_limit",
    "lot": "lot",
    "market_halt": "market_halt",
    "order": "orders",
    "plan": "plan",
    "route_probe": "route_probe",
    "run": "run",
    "share_list": "share_list",
    "sign_in_try": "sign_in_try",
    "txn": "txn",
    "unbooked_fact": "unbooked_fact",
}
"""The table of each kind that is numbered by a counter."""

BEYOND = 2**62
"""What no tradedesk counts to: a larger number is passed over, so that the next one still fits the column."""


def take_ids(connection: Connection, name: str, count: int) -> range:
    """The next `count` free numbers of a kind."""
    after = int(fetch(connection, _taking(name, words(connection)), (name, count, count))[0][0])
    return range(after - count, after)


def counter_faults(connection: Connection) -> list[str]:
    """Counters that would give a number out twice, in words."""
    found: list[str] = []
    for name, kind in KINDS.items():
        kept = words(connection).bytes_of("next")
        query = f"SELECT {_highest(kind)}, (SELECT {kept} FROM counter WHERE name = ?)"
        highest, kept = connection.exec_driver_sql(query, (name,)).one()
        following = "" if kept is None else kept.decode("utf-8", "backslashreplace")
        if highest and not (following.isdigit() and int(following) > highest):
            stands = f"at {following[:40]}" if following else "not there"
            found.append(f"the counter {name} is {stands}, {kind} {highest} was given out")
    return found


def mend_counters(on: On) -> None:
    """Put the counters behind the highest number of their tables."""
    connection = sql(on)
    for name, kind in KINDS.items():
        if connection.exec_driver_sql(f"SELECT {_highest(kind)}").scalar_one():
            take_ids(connection, name, 0)


@cache
def _taking(name: str, words: Phrases) -> str:
    is_number = words.is_number.format("counter.next")
    kept = f"CASE WHEN {is_number} AND counter.next < {BEYOND} THEN counter.next ELSE 1 END"
    first = f"{_highest(KINDS[name])} + 1"
    return (
        f"INSERT INTO counter (name, next) VALUES (?, {first} + ?) "
        + or_update("name", f"next = {words.larger.format(kept, first)} + ?")
        + " RETURNING counter.next"
    )


def _highest(kind: str) -> str:
    (key,) = SQLModel.metadata.tables[kind].primary_key
    return f"coalesce((SELECT max({key.name}) FROM {kind} WHERE {key.name} < {BEYOND}), 0)"
