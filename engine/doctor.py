"""The doctor: re-derives every balance, checks chain and triggers, and says what it found."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from data.audit import stored_rows, verify
from data.clock import IST
from data.columns import table
from data.order_tables import Order, PlanRecord
from data.rederive import differences
from data.schema import missing_triggers
from data.secrets import FILE, vault_state
from data.vocabulary import HaltScope, OrderState
from engine.orders.halt_file import read_halt_file
from engine.orders.plan_record import verify_record
from engine.parts import Parts


@dataclass(frozen=True, slots=True)
class Check:
    """One question the doctor asked. `ok` speaks of the books; an open UNKNOWN is no fault of theirs."""

    name: str
    ok: bool
    detail: str


class Doctor:
    """Examines the books of a desk without changing them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self) -> list[Check]:
        """Every check, in the order a reader would want them."""
        async with self._parts.store.reader() as connection:
            await connection.exec_driver_sql("BEGIN")  # one moment of a desk that trades meanwhile
            checks = await connection.run_sync(examine)
        checks.append(self._halts())
        checks.append(await self._secrets())
        return checks

    async def _secrets(self) -> Check:
        """Where api secrets and tokens are kept; on paper there are none, and the keyring is left alone."""
        home = self._parts.home
        if self._parts.look_at_secrets is not None:
            ok, words = await asyncio.to_thread(self._parts.look_at_secrets)
            return Check("secrets", ok, words)
        if self._parts.mode == "PAPER" and not (home / FILE).exists():
            return Check("secrets", True, "none are needed on paper")
        state = await asyncio.to_thread(vault_state, home)
        todo = f"; {state.todo}" if state.todo else ""
        return Check("secrets", state.ok, f"{state.backend}: {state.why}{todo}")

    def _halts(self) -> Check:
        """The halts that stand; a HALT file that no row explains stops every send and is told as a fault."""
        halts = self._parts.book.halts
        standing = ", ".join(f"{halt.number} ({halt.scope.value})" for halt in halts) or "none"
        told = read_halt_file(self._parts.halt_file)
        if told is not None and all(halt.scope is not HaltScope.EVERYTHING for halt in halts):
            at, by = told
            return Check(
                "halts",
                False,
                f"the HALT file ({at.astimezone(IST):%d %b %H:%M} IST by {by}) stands without a halt in the "
                "books: nothing is sent until `tradedesk resume --word resume` ends it",
            )
        file = "not there" if told is None else "there"
        return Check("halts", True, f"standing: {standing}; HALT file {file}")


def examine(connection: Connection) -> list[Check]:
    """The checks that need only the database."""
    checks: list[Check] = []
    for name, look in _LOOKS.items():
        try:
            ok, words = look(connection)
        except DBAPIError as problem:  # a damaged page spoils what lies on it, not the other checks
            ok, words = False, f"it cannot be read: {problem.orig}"
        checks.append(Check(name, ok, words))
    return checks


def _database(connection: Connection) -> tuple[bool, str]:
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    return found == ["ok"], f"integrity: {'; '.join(found)}"


def _references(connection: Connection) -> tuple[bool, str]:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return not broken, f"{len(broken)} rows refer to nothing"


def _triggers(connection: Connection) -> tuple[bool, str]:
    missing = missing_triggers(connection)
    return not missing, "all stand" if not missing else f"missing: {', '.join(missing)}"


def _balances(connection: Connection) -> tuple[bool, str]:
    found = differences(connection)
    return not found, "every balance follows from its postings" if not found else "; ".join(found[:20])


def _chain(connection: Connection) -> tuple[bool, str]:
    report = verify(stored_rows(connection))
    return report.ok, f"{report.message}; head {report.head[:12]}"


def _plans(connection: Connection) -> tuple[bool, str]:
    """Whether each stored plan still has the digest under which it was confirmed."""
    plans = table(PlanRecord)
    rows = connection.execute(select(plans.c.number, plans.c.digest, plans.c.body)).yield_per(50)
    count, changed = 0, list[int]()
    for number, digest, body in rows:
        count += 1
        if body.get("digest") != digest or not verify_record(body):
            changed.append(number)
    if changed:
        return False, f"changed since confirmed: {changed[:20]}"
    return True, "1 plan has its digest" if count == 1 else f"{count} plans have their digests"


def _orders(connection: Connection) -> tuple[bool, str]:
    orders = table(Order)
    counts = {
        str(state): int(number)
        for state, number in connection.execute(select(orders.c.state, func.count()).group_by(orders.c.state))
    }
    words = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none"
    unknown = counts.get(OrderState.UNKNOWN.value, 0)
    return True, words + (f"; {unknown} wait for the broker's word" if unknown else "")


_LOOKS: dict[str, Callable[[Connection], tuple[bool, str]]] = {
    "database": _database,
    "references": _references,
    "append-only triggers": _triggers,
    "balances": _balances,
    "audit chain": _chain,
    "plans": _plans,
    "orders": _orders,
}
