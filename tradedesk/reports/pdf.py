"""A report as a PDF: the firm's head, labelled facts, tables whose headings stand on every page, totals."""

from collections.abc import Sequence

from msgspec import Struct

from tradedesk.reports.document import (
    Beside,
    Cell,
    CellKind,
    LabelledList,
    PrintedColumn,
    PrintedTable,
    Report,
    cell_words,
)
from tradedesk.reports.letterhead import Letterhead
from tradedesk.reports.paper import (
    BOLD,
    GREY,
    HEIGHT,
    INK,
    PALE,
    REGULAR,
    WARNING,
    WIDTH,
    FileTitle,
    Mark,
    PlacedFill,
    PlacedLogo,
    PlacedText,
    broken,
    printable,
    width_of,
    written,
)

_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, WIDTH - 42.0, HEIGHT - 40.0, 62.0
_ACROSS = _RIGHT - _LEFT
_SIZE, _LEADING = 7.6, 10.2
_PAD, _GAP = 3.0, 10.0
_NARROWEST = 40.0
"""What a column of words keeps where figures leave little room."""

_LOGO_WIDTH, _LOGO_HEIGHT = 130.0, 42.0


def pdf_of(report: Report, head: Letterhead, logo: bytes | None) -> bytes:
    """The report as the bytes of a file, the same for the same report."""
    paper = _Paper(report, head, logo is not None)
    for part in report.parts:
        if isinstance(part, PrintedTable):
            paper.table(part)
        elif isinstance(part, LabelledList):
            paper.figures(part)
        elif isinstance(part, Beside):
            paper.beside(part)
    paper.notes()
    named = FileTitle(report.title, head.name, report.subject)
    return written(paper.finished(), named, logo)


class _Laid(Struct, frozen=True):
    """A row of a table in lines, as many as its longest cell takes."""

    cells: tuple[tuple[str, ...], ...]

    @property
    def height(self) -> float:
        return _LEADING * max(map(len, self.cells)) + 2


class _Grid(Struct, frozen=True):
    """How a table is laid out: the kinds of its columns, their widths in points, the size of its letters."""

    kinds: tuple[CellKind, ...]
    widths: list[float]
    size: float = _SIZE


class _Paper:
    """Places a report's parts from the top of a page to its bottom, and goes on with the next."""

    def __init__(self, report: Report, head: Letterhead, has_logo: bool) -> None:
        self._report, self._head = report, head
        self._pages: list[list[Mark]] = [[]]
        self._y = _TOP
        self._first_head(has_logo)

    # --- heads and feet -------------------------------------------------------------------------------------

    def _first_head(self, has_logo: bool) -> None:
        colour = self._head.colour
        if has_logo:
            self._put(PlacedLogo(_RIGHT, _TOP + 6, _LOGO_WIDTH, _LOGO_HEIGHT))
        begins = self._y
        self._text(_LEFT, printable(self._head.name), BOLD, 15, colour, drop=14)
        for line in self._head.lines:
            self._text(_LEFT, printable(line), REGULAR, 7.6, GREY, drop=9.6)
        self._y = min(self._y, begins - (_LOGO_HEIGHT if has_logo else 0)) + 2
        self._put(PlacedFill(_LEFT, self._y, _ACROSS, 1.2, colour))
        self._y -= 20
        self._text(_LEFT, printable(self._report.title), BOLD, 12.5, INK, drop=4)
        if self._report.warning:
            self._y -= 11
            self._text(_LEFT, printable(self._report.warning), BOLD, 8.6, WARNING, drop=2)
        self._y -= 12
        self._about()

    def _about(self) -> None:
        """Labelled facts in two columns, read down the first and then down the second."""
        facts = self._report.about
        rows = (len(facts) + 1) // 2
        top = self._y
        for place, (label, value) in enumerate(facts):
            x = _LEFT + (place // rows) * _ACROSS / 2
            y = top - (place % rows) * 11.5
            self._put(PlacedText(x, y, printable(label), REGULAR, 7.6, GREY))
            (line, *_) = broken(printable(value), BOLD, 7.6, _ACROSS / 2 - 90)
            self._put(PlacedText(x + 84, y, line, BOLD, 7.6, INK))
        self._y = top - rows * 11.5 - 6

    def _next_page(self) -> None:
        self._pages.append([])
        self._y = _TOP
        told = f"{self._report.title} · {self._report.subject}"
        self._text(_LEFT, printable(self._head.name), BOLD, 8.6, self._head.colour)
        told = printable(told)
        self._text(_RIGHT - width_of(told, REGULAR, 7.6), told, REGULAR, 7.6, GREY, drop=5)
        self._put(PlacedFill(_LEFT, self._y, _ACROSS, 0.7, self._head.colour))
        self._y -= 10
        if self._report.warning:
            self._y -= 4
            self._text(_LEFT, printable(self._report.warning), BOLD, 7.6, WARNING, drop=14)

    def finished(self) -> list[list[Mark]]:
        """All pages, each with its foot."""
        count = len(self._pages)
        for number, page in enumerate(self._pages, start=1):
            page.append(PlacedFill(_LEFT, 50, _ACROSS, 0.5, PALE))
            of = f"page {number} of {count}"
            y = 40.0
            if self._report.seal:
                page.append(PlacedText(_LEFT, y, f"day's hash {self._report.seal}", REGULAR, 6.4, GREY))
                y -= 9
            for line in broken(printable(self._head.footer), REGULAR, 6.8, _ACROSS - 60)[:2]:
                page.append(PlacedText(_LEFT, y, line, REGULAR, 6.8, GREY))
                y -= 8.4
            page.append(PlacedText(_RIGHT - width_of(of, REGULAR, 7), 40, of, REGULAR, 7, GREY))
        return self._pages

    # --- parts ----------------------------------------------------------------------------------------------

    def beside(self, part: Beside) -> None:
        """Two lists of figures next to each other."""
        longest = max(len(part.left.figures), len(part.right.figures))
        self._room(18 + 12 * longest)
        top, half = self._y, _ACROSS / 2
        self._list(part.left, _LEFT, half - 14)
        left = self._y
        self._y = top
        self._list(part.right, _LEFT + half + 14, half - 14)
        self._y = min(left, self._y) - _GAP

    def figures(self, part: LabelledList) -> None:
        """Labelled figures, the sums among them strong and under a rule."""
        self._room(18 + 12 * min(len(part.figures), 4))
        self._list(part, _LEFT, _ACROSS * 0.62)
        self._y -= _GAP

    def _list(self, part: LabelledList, left: float, width: float) -> None:
        self._text(left, printable(part.title), BOLD, 9.4, self._head.colour, drop=13)
        for one in part.figures:
            self._room(12)
            font = BOLD if one.strong else REGULAR
            if one.strong:
                self._put(PlacedFill(left, self._y + 8.6, width, 0.5, GREY))
            at = left + (10 if one.inner else 0)
            self._put(PlacedText(at, self._y, printable(one.label), font, 8.2, INK))
            words = printable(cell_words(one.value, one.kind))
            words = (
                f"₹ {words}" if one.strong and one.kind is CellKind.MONEY and one.value is not None else words
            )
            self._put(PlacedText(left + width - width_of(words, font, 8.2), self._y, words, font, 8.2, INK))
            self._y -= 12

    def table(self, part: PrintedTable) -> None:
        """Rows under headings, which stand again on every page; the total is kept with the last row."""
        kinds = [column.kind for column in part.columns]
        rows = [self._words(row, kinds) for row in part.rows]
        total = None if part.total is None else self._words(part.total, kinds)
        grid = _grid(part.columns, rows, total)
        heading = _laid([column.heading for column in part.columns], BOLD, grid)
        self._room(20 + heading.height + 3 * _LEADING)
        self._text(_LEFT, printable(part.title), BOLD, 9.4, self._head.colour, drop=13)
        self._headings(heading, grid)
        if not rows:
            self._put(PlacedText(_LEFT + _PAD, self._y, part.empty, REGULAR, _SIZE, GREY))
            self._y -= _LEADING + 2
        for number, row in enumerate(rows, start=1):
            laid = _laid(row, REGULAR, grid)
            below = _LEADING + 6 if number == len(rows) and total is not None else 0
            if self._y - laid.height - below < _BOTTOM:
                self._next_page()
                self._put(PlacedText(_LEFT, self._y, f"{printable(part.title)} (continued)", BOLD, 8.6, INK))
                self._y -= 8
                self._headings(heading, grid)
            self._cells(laid, grid, REGULAR, self._y, INK)
            self._y -= laid.height
            self._put(PlacedFill(_LEFT, self._y + _LEADING - 2.2, _ACROSS, 0.35, PALE))
        if total is not None:
            self._put(PlacedFill(_LEFT, self._y + _LEADING - 1.6, _ACROSS, 0.8, INK))
            self._y -= 1.5
            laid = _laid(total, BOLD, grid)
            self._cells(laid, grid, BOLD, self._y, INK)
            self._y -= laid.height
        self._y -= _GAP

    def notes(self) -> None:
        """What a reader has to know of the figures, in small print."""
        for note in self._report.notes:
            for line in broken(printable(note), REGULAR, 7, _ACROSS):
                self._room(9)
                self._put(PlacedText(_LEFT, self._y, line, REGULAR, 7, GREY))
                self._y -= 9
            self._y -= 2

    # --- pieces ---------------------------------------------------------------------------------------------

    def _words(self, row: Sequence[Cell], kinds: Sequence[CellKind]) -> tuple[str, ...]:
        return tuple(printable(cell_words(cell, kind)) for cell, kind in zip(row, kinds, strict=True))

    def _headings(self, heading: _Laid, grid: _Grid) -> None:
        height = heading.height + 3
        self._y -= height - _LEADING + 4
        self._put(PlacedFill(_LEFT, self._y - 3.2, _ACROSS, height, self._head.colour))
        self._cells(heading, grid, BOLD, self._y + height - _LEADING - 1.5, "#ffffff")
        self._y -= _LEADING + 3

    def _cells(self, row: _Laid, grid: _Grid, font: str, top: float, colour: str) -> None:
        x = _LEFT
        for lines, kind, width in zip(row.cells, grid.kinds, grid.widths, strict=True):
            for number, line in enumerate(lines):
                at = x + width - _PAD - width_of(line, font, grid.size) if kind.is_figure else x + _PAD
                self._put(PlacedText(at, top - number * _LEADING, line, font, grid.size, colour))
            x += width

    def _room(self, height: float) -> None:
        if self._y - height < _BOTTOM:
            self._next_page()

    def _text(self, x: float, text: str, font: str, size: float, colour: str, *, drop: float = 0) -> None:
        self._put(PlacedText(x, self._y, text, font, size, colour))
        self._y -= drop

    def _put(self, mark: Mark) -> None:
        self._pages[-1].append(mark)


def _laid(row: Sequence[str], font: str, grid: _Grid) -> _Laid:
    told = zip(row, grid.widths, strict=True)
    return _Laid(tuple(tuple(broken(cell, font, grid.size, width - 2 * _PAD)) for cell, width in told))


def _grid(
    columns: Sequence[PrintedColumn], rows: Sequence[Sequence[str]], total: Sequence[str] | None
) -> _Grid:
    """Columns as wide as their widest cells where all fit.

    Else columns of words give way, the widest first, and then the letters of the whole table.
    """
    wanted: list[float] = []
    for place, column in enumerate(columns):
        longest = {cell[place] for cell in rows} | ({total[place]} if total is not None else set[str]())
        cells = sorted(longest, key=len, reverse=True)[:8]
        inside = max((width_of(cell, BOLD, _SIZE) for cell in cells), default=0)
        heading = max(width_of(word, BOLD, _SIZE) for word in column.heading.split(" "))
        wanted.append(max(inside, heading) + 2 * _PAD + 1)
    beyond = sum(wanted) - _ACROSS
    if beyond <= 0:
        return _Grid(
            tuple(column.kind for column in columns), [each - beyond / len(wanted) for each in wanted]
        )
    for place in sorted(range(len(columns)), key=lambda at: -wanted[at]):
        if columns[place].kind is CellKind.TEXT and beyond > 0:
            given = min(beyond, max(0, wanted[place] - _NARROWEST))
            wanted[place] -= given
            beyond -= given
    scale = min(1.0, _ACROSS / sum(wanted))
    return _Grid(tuple(column.kind for column in columns), [each * scale for each in wanted], _SIZE * scale)
