"""The doctor: re-derives every balance, checks chain and triggers, and says what it found."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from data.audit import stored_rows, verify
from data.rederive import differences
from data.schema import missing_triggers
from data.tables import Order, PlanRecord, table
from data.vocabulary import OrderState
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
        halts = self._parts.book.halts
        standing = ", ".join(f"{halt.number} ({halt.scope.value})" for halt in halts) or "none"
        file = "there" if self._parts.halt_file.exists() else "not there"
        checks.append(Check("halts", True, f"standing: {standing}; HALT file {file}"))
        return checks


def examine(connection: Connection) -> list[Check]:
    """The checks that need only the database."""
    integrity = str(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one())
    checks = [Check("database", integrity == "ok", f"integrity: {integrity}")]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    checks.append(Check("references", not broken, f"{len(broken)} rows refer to nothing"))
    missing = missing_triggers(connection)
    words = "all stand" if not missing else f"missing: {', '.join(missing)}"
    checks.append(Check("append-only triggers", not missing, words))
    found = differences(connection)
    words = "every balance follows from its postings" if not found else "; ".join(found[:20])
    checks.append(Check("balances", not found, words))
    checks.append(_chain(connection))
    checks.append(_plans(connection))
    checks.append(_orders(connection))
    return checks


def _chain(connection: Connection) -> Check:
    report = verify(stored_rows(connection))
    return Check("audit chain", report.ok, f"{report.message}; head {report.head[:12]}")


def _plans(connection: Connection) -> Check:
    """Whether each stored plan still has the digest under which it was confirmed."""
    plans = table(PlanRecord)
    rows = connection.execute(select(plans.c.number, plans.c.digest, plans.c.body)).yield_per(50)
    count, changed = 0, list[int]()
    for number, digest, body in rows:
        count += 1
        if body.get("digest") != digest or not verify_record(body):
            changed.append(number)
    words = f"{count} plans have their digests"
    return Check("plans", not changed, words if not changed else f"changed since confirmed: {changed[:20]}")


def _orders(connection: Connection) -> Check:
    orders = table(Order)
    counts = {
        str(state): int(number)
        for state, number in connection.execute(select(orders.c.state, func.count()).group_by(orders.c.state))
    }
    words = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none"
    unknown = counts.get(OrderState.UNKNOWN.value, 0)
    return Check("orders", True, words + (f"; {unknown} wait for the broker's word" if unknown else ""))
