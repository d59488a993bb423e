"""Statements about leases, on PostgreSQL: who has a client, until when, and what keeps others from it.

Times are the database's own, which every desk sees alike; they are read at the statement, not at the
beginning of its transaction.
"""

from collections.abc import Collection
from datetime import date

from msgspec import Struct
from sqlalchemy import Connection

from data.engines.dialect import POSTGRES
from data.engines.driver import On, fetch, run, sql
from data.json_values import json_text

NOW_MS = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


class LeaseHolder(Struct, frozen=True):
    """An engine that has beaten: its process, where that number means something, and how people know it.

    `lasts` says whether its leases do; `ended` that it has said that it ended.
    """

    instance_id: int
    pid: int
    process_started: str
    host: str
    home: str
    name: str
    kind: str
    lasts: bool
    ended: bool


class ClientElsewhere(Struct, frozen=True):
    """A client that another desk has, or nobody: `desk` is how people know that desk, empty for nobody."""

    client_id: int
    code: str
    name: str
    desk: str

    @property
    def words(self) -> str:
        """Who has it."""
        return f"the desk {self.desk} has {self.code}" if self.desk else f"no desk has {self.code}"


class LeaseRow(Struct, frozen=True):
    """A client with its code, its name and the engine that had it last, 0 for nobody."""

    client_id: int
    code: str
    title: str
    instance_id: int
    epoch: int


_HOLDERS = (
    f"SELECT b.instance_id, i.pid, i.process_started, f.host, f.home, f.name, i.kind, b.until_ms > {NOW_MS},"
    " i.ended_at IS NOT NULL FROM lease_beat b JOIN fence f ON f.instance_id = b.instance_id"
    " JOIN instance i ON i.id = b.instance_id"
)


def lease_holders(on: On) -> dict[int, LeaseHolder]:
    """Every engine that has beaten, by its number."""
    return {int(row[0]): LeaseHolder(*row) for row in fetch(sql(on), _HOLDERS)}


def lease_holder(on: On, instance_id: int) -> LeaseHolder | None:
    """One of them; None where it has not beaten."""
    rows = fetch(sql(on), f"{_HOLDERS} WHERE b.instance_id = ?", (instance_id,))
    return LeaseHolder(*rows[0]) if rows else None


def lease_rows(on: On) -> list[LeaseRow]:
    """Every client that is not closed, by code."""
    return [
        LeaseRow(*row)
        for row in fetch(
            sql(on),
            "SELECT c.id, c.code, c.name, coalesce(l.instance_id, 0), coalesce(l.epoch, 0) FROM client c"
            " LEFT JOIN client_lease l ON l.client_id = c.id WHERE c.status <> 'closed' ORDER BY c.code",
        )
    ]


def leased_to(on: On, instance_id: int) -> frozenset[int]:
    """The clients that an engine has."""
    query = "SELECT client_id FROM client_lease WHERE instance_id = ?"
    return frozenset(int(row[0]) for row in fetch(sql(on), query, (instance_id,)))


class LeasedDesk(Struct, frozen=True):
    """An engine with the clients that it has, whether or not it lives, and the id of its home."""

    instance_id: int
    home: str
    name: str
    clients: tuple[int, ...]


def leased_desks(on: On) -> list[LeasedDesk]:
    """Every engine that has clients, by its number."""
    rows = fetch(
        sql(on),
        "SELECT f.instance_id, f.home, f.name, json_agg(l.client_id ORDER BY l.client_id) FROM fence f"
        " JOIN client_lease l ON l.instance_id = f.instance_id GROUP BY f.instance_id ORDER BY f.instance_id",
    )
    return [LeasedDesk(int(i), home, name, tuple(clients)) for i, home, name, clients in rows]


def with_live_orders(on: On, live: Collection[str]) -> frozenset[int]:
    """Clients of whom orders are in one of these states."""
    states = "SELECT jsonb_array_elements_text(?::jsonb)"
    query = f"SELECT DISTINCT client_id FROM orders WHERE state IN ({states})"
    return frozenset(int(row[0]) for row in fetch(sql(on), query, (json_text(sorted(live)),)))


_FORGET = (
    "DELETE FROM fence f USING lease_beat b, instance i"
    " WHERE b.instance_id = f.instance_id AND i.id = f.instance_id"
    f" AND (i.ended_at IS NOT NULL OR b.until_ms < {NOW_MS} - 86400000)"
    " AND NOT EXISTS (SELECT 1 FROM client_lease l WHERE l.instance_id = f.instance_id)",
    "DELETE FROM lease_beat b WHERE NOT EXISTS (SELECT 1 FROM fence f WHERE f.instance_id = b.instance_id)",
)
"""Of engines that ended, or were not heard of for a day, and have nobody's lease."""


def begin_leases(connection: Connection, instance_id: int, host: str, home: str, name: str) -> None:
    """Give an engine its fence, and a beat that has run out; those that nobody needs any more go."""
    for statement in _FORGET:
        run(connection, statement)
    run(
        connection,
        "INSERT INTO fence (instance_id, epoch, host, home, name) VALUES (?, 0, ?, ?, ?)",
        (instance_id, host, home, name),
    )
    run(connection, "INSERT INTO lease_beat (instance_id, until_ms) VALUES (?, 0)", (instance_id,))


def beat_leases(connection: Connection, instance_id: int, seconds: float) -> int | None:
    """Have an engine's leases last so long from now on; returns how often its fence was broken.

    None where it is not known any more.
    """
    query = (
        f"WITH beat AS (UPDATE lease_beat SET until_ms = {NOW_MS} + ? WHERE instance_id = ?"
        " RETURNING instance_id) SELECT epoch FROM fence JOIN beat USING (instance_id)"
    )
    rows = fetch(connection, query, (int(seconds * 1000), instance_id))
    return int(rows[0][0]) if rows else None


def end_leases(connection: Connection, instance_id: int) -> None:
    """Have them end now."""
    run(connection, "UPDATE lease_beat SET until_ms = 0 WHERE instance_id = ?", (instance_id,))


_HELD = "WITH held AS MATERIALIZED (SELECT epoch FROM fence WHERE instance_id = ? FOR SHARE)"
"""What keeps out who would take an engine's clients until the commit."""

_HOLD = (
    f"{_HELD} SELECT l.client_id, l.epoch FROM client_lease l, held"
    f" WHERE l.instance_id = ? AND l.client_id IN {POSTGRES.numbers}"
)

_HAD = (
    f"{_HELD} SELECT x.client_id, x.had FROM held, (SELECT o.client_id, coalesce(l.instance_id = ?, FALSE)"
    " AS had FROM orders o LEFT JOIN client_lease l ON l.client_id = o.client_id"
    f" WHERE o.id IN {POSTGRES.numbers}"
    " UNION SELECT min(o.client_id), bool_or(l.instance_id IS NOT DISTINCT FROM ?)"
    f" FROM (SELECT run_number, client_id FROM orders WHERE run_number IN {POSTGRES.numbers}"
    f" UNION SELECT run_number, client_id FROM staged_line WHERE run_number IN {POSTGRES.numbers}) AS o"
    " LEFT JOIN client_lease l ON l.client_id = o.client_id GROUP BY o.run_number) AS x"
)


def hold_fence(on: On, instance_id: int, client_ids: Collection[int]) -> dict[int, int]:
    """Keep out who would take an engine's clients until the commit; returns which of these it has.

    Each with the epoch of its lease.
    """
    given = (instance_id, instance_id, json_text(sorted(client_ids)))
    return {int(client_id): int(epoch) for client_id, epoch in fetch(sql(on), _HOLD, given)}


def not_had(
    on: On, instance_id: int, order_ids: Collection[int], run_numbers: Collection[int]
) -> frozenset[int]:
    """Keep out who would take an engine's clients; returns those of these orders that it has not.

    Of a run it has to have one client at least.
    """
    me, orders, runs = instance_id, json_text(sorted(order_ids)), json_text(sorted(run_numbers))
    rows = fetch(sql(on), _HAD, (me, me, orders, me, runs, runs))
    return frozenset(int(client_id) for client_id, had in rows if not had)


def lease_epochs(on: On, client_ids: Collection[int]) -> dict[int, int]:
    """How often each of these clients has changed hands, 0 for one that never was anybody's."""
    query = f"SELECT client_id, epoch FROM client_lease WHERE client_id IN {POSTGRES.numbers}"
    rows = fetch(sql(on), query, (json_text(sorted(client_ids)),))
    return dict.fromkeys(client_ids, 0) | {int(client_id): int(epoch) for client_id, epoch in rows}


def break_fence(connection: Connection, instance_id: int) -> None:
    """Wait for an engine's batch under way and have every later one see what is taken here.

    It is changed, so that a batch which began before and comes to it afterwards is run again.
    """
    fetch(connection, "SELECT epoch FROM fence WHERE instance_id = ? FOR UPDATE", (instance_id,))
    run(connection, "UPDATE fence SET epoch = epoch + 1 WHERE instance_id = ?", (instance_id,))


def has_run_out(connection: Connection, instance_id: int) -> bool:
    """Whether an engine's leases have, and end them for good if so: a beat that comes now waits, then renews.

    What is taken in the same commit is not its own any more by then.
    """
    query = f"UPDATE lease_beat SET until_ms = 0 WHERE instance_id = ? AND until_ms <= {NOW_MS}"
    return run(connection, query, (instance_id,)) > 0


def hand_clients(on: On, client_ids: Collection[int], from_id: int, to_id: int, at: str) -> frozenset[int]:
    """Give clients that `from_id` had last to `to_id`, 0 standing for nobody; returns those that it got."""
    connection, ids = sql(on), json_text(sorted(client_ids))
    rows = fetch(
        connection,
        "UPDATE client_lease SET instance_id = ?, epoch = epoch + 1, since = ?::timestamptz"
        f" WHERE instance_id = ? AND client_id IN {POSTGRES.numbers} RETURNING client_id",
        (to_id, at, from_id, ids),
    )
    moved = {int(row[0]) for row in rows}
    if from_id == 0:
        rows = fetch(
            connection,
            "INSERT INTO client_lease (client_id, instance_id, epoch, since, rolled_on)"
            " SELECT id, ?, 1, ?::timestamptz, (SELECT max(day) FROM trading_day)"
            f" FROM client WHERE id IN {POSTGRES.numbers}"
            " ON CONFLICT (client_id) DO NOTHING RETURNING client_id",
            (to_id, at, ids),
        )
        moved |= {int(row[0]) for row in rows}
    return frozenset(moved)


_NOT_ROLLED = "coalesce(rolled_on < ?, TRUE)"


def not_rolled(on: On, instance_id: int, day: date) -> dict[date | None, set[int]]:
    """The clients of an engine whose books are not open for a day, by the day that they are open for."""
    query = f"SELECT client_id, rolled_on FROM client_lease WHERE instance_id = ? AND {_NOT_ROLLED}"
    found = dict[date | None, set[int]]()
    for client_id, rolled_on in fetch(sql(on), query, (instance_id, day)):
        found.setdefault(rolled_on, set()).add(int(client_id))
    return found


def keep_rolled(on: On, instance_id: int, client_ids: Collection[int], day: date) -> frozenset[int]:
    """Keep that an engine opens its clients' books for a day; returns for whom nobody has before."""
    rows = fetch(
        sql(on),
        f"UPDATE client_lease SET rolled_on = ? WHERE instance_id = ? AND {_NOT_ROLLED}"
        f" AND client_id IN {POSTGRES.numbers} RETURNING client_id",
        (day, instance_id, day, json_text(sorted(client_ids))),
    )
    return frozenset(int(row[0]) for row in rows)


# --- roles, of which one process at a time has each ---

_TAKE_ROLE = (
    f"INSERT INTO role_lease (role, instance_id, epoch, until_ms) VALUES (?, ?, 1, {NOW_MS} + ?)"
    " ON CONFLICT (role) DO UPDATE SET instance_id = excluded.instance_id, epoch = role_lease.epoch + 1,"
    f" until_ms = excluded.until_ms WHERE role_lease.until_ms < {NOW_MS} RETURNING epoch"
)
_RENEW_ROLE = (
    f"UPDATE role_lease SET until_ms = {NOW_MS} + ? WHERE role = ? AND instance_id = ? AND epoch = ?"
    f" AND until_ms >= {NOW_MS} RETURNING epoch"
)


def take_role(connection: Connection, role: str, instance_id: int, seconds: float) -> int | None:
    """Take a role that nobody has for so long; returns how often it has changed hands, None if one has it."""
    rows = fetch(connection, _TAKE_ROLE, (role, instance_id, int(seconds * 1000)))
    return int(rows[0][0]) if rows else None


def renew_role(connection: Connection, role: str, instance_id: int, epoch: int, seconds: float) -> bool:
    """Have a role that is still one's own go on for so long; returns whether it is."""
    return bool(fetch(connection, _RENEW_ROLE, (int(seconds * 1000), role, instance_id, epoch)))


def end_role(connection: Connection, role: str, instance_id: int, epoch: int) -> None:
    """Give a role up, so that whoever stands by has it at once."""
    query = "UPDATE role_lease SET until_ms = 0 WHERE role = ? AND instance_id = ? AND epoch = ?"
    run(connection, query, (role, instance_id, epoch))
