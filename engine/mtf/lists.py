"""Brokers' lists of the stocks that they lend on: imported, dated, and kept until the next one comes."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import FileProblem, Problem
from data.errors import BadInput
from data.records import replace
from data.reference.files.mtf_files import LentStock, read_mtf_list
from data.reference.instruments import Instrument
from data.repositories.instruments import save_instrument
from data.repositories.mtf import (
    ListedStock,
    StoredMtfList,
    keep_mtf_list,
    read_mtf_lists,
    stocks_of,
)
from data.store import Unit
from data.vocabulary import Product
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.timing import Timing


class MtfListImport(Struct, frozen=True):
    """What became of a broker's list: its stocks, those the desk does not know, what it changed.

    `before` is the day of the list that stood until then, `gone` and `margins` are keys of stocks that left
    it or whose margin is another now, `held` those among the gone that clients hold on margin.
    """

    broker: str
    as_of: date
    stocks: int
    unknown: tuple[str, ...]
    before: date | None
    came: tuple[str, ...]
    gone: tuple[str, ...]
    margins: tuple[str, ...]
    held: tuple[str, ...]


class MtfLists:
    """Every broker's newest list; one of an earlier day than today's is stale and counts on."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = venues.market_data
        self._connections = venues.connections
        self._lists: dict[str, StoredMtfList] = {}
        self._stocks: dict[tuple[str, str], ListedStock] = {}

    async def read(self) -> None:
        """Know the lists as they stand in the books."""
        async with self._kept.store.reader() as reader:
            lists, stocks = await read_mtf_lists(reader)
        self._lists = {one.broker: one for one in lists}
        self._stocks = {(one.broker, one.key): one for one in stocks}

    def of(self, broker: str) -> StoredMtfList | None:
        """A broker's newest list; None where none was imported."""
        return self._lists.get(broker)

    def is_stale(self, broker: str) -> bool:
        """Whether a broker's list is of an earlier trading day than today's."""
        made = self._lists.get(broker)
        return made is not None and made.as_of < self._timing.market.trading_day

    def stock(self, broker: str, key: str) -> ListedStock | None:
        """A stock on a broker's lists, or that was on one; None where it never was, or none was imported."""
        return self._stocks.get((broker, key))

    def lends_on(self, broker: str, key: str) -> bool:
        """Whether a broker's list has a stock; where none was imported nothing speaks against it."""
        if broker not in self._lists:
            return True
        found = self._stocks.get((broker, key))
        return found is not None and found.left_on is None

    async def take(self, broker: str, path: Path, as_of: date | None = None) -> MtfListImport:
        """Have a broker's list be what a file says as of a day, today's without one.

        Raises `FileProblem` naming every bad row, `BadInput` for a day that has not come or is before that of
        the list that stands, `OSError` where the file cannot be read; then nothing has changed.
        """
        today = self._timing.market.trading_day
        day = today if as_of is None else as_of
        if day > today:
            raise BadInput("as-of", day.isoformat(), f"give a day up to {today.isoformat()}")
        await self.read()
        standing = self._lists.get(broker)
        if standing is not None and day < standing.as_of:
            words = f"the list that stands is of {standing.as_of.isoformat()}; give one as young"
            raise BadInput("as-of", day.isoformat(), words)
        known, unknown = self._known(path, read_mtf_list(path))
        return await self._keep(broker, path.name, day, known, unknown)

    def _known(self, path: Path, listed: Iterable[LentStock]) -> tuple[dict[str, int], list[str]]:
        """Margins by key, and the stocks that the desk does not know. Raises `FileProblem`."""
        index, margins, unknown = self._market_data.index, dict[str, int](), list[str]()
        faults: list[Problem] = []
        for one in listed:
            found = index.get(f"NSE:{one.symbol}") or (index.of_isin(one.isin, "NSE") if one.isin else None)
            if found is None:
                unknown.append(one.symbol)
            elif one.isin and found.isin and found.isin != one.isin:
                words = f"{one.symbol} has the ISIN {found.isin} here; is this list of another day?"
                faults.append(Problem(one.row, "isin", one.isin, words))
            else:
                margins[found.key] = one.margin_bps
        if faults:
            raise FileProblem(path, faults)
        return margins, unknown

    async def _keep(
        self, broker: str, file: str, day: date, margins: Mapping[str, int], unknown: list[str]
    ) -> MtfListImport:
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> MtfListImport:
            before = {one.key: one for one in stocks_of(unit, broker)}
            stood = {key for key, one in before.items() if one.left_on is None}
            stocks = [ListedStock(broker, key, bps, day) for key, bps in margins.items()]
            for key, one in before.items():
                if key not in margins:
                    stocks.append(one if one.left_on is not None else replace(one, left_on=day))
            keep_mtf_list(unit, StoredMtfList(broker, day, file, unit.now, actor), stocks)
            gone = tuple(sorted(stood - margins.keys()))
            standing = self._lists.get(broker)
            made = MtfListImport(
                broker,
                day,
                len(margins),
                tuple(unknown),
                None if standing is None else standing.as_of,
                tuple(sorted(margins.keys() - stood)),
                gone,
                tuple(
                    sorted(one for one in stood & margins.keys() if before[one].margin_bps != margins[one])
                ),
                tuple(key for key in gone if key in self._held()),
            )
            self._save_margins(unit, stocks)
            details = {
                "broker": broker,
                "as_of": day.isoformat(),
                "file": file,
                "stocks": made.stocks,
                "came": len(made.came),
                "gone": list(made.gone),
                "margins": len(made.margins),
            }
            unit.audit(AuditEntry(AuditAction.MTF_LIST_IMPORTED, actor, details=details))
            unit.touched.market = True
            return made

        made = await self._engine.write_signed_on(unit_of_work)
        await self.read()
        self._tell()
        return made

    def _held(self) -> set[str]:
        return {
            one.key
            for held in self._kept.book.holdings.values()
            for one in held
            if one.product is Product.MTF and one.quantity
        }

    def _save_margins(self, unit: Unit, fresh: list[ListedStock]) -> None:
        """Have instruments carry the margins of the lists: the largest, where brokers differ."""
        changed = list(self._with_margins(fresh))
        for one in changed:
            save_instrument(unit, one, "mtf_margin_bps")

    def _with_margins(self, fresh: list[ListedStock]) -> Iterable[Instrument]:
        """The instruments whose margin is another by the lists, of which one broker's is `fresh`."""
        brokers = {one.broker for one in fresh}
        others = [one for one in self._stocks.values() if one.broker not in brokers]
        margins: dict[str, int | None] = {}
        for one in (*others, *fresh):
            if one.left_on is None:
                margins[one.key] = max(margins.get(one.key) or 0, one.margin_bps)
            else:
                margins.setdefault(one.key, None)
        for key, margin in margins.items():
            known = self._market_data.index.get(key)
            if known is not None and known.mtf_margin_bps != margin:
                yield replace(known, mtf_margin_bps=margin)

    def _tell(self) -> None:
        """Have the desk and its venues know the margins that the lists tell."""
        changed = list(self._with_margins([]))
        for one in changed:
            self._market_data.index.put(one)
        told = {one.key: one.mtf_margin_bps for one in changed}
        for connection in self._connections:
            connection.life.margins_told(told)
