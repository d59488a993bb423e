"""What is looked at before a desk trades: the file as SQLite sees it, and the end of the audit chain."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from data.clock import IST, Clock
from data.errors import StoreAway
from data.proving.readable import unreadable
from data.proving.verifying import accepted, first_of
from data.repositories.base import DatabaseError, Reader
from data.repositories.meta import WALKED_ON, fact_of, keep_day
from data.schema import schema_faults
from data.store import Store, StoreError
from data.writing.audit_writer import standing_stop, stop_words
from engine.instances import ThisEngine
from engine.review.audit import Trail

log = logging.getLogger(__name__)

WAY_OUT = (
    "`tradedesk audit verify` says more; put a copy back, or, once you know why, "
    "`tradedesk audit accept --reason WHY` ends the stop"
)
"""What a trader can do about it."""

NEWEST, FEW = 100_000, 5_000
"""How many of each table's newest rows are looked at for values that cannot be read; few in a file of which
more were looked at on the same day."""


LONG_BYTES = 50_000_000
"""From this size on the file is walked, and many values looked at, once a day; an app is open meanwhile."""


def file_takes_long(store: Store) -> bool:
    """Whether walking the file takes so long that a desk is opened meanwhile."""
    try:
        return store.path.stat().st_size >= LONG_BYTES
    except OSError:
        return False


class BooksLook:
    """Looks whether an engine may trade on its books, at the opening and whenever something was found."""

    def __init__(self, store: Store, trail: Trail, engine: ThisEngine, clock: Clock) -> None:
        self._store = store
        self._trail = trail
        self._engine = engine
        self._clock = clock
        self._accepted = 0

    async def problem(self) -> str:
        """Why these books are not to be traded on; empty if nothing speaks against it."""
        return await boot_problem(self._store, self._trail, self._clock)

    async def first(self) -> None:
        """Wait for the look before the desk trades at all, and note what it found."""
        if found := await self._engine.looked_at_books():
            log.error("trading is stopped: %s", found)
            with suppress(DatabaseError):
                self._accepted = await self._trail.last_judged()

    async def again(self) -> None:
        """Look again once something was found or accepted, here or by another process."""
        accepted = self._accepted
        if self._engine.trading_disabled:
            accepted = await self._trail.last_judged()
        if accepted > self._accepted:
            self._accepted = accepted
            self._engine.trading_disabled = await self.problem()
        elif self._store.glance(standing_stop) and not self._engine.trading_disabled:
            found = await self.problem()
            # What stopped a claim of this engine meanwhile names the order, and stands.
            self._engine.trading_disabled = self._engine.trading_disabled or found


async def boot_problem(store: Store, trail: Trail, clock: Clock) -> str:
    """Why these books are not to be traded on, in words for the trader; empty if nothing speaks against it.

    The store must be open. It is for each opening of a desk, and quick but for the day's first walk over a
    large file; `tradedesk doctor` looks at everything.
    What ends a look speaks against the books as well as what it finds.
    """
    today = clock.now().astimezone(IST).date()

    async def walked() -> bool:
        return file_takes_long(store) and await store.read_aside(_walked_on) == today.isoformat()

    looks: dict[str, Callable[[], Awaitable[str]]] = {
        "desk.db": lambda: _file(store, walked()),
        "the schema of desk.db": lambda: _schema(store),
        "the values in desk.db": lambda: _values(store, walked()),
        "the audit in desk.db": lambda: _audit(trail),
        "what was found before": lambda: _before(store),
    }
    for what, look in looks.items():
        try:
            problem = await look()
        except StoreAway:
            raise
        except Exception as ended:
            words = ended.orig if isinstance(ended, DatabaseError) else repr(ended)
            log.exception("a look at the books ended")
            problem = f"{what} cannot be read ({words}); `tradedesk doctor` says more"
        if problem:
            return problem
    with suppress(StoreError, DatabaseError):  # then it is walked again at the next opening
        if file_takes_long(store) and not await walked():
            await store.write(lambda unit: keep_day(unit, WALKED_ON, today))
    return ""


async def _file(store: Store, walked: Awaitable[bool]) -> str:
    if await walked:
        return ""
    damage = await store.quick_check()
    if damage:
        return f"desk.db is damaged ({damage}): put a copy back; `tradedesk doctor` says what can be read"
    return ""


def _walked_on(reader: Reader) -> str | None:
    return fact_of(reader, WALKED_ON)


async def _schema(store: Store) -> str:
    found = await store.read_aside(schema_faults)
    if found:
        return (
            f"the schema of desk.db was changed by something other than tradedesk: {first_of(found)}; "
            "`tradedesk audit accept --reason WHY` makes it tradedesk's again and ends the stop"
        )
    return ""


async def _values(store: Store, walked: Awaitable[bool]) -> str:
    newest = FEW if await walked else NEWEST

    def look(reader: Reader) -> list[str]:
        found = unreadable(reader, newest)
        known = accepted(reader) if found else ()
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
