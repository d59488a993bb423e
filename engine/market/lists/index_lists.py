"""Importing an exchange's own list of an index, which searches by `index:` then go by."""

from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.csvfiles import FileProblem, Problem
from data.errors import BadInput
from data.home import classes_file
from data.reference.classes import ShareClass, plain_word, text_with_index
from data.reference.files.index_file import Constituent, read_index_file
from data.store import Unit
from data.writing.whole_file import put_whole
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.labels import label_from
from engine.market.market import Market
from engine.timing import Timing


class IndexImport(Struct, frozen=True):
    """What became of a list: its shares, those that the desk does not know, and what it changed.

    `before` is the day of the list that stood until then; None where there was none.
    """

    name: str
    word: str
    as_of: date
    shares: int
    unknown: tuple[str, ...]
    before: date | None
    came: tuple[str, ...]
    gone: tuple[str, ...]


class IndexLists:
    """Takes lists of indices into the home's own file."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market: Market) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market = market

    async def take(self, name: str, path: Path, as_of: date) -> IndexImport:
        """Have an index be what a file lists as of a day, in place of the list of before.

        Raises `FileProblem` naming every bad row, `BadInput` for a day that has not come or is before that of
        the list that stands, and `OSError` where a file cannot be read or written; then nothing has changed.
        """
        today = self._timing.wall.now().astimezone(IST).date()
        if as_of > today:
            raise BadInput("as-of", as_of.isoformat(), f"give a day up to {today.isoformat()}")
        known = self._market.classes
        same = plain_word(name)
        standing = next((one for one in known.indices if same in one.words), None)
        made_name = standing.name if standing is not None else label_from(name, "index")
        if not same:
            raise BadInput("index", name, "give a name with letters or digits")
        if standing is not None and standing.as_of is not None and as_of < standing.as_of:
            words = f"the list that stands is of {standing.as_of.isoformat()}; give one as young"
            raise BadInput("as-of", as_of.isoformat(), words)
        listed = read_index_file(path)
        unknown = self._held_to_known(path, listed)
        symbols = frozenset(one.symbol for one in listed)
        isins = frozenset(one.isin for one in listed)
        made = ShareClass(made_name, same, frozenset(), as_of, f"NSE Indices, {path.name}", symbols, isins)
        before = frozenset[str]() if standing is None else standing.symbols
        imported = IndexImport(
            made_name,
            same if standing is None else standing.word,
            as_of,
            len(listed),
            tuple(unknown),
            None if standing is None else standing.as_of,
            tuple(sorted(symbols - before)),
            tuple(sorted(before - symbols)),
        )
        await self._keep(made, imported, path)
        return imported

    def _held_to_known(self, path: Path, listed: list[Constituent]) -> list[str]:
        """The shares that the desk does not know. Raises `FileProblem` for those it knows as other ones."""
        index, unknown, faults = self._market.index, list[str](), list[Problem]()
        for one in listed:
            found = index.get(f"NSE:{one.symbol}")
            if found is None and index.of_isin(one.isin, "NSE") is None:
                unknown.append(one.symbol)
            elif found is not None and found.isin and found.isin != one.isin:
                words = f"{one.symbol} has the ISIN {found.isin} here; is this list of another day?"
                faults.append(Problem(one.row, "isin_code", one.isin, words))
        if faults:
            raise FileProblem(path, faults)
        return unknown

    async def _keep(self, made: ShareClass, imported: IndexImport, path: Path) -> None:
        """Put the file in its place and tell the audit; where that cannot be told, the file is as before."""
        file = classes_file(self._kept.home)
        text = text_with_index(file, made)
        was = file.read_text(encoding="utf-8") if file.exists() else None
        details = {
            "index": made.name,
            "as_of": imported.as_of.isoformat(),
            "file": path.name,
            "shares": imported.shares,
            "came": list(imported.came),
            "gone": list(imported.gone),
        }

        def unit_of_work(unit: Unit) -> None:
            unit.audit(AuditEntry(AuditAction.INSTRUMENTS_IMPORTED, self._engine.actor, details=details))
            unit.touched.market = True

        put_whole(file, text)
        try:
            await self._engine.write_signed_on(unit_of_work)
        except BaseException:
            if was is None:
                file.unlink(missing_ok=True)
            else:
                put_whole(file, was)
            raise
        self._market.read_classes()
