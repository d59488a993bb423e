"""Tables as people keep them, with titles and merged cells; and workbooks made to break a reader."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.spreadsheets.cells import plain_text, safe_text
from data.spreadsheets.tables import Sheet, read_sheet
from data.spreadsheets.workbooks import Numeral, Unworked
from data.spreadsheets.written import written_rows
from data.vocabulary import ExportKind

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def known(header: str) -> str | None:
    return {"code": "code", "name": "name", "capital": "capital"}.get(header.casefold())


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def with_part(path: Path, name: str, text: str) -> Path:
    """The workbook with another text for one of its parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, standing in (parts | {name: text.encode()}).items():
            archive.writestr(one, standing)
    return path


def with_cells(path: Path, cells: str) -> Path:
    workbook(path, [["code"]])
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    return with_part(path, "xl/worksheets/sheet1.xml", sheet)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def rows_of(sheet: Sheet) -> list[tuple[str, ...]]:
    return [cells for _, cells in sheet.rows]


def test_titles_above_the_headers_are_passed_over(tmp_path: Path) -> None:
    rows = [
        ["Clients of the desk"],
        [],
        ["as of", "29 Nov"],
        ["Code", "Name", "Capital"],
        ["A1", "Asha", "5 L"],
    ]
    sheet = read_sheet(workbook(tmp_path / "a.xlsx", rows), known)
    assert (sheet.header_row, sheet.headers) == (4, ("Code", "Name", "Capital"))
    assert sheet.rows == ((5, ("A1", "Asha", "5 L")),)
    odd = read_sheet(
        workbook(tmp_path / "b.xlsx", [["Our people"], ["Kod", "Naam", "Paisa"], ["A1", "Asha", 5]])
    )
    assert odd.headers == ("Kod", "Naam", "Paisa")


def test_what_is_merged_downwards_stands_in_each_row(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:A2", "Code")
        sheet.merge_range("B1:C1", "Money")
        sheet.write_row("B2", ["Name", "Capital"])
        sheet.write_column("A3", ["A1", "A2"])
        sheet.merge_range("B3:B4", "Rao family")
        sheet.write_column("C3", [5, 6])
    read = read_sheet(path, known)
    assert read.headers == ("Code", "Name", "Capital")
    assert rows_of(read) == [("A1", "Rao family", "5"), ("A2", "Rao family", "6")]


def test_numbers_say_that_they_were_numbers_and_errors_that_they_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["code", "name", "capital"])
        sheet.write_row(1, 0, [123, "x", 550000.0000000001])
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")  # pyright: ignore[reportCallIssue, reportArgumentType]
        sheet.write_row(2, 0, ["0123", "y\nz", 1e15])
    first, second = rows_of(read_sheet(path, known))
    assert first == ("123", "#DIV/0!", "550000")
    assert isinstance(first[0], Numeral)
    assert isinstance(first[1], Unworked)
    assert second == ("0123", "y z", "1000000000000000")
    assert not isinstance(second[0], Numeral)


def test_the_first_sheet_that_can_be_seen_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        hidden, seen = book.add_worksheet(), book.add_worksheet()
        hidden.write_row(0, 0, ["code", "name"])
        hidden.write_formula(1, 0, "=1/0", None, "#DIV/0!")  # pyright: ignore[reportCallIssue, reportArgumentType]
        seen.write_row(0, 0, ["code", "name"])
        seen.write_row(1, 0, ["A1", "Asha"])
        seen.activate()
        seen.set_first_sheet()
        hidden.hide()
    assert rows_of(read_sheet(path, known)) == [("A1", "Asha")]


FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'


def test_a_cell_in_the_last_row_is_refused_before_the_reader_lays_out_all_above_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row 1048576 and column 16384"):
        read_sheet(with_cells(tmp_path / "far.xlsx", FAR))
    unnamed = "<c><v>1</v></c>" * 5
    with pytest.raises(BadInput, match="row 1048576 and column 5"):
        read_sheet(with_cells(tmp_path / "rows.xlsx", f'<row r="1048576">{unnamed}</row>'))


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", [["code"], ["A1"]])
    with_part(path, "xl/media/nothing.bin", "0" * (65 * 2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(BadInput, match="unpacks to more than 64 MB"):
        read_sheet(path)


def test_one_long_text_in_very_many_cells_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "long.xlsx", [["code"]])
    with_part(path, "xl/sharedStrings.xml", f'<sst xmlns="{MAIN}"><si><t>{"x" * 30_000}</t></si></sst>')
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 3_001))
    with_part(
        path,
        "xl/worksheets/sheet1.xml",
        f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>',
    )
    with pytest.raises(BadInput, match="texts are too long"):
        read_sheet(path)


@pytest.mark.parametrize("cut", [10, 200, 2_000])
def test_a_damaged_workbook_is_no_workbook(tmp_path: Path, cut: int) -> None:
    path = workbook(tmp_path / "a.xlsx", [["code"], ["A1"]])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BadInput, match=r"save it again as \.xlsx"):
        read_sheet(path)


@pytest.mark.parametrize("name", ["a.ods", "a.xlsb"])
def test_other_workbooks_are_to_be_saved_as_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"save it as \.xlsx"):
        read_sheet(written(tmp_path / name, "code,name\nA1,x\n"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_texts_as_spreadsheets_save_them_are_read(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "code,name\nA1,Zoë\n".replace(",", separator)
    assert rows_of(read_sheet(written(tmp_path / "a.csv", text, encoding))) == [("A1", "Zoë")]


def test_other_bytes_are_named_since_what_they_mean_would_be_guessed(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"row 2, encoding.*0xeb.*save the file as UTF-8"):
        read_sheet(written(tmp_path / "a.csv", "code,name\nA1,Zoë\n", "windows-1252"))


def test_an_open_quote_is_told_by_the_line_where_it_opens(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"row 3, line: .*close the quote that is opened here"):
        read_sheet(written(tmp_path / "a.csv", 'code,name\nA1,x\nA2,"y\nA3,z\n'))


def test_a_row_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    text = "code,name,capital\nA1,Asha,5,00,000\nA2,Bi\x00ju,1\nA3,\u202eChitra,1\nA4,Dev,1\n"
    sheet = read_sheet(written(tmp_path / "a.csv", text))
    assert rows_of(sheet) == [("A4", "Dev", "1")]
    assert [(one.row, one.field) for one in sheet.problems] == [(2, "fields"), (3, "name"), (4, "name")]
    assert "U+202E" in str(sheet.problems[2])


def test_headers_that_stand_twice_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path / "a.csv", "code,Amount,amount\nA1,1,2\n"))
    assert sheet.headers == ("code", "Amount (column 2)", "amount (column 3)")


def test_a_table_without_a_row_below_its_headers_is_none(tmp_path: Path) -> None:
    for text in ("", "\n\n", "code,name\n"):
        with pytest.raises(FileProblem, match="give a line of headers and a row below it"):
            read_sheet(written(tmp_path / "a.csv", text))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+91 98000 00003", "'+91 98000 00003"),
        ("-1,208.50", "-1,208.50"),
        ("Asha", "Asha"),
        ("-2+3", "'-2+3"),
        ("+", "'+"),
        ("\t=1+1", "'=1+1"),
    ],
)
def test_no_cell_is_a_formula_and_its_text_comes_back(text: str, safe: str) -> None:
    assert safe_text(text) == safe
    assert plain_text(safe) == text.strip()


ROWS = [["0042", "=cmd()", "-1208.50", "12"], ["A1", "+91 98", "", "1" * 20]]


def test_a_workbook_keeps_figures_as_numbers_and_all_else_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    with written_rows(path, ["code", "name", "day net", "orders"], ExportKind.XLSX) as write:
        for row in ROWS:
            write(row)
    assert path.stat().st_mode & 0o777 == 0o600
    first, second = rows_of(read_sheet(path))
    assert first == ("0042", "=cmd()", "-1208.5", "12")
    assert [isinstance(cell, Numeral) for cell in first] == [False, False, True, True]
    assert second == ("A1", "+91 98", "", "1" * 20)
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_file_of_text_has_no_formula_and_nothing_is_left_of_one_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with written_rows(path, ["code", "name", "day net", "orders"], ExportKind.CSV) as write:
        for row in ROWS:
            write(row)
    assert "'=cmd()" in path.read_text("utf-8-sig")
    with (
        pytest.raises(BadInput, match="cannot be written"),
        written_rows(tmp_path / "no" / "out.csv", ["code"], ExportKind.CSV),
    ):
        pass

    def fail(path: Path) -> None:
        with written_rows(path, ["code"], ExportKind.CSV) as write:
            write(["A1"])
            raise KeyError

    with pytest.raises(KeyError):
        fail(tmp_path / "half.csv")
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
