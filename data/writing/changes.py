"""What each commit changed, as rows: by them alone other processes know what to read again.

Every engine numbers its own rows without a gap. A reader remembers how far it has read of each; where rows
are missing between there and what stands, or say what is not known here, it reads everything.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection

from data.engines.dialect import Phrases
from data.engines.driver import On, fetch, run, sql, words
from data.json_values import json_text
from data.tables.columns import stored_moment
from data.vocabulary import Topic

MOST = 20_000
"""Rows that are read one by one; whoever is further behind reads everything."""

Vector: TypeAlias = dict[int, int]
"""The newest row of each desk that was read."""


@dataclass(slots=True)
class Touched:
    """What a batch changed, so that the projection knows what to read again.

    `market` stands for instruments and watchlists, `roster` for clients, their groups, routes and sessions,
    `people` for who may act and who is signed in, `limits` for limits before the order with their lists,
    `leases` for which of several desks has a client.
    `unread` has this process alone read everything, since it has not yet. `written` are the cells of orders
    by number as this process wrote them last, None where it changed one in another way.
    """

    clients: set[int] = field(default_factory=set[int])
    orders: set[int] = field(default_factory=set[int])
    runs: set[int] = field(default_factory=set[int])
    halts: bool = False
    guards: bool = False
    roster: bool = False
    market: bool = False
    people: bool = False
    limits: bool = False
    leases: bool = False
    everything: bool = False
    unread: bool = False
    written: dict[int, tuple[Any, ...] | None] = field(default_factory=dict[int, tuple[Any, ...] | None])

    def merge(self, other: "Touched") -> None:
        """Add what another unit changed later."""
        self.written |= other.written
        self.clients |= other.clients
        self.orders |= other.orders
        self.runs |= other.runs
        self.halts |= other.halts
        self.guards |= other.guards
        self.roster |= other.roster
        self.market |= other.market
        self.people |= other.people
        self.limits |= other.limits
        self.leases |= other.leases
        self.everything |= other.everything
        self.unread |= other.unread

    def __bool__(self) -> bool:
        return bool(self.unread or self.topics())

    def topics(self) -> dict[Topic, list[int]]:
        """What others read again, with the numbers that it is about."""
        if self.everything:
            return {Topic.EVERYTHING: []}
        numbered = {Topic.CLIENTS: self.clients, Topic.ORDERS: self.orders, Topic.RUNS: self.runs}
        found = {topic: sorted(ids) for topic, ids in numbered.items() if ids}
        whole = {
            Topic.HALTS: self.halts,
            Topic.GUARDS: self.guards,
            Topic.ROSTER: self.roster,
            Topic.MARKET: self.market,
            Topic.PEOPLE: self.people,
            Topic.LIMITS: self.limits,
            Topic.LEASES: self.leases,
        }
        return found | {topic: [] for topic, changed in whole.items() if changed}

    def add(self, topic: Topic, ids: Collection[int]) -> None:
        """Take in what a row says."""
        match topic:
            case Topic.CLIENTS:
                self.clients.update(ids)
            case Topic.ORDERS:
                self.orders.update(ids)
            case Topic.RUNS:
                self.runs.update(ids)
            case Topic.HALTS:
                self.halts = True
            case Topic.GUARDS:
                self.guards = True
            case Topic.ROSTER:
                self.roster = True
            case Topic.MARKET:
                self.market = True
            case Topic.PEOPLE:
                self.people = True
            case Topic.LIMITS:
                self.limits = True
            case Topic.LEASES:
                self.leases = True
            case Topic.EVERYTHING:
                self.everything = True


_DESKS = (
    "WITH RECURSIVE d(desk) AS (SELECT min(desk) FROM change UNION ALL"
    " SELECT (SELECT min(desk) FROM change WHERE desk > d.desk) FROM d WHERE d.desk IS NOT NULL)"
)
"""From one to the next by the key, since each commit has a row."""


@cache
def _newest(words: Phrases) -> str:
    """The newest row of each desk."""
    return (
        f"{_DESKS} SELECT desk, (SELECT seq FROM change WHERE change.desk = d.desk AND"
        f" {words.is_number.format('seq')} ORDER BY seq DESC LIMIT 1) FROM d"
        f" WHERE {words.is_number.format('desk')}"
    )


@cache
def _since(words: Phrases) -> str:
    ids = words.json_bytes.format("ids")
    return f"SELECT seq, topic, {ids} FROM change WHERE desk = ? AND seq > ? ORDER BY seq LIMIT {MOST + 1}"


@cache
def _beyond(words: Phrases) -> str:
    """The rows of all desks beyond what was seen of each, on a server, where each statement is a way."""
    return (
        f"{_DESKS}, seen AS (SELECT {words.number_at(0)} AS desk, {words.number_at(1)} AS seq"
        f" FROM {words.items}) SELECT d.desk, c.* FROM d LEFT JOIN seen ON seen.desk = d.desk CROSS JOIN"
        f" LATERAL (SELECT seq, topic, {words.json_bytes.format('ids')} AS ids FROM change"
        " WHERE change.desk = d.desk AND change.seq > coalesce(seen.seq, 0)"
        f" ORDER BY seq LIMIT {MOST + 1}) AS c ORDER BY d.desk, c.seq"
    )


@cache
def _last(words: Phrases) -> str:
    return (
        f"SELECT seq FROM change WHERE desk = ? AND {words.is_number.format('seq')} ORDER BY seq DESC LIMIT 1"
    )


_ADD = "INSERT INTO change (desk, seq, topic, ids, at) VALUES (?, ?, ?, ?, ?)"


def newest(connection: Connection) -> Vector:
    """The newest row of each desk."""
    return {
        int(desk): int(seq) for desk, seq in fetch(connection, _newest(words(connection))) if seq is not None
    }


def changes_since(connection: Connection, seen: Mapping[int, int]) -> tuple[Touched, Vector]:
    """What was changed beyond `seen`, and how far that is."""
    if connection.dialect.name != "sqlite":
        return _changes_of_all(connection, seen)
    touched, standing = Touched(), newest(connection)
    for desk, last in standing.items():
        before = seen.get(desk, 0)
        if last == before:
            continue
        rows = fetch(connection, _since(words(connection)), (desk, before))
        if len(rows) != last - before:
            touched.everything = True
        for _, topic, ids in rows:
            _take(touched, topic, ids)
    return touched, dict(seen) | standing


def _changes_of_all(connection: Connection, seen: Mapping[int, int]) -> tuple[Touched, Vector]:
    """The same by one statement, however many desks there are."""
    touched, after = Touched(), dict(seen)
    rows = fetch(connection, _beyond(words(connection)), (json_text(list(seen.items())),))
    if len(rows) > MOST:
        touched.everything = True
        return touched, after | newest(connection)
    for desk, seq, topic, ids in rows:
        if seq != after.get(desk, 0) + 1:
            touched.everything = True
        after[desk] = seq
        _take(touched, topic, ids)
    return touched, after


def _take(touched: Touched, topic: Any, ids: Any) -> None:
    try:
        touched.add(Topic(topic), [number.__index__() for number in json.loads(ids)])
    except (ValueError, TypeError, AttributeError):
        touched.everything = True


def write_changes(connection: Connection, desk: int, touched: Touched, at: datetime) -> int:
    """Say what this transaction changes; returns the newest row of this desk."""
    last = max((int(seq) for (seq,) in fetch(connection, _last(words(connection)), (desk,))), default=0)
    topics = touched.topics()
    stamp = stored_moment(at)
    for topic, ids in topics.items():
        last += 1
        run(connection, _ADD, (desk, last, topic.value, json_text(ids), stamp))
    return last


def prune_changes(on: On, behind: datetime) -> None:
    """Drop rows of before a moment; the newest of each desk stays, so that a reader finds what it missed.

    Every living engine must have read what was committed before `behind`.
    """
    stamp = stored_moment(behind)
    sql(on).exec_driver_sql(
        "DELETE FROM change WHERE at < ?"
        " AND seq < (SELECT max(later.seq) FROM change later WHERE later.desk = change.desk)",
        (stamp,),
    )
