"""CSV files of models: a row a stock, with its sector, the sector's target and its own part of the sector."""

from pathlib import Path

from msgspec import Struct, convert

from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import BPS, bps_from_percent_text
from data.reference.instrument_index import InstrumentIndex
from engine.rebalancing.model import MOST_STOCKS, Target

COLUMNS = ("sector", "symbol", "weight"), ("target",)
"""The columns of a file: sector, symbol, its percent of the sector; and the sector's target in percent."""


class _ModelCells(Struct, frozen=True):
    sector: str
    symbol: str
    weight: str
    target: str = ""


def targets_from_file(path: Path, index: InstrumentIndex) -> tuple[Target, ...]:
    """The targets of a CSV file. Raises `FileProblem` with every row that cannot be taken, and why.

    A sector's target stands on each of its rows, or on its first alone. Sectors come to 100 % at most, the
    rest is cash; the stocks of a sector to 100 %.
    """
    problems: list[Problem] = []
    rows = read_rows(path, *COLUMNS, faults=problems)
    targets: list[Target] = []
    sectors: dict[str, tuple[int, int]] = {}
    stocks: dict[str, int] = {}
    for row in rows:
        try:
            target = _target(row, index, sectors)
            if (before := stocks.get(target.key)) is not None:
                raise BadInput("symbol", target.key, f"it stands in row {before}: give it once")
        except BadInput as wrong:
            value = row.values.get(wrong.field, str(wrong.value))
            problems.append(Problem(row.number, wrong.field, value, wrong.expected))
            continue
        stocks[target.key] = row.number
        targets.append(target)
    if not problems:
        problems += _sums(targets, sectors, rows[-1].number if rows else 1)
    if not problems and not 0 < len(targets) <= MOST_STOCKS:
        problems.append(Problem(1, "symbol", str(len(targets)), f"give 1 to {MOST_STOCKS} stocks"))
    if problems:
        raise FileProblem(path, problems)
    return tuple(targets)


def _target(row: CsvRow, index: InstrumentIndex, sectors: dict[str, tuple[int, int]]) -> Target:
    told = convert(row.values, _ModelCells)
    sector = told.sector.strip()
    if not sector:
        raise BadInput("sector", told.sector, "name the stock's sector in this model")
    known = sectors.get(sector)
    if told.target.strip() or known is None:
        of_sector = bps_from_percent_text(told.target, "target")
        if not 0 <= of_sector <= BPS:
            raise BadInput("target", told.target, "give a percentage from 0 to 100")
        if known is not None and known[0] != of_sector:
            raise BadInput("target", told.target, f"{sector} has {known[0] / 100:g} % in row {known[1]}")
        known = sectors.setdefault(sector, (of_sector, row.number))
    within = bps_from_percent_text(told.weight, "weight")
    if not 0 <= within <= BPS:
        raise BadInput("weight", told.weight, "give a percentage from 0 to 100")
    instrument = index.resolve(told.symbol)
    if not instrument.tradable:
        raise BadInput("symbol", told.symbol, "an index has a price but cannot be traded")
    return Target(instrument.key, sector, known[0], within, instrument.security)


def _sums(targets: list[Target], sectors: dict[str, tuple[int, int]], last_row: int) -> list[Problem]:
    """What does not add up: sectors beyond the whole, stocks of a sector to another than the whole."""
    found: list[Problem] = []
    total = sum(bps for bps, _ in sectors.values())
    if total > BPS:
        words = "sectors come to more than 100 %: give 100 % at most, the rest is cash"
        found.append(Problem(last_row, "target", f"{total / 100:g}", words))
    for sector, (_, row) in sectors.items():
        own = sum(target.within_bps for target in targets if target.sector == sector)
        if own != BPS:
            words = f"the stocks of {sector} come to {own / 100:g} %: give 100 %"
            found.append(Problem(row, "weight", f"{own / 100:g}", words))
    return found
