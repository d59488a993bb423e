"""What companies do with their shares: taken from the exchange's file, for warnings before an ex-date."""

from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.reference.files.mtf_files import read_actions
from data.repositories.mtf import StoredAction, keep_actions, read_actions_from
from data.store import Unit
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.timing import Timing


class ActionsImport(Struct, frozen=True):
    """What became of a file: the actions taken, and the symbols that the desk does not know."""

    actions: tuple[StoredAction, ...]
    unknown: tuple[str, ...]


class CorporateActions:
    """Companies' actions from today on."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._actions: list[StoredAction] = []

    async def read(self) -> None:
        """Know the actions as they stand in the books."""
        async with self._kept.store.reader() as reader:
            self._actions = await read_actions_from(reader, self._timing.market.trading_day)

    def all(self) -> list[StoredAction]:
        """The actions from today on, the nearest first."""
        today = self._timing.market.trading_day
        return [one for one in self._actions if one.ex_date >= today]

    def of(self, key: str, until: date | None = None) -> list[StoredAction]:
        """Those of one instrument, up to a day."""
        return [one for one in self.all() if one.key == key and (until is None or one.ex_date <= until)]

    async def take(self, path: Path) -> ActionsImport:
        """Take the actions of an exchange's file; the same one again is kept once.

        Raises `FileProblem` naming every bad row, `OSError` where the file cannot be read.
        """
        actor, announced = self._engine.actor, read_actions(path)
        index = self._market_data.index
        known = {one.symbol: index.get(f"NSE:{one.symbol}") for one in announced}
        unknown = sorted({symbol for symbol, found in known.items() if found is None})

        def unit_of_work(unit: Unit) -> list[StoredAction]:
            made = {
                (found.key, one.ex_date, one.purpose): StoredAction(
                    *(found.key, one.ex_date, one.purpose, one.kind, path.name, unit.now),
                    becomes=one.becomes,
                    allotted_on=one.allotted_on,
                    paid_to=one.paid_to,
                )
                for one in announced
                if (found := known[one.symbol]) is not None
            }
            keep_actions(unit, list(made.values()))
            details = {"file": path.name, "actions": len(made), "unknown": len(unknown)}
            unit.audit(AuditEntry(AuditAction.ACTIONS_IMPORTED, actor, details=details))
            return list(made.values())

        made = await self._engine.write_signed_on(unit_of_work)
        await self.read()
        return ActionsImport(tuple(sorted(made, key=lambda one: (one.ex_date, one.key))), tuple(unknown))
