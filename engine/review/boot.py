"""What is looked at before a desk trades: the file as SQLite sees it, and the end of the audit chain."""

import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.audit_writer import standing_stop, stop_words
from data.proving.readable import unreadable
from data.proving.verifying import accepted, first_of
from data.schema import schema_faults
from data.store import Store
from engine.review.audit import Trail

log = logging.getLogger(__name__)

WAY_OUT = (
    "`tradedesk audit verify` says more; put a copy back, or, once you know why, "
    "`tradedesk audit accept --reason WHY` ends the stop"
)
"""What a trader can do about it."""

NEWEST = 100_000
"""How many of each table's newest rows are looked at for values that cannot be read."""


async def boot_problem(store: Store, trail: Trail) -> str:
    """Why these books are not to be traded on, in words for the trader; empty if nothing speaks against it.

    The store must be open. It is quick, for each opening of a desk; `tradedesk doctor` looks at everything.
    What ends a look speaks against the books as well as what it finds.
    """
    looks: dict[str, Callable[[], Awaitable[str]]] = {
        "desk.db": lambda: _file(store),
        "the schema of desk.db": lambda: _schema(store),
        "the values in desk.db": lambda: _values(store),
        "the audit in desk.db": lambda: _audit(trail),
        "what was found before": lambda: _before(store),
    }
    for what, look in looks.items():
        try:
            problem = await look()
        except Exception as ended:
            words = ended.orig if isinstance(ended, DBAPIError) else repr(ended)
            log.exception("a look at the books ended")
            problem = f"{what} cannot be read ({words}); `tradedesk doctor` says more"
        if problem:
            return problem
    return ""


async def _file(store: Store) -> str:
    damage = await store.quick_check()
    if damage:
        return f"desk.db is damaged ({damage}): put a copy back; `tradedesk doctor` says what can be read"
    return ""


async def _schema(store: Store) -> str:
    found = await store.read_aside(schema_faults)
    if found:
        return (
            f"the schema of desk.db was changed by something other than tradedesk: {first_of(found)}; "
            "`tradedesk audit accept --reason WHY` makes it tradedesk's again and ends the stop"
        )
    return ""


async def _values(store: Store) -> str:
    def look(connection: Connection) -> list[str]:
        found = unreadable(connection, NEWEST)
        known = accepted(connection) if found else ()
        return [words for words in found if words not in known]

    found = await store.read_aside(look)
    if found:
        return f"desk.db holds values that no tradedesk writes: {found[0]}; {WAY_OUT}"
    return ""


async def _audit(trail: Trail) -> str:
    report = await trail.verify_tail()
    if report.ok:
        return ""
    return (
        f"the audit does not verify: {report.message}, so desk.db was changed by something other than "
        f"tradedesk; {WAY_OUT}"
    )


async def _before(store: Store) -> str:
    found = await store.read_aside(standing_stop)
    return stop_words(found) if found else ""
