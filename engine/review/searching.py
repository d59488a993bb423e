"""The audit looked through: a search goes on step by step, from the newest row back or from a row on."""

from collections.abc import AsyncIterator

from data.audit_wanted import AuditWanted
from data.records import replace
from data.repositories.audit_search import AuditSearch, RowBounds, SearchStep
from data.store import Store
from engine.book.audit_views import AuditPage, AuditRecord
from engine.colon.asked import AuditWish
from engine.market.stamps import MarketStamps

PAGE = 200
"""Rows of a page, unless told."""

_SEARCH = AuditSearch(AuditRecord)


class TrailSearch:
    """One search. Each of its reads is short, on a connection that the writer never waits for."""

    def __init__(self, store: Store, wanted: AuditWanted, bounds: RowBounds, newest: int) -> None:
        self.newest = newest
        """The audit's newest row when it began, found or not."""
        self._store = store
        self._wanted = wanted
        self._bounds = bounds

    async def older(self, before: int | None = None, limit: int = PAGE) -> SearchStep[AuditRecord]:
        """One step back from a row, or from the newest: what it found, and from where the next goes on.

        A step that finds nothing may still not be the last one.
        """
        async with self._store.reader() as reader:
            return await _SEARCH.step(reader, self._wanted, limit, before, bounds=self._bounds)

    async def newer(self, after: int, limit: int = PAGE) -> SearchStep[AuditRecord]:
        """One step on from a row, the oldest first; what is written later is found as well.

        The next goes on from what it `reached`.
        """
        bounds = RowBounds(self._bounds.first or 0)
        async with self._store.reader() as reader:
            return await _SEARCH.step(reader, self._wanted, limit, after, up=True, bounds=bounds)

    async def page(self, before: int | None = None, limit: int = PAGE) -> AuditPage:
        """So many rows before a row, or the newest, however many steps it takes."""
        found: list[AuditRecord] = []
        while len(found) < limit:
            step = await self.older(before, limit - len(found))
            found += step.rows
            before = step.on
            if before is None:
                break
        return AuditPage(tuple(found), before)

    async def pages(self, before: int | None = None, most: int | None = None) -> AsyncIterator[AuditPage]:
        """Page after page to the end, or until so many rows were found."""
        while most is None or most > 0:
            page = await self.page(before, PAGE if most is None else min(PAGE, most))
            yield page
            if page.before is None:
                return
            before = page.before
            most = None if most is None else most - len(page.rows)


async def begin_search(
    store: Store, wish: AuditWish, stamps: MarketStamps, of: frozenset[int] | None
) -> TrailSearch:
    """Begin a search as it was wished, its times being the market's; `of` these clients, or of everything."""
    since, until = wish.wanted.since, wish.wanted.until
    wanted = replace(
        wish.wanted,
        since=None if since is None else stamps.stamped(since),
        until=None if until is None else stamps.stamped(until),
        of=of,
    )
    async with store.reader() as reader:
        newest = (await _SEARCH.step(reader, AuditWanted(), 1)).reached or 0
        return TrailSearch(store, wanted, await _SEARCH.bounds(reader, wanted), newest)
