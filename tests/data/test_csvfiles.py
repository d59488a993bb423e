"""The strict reader: every fault of a file at once, each named by row and column."""

from pathlib import Path

import pytest

from data.csvfiles import CsvRow, FileProblem, Problem, read_rows

REQUIRED = ("code", "name")
OPTIONAL = ("capital",)


def read(tmp_path: Path, content: bytes) -> list[CsvRow]:
    path = tmp_path / "clients.csv"
    path.write_bytes(content)
    return read_rows(path, REQUIRED, OPTIONAL)


def problems(tmp_path: Path, content: bytes) -> list[Problem]:
    with pytest.raises(FileProblem) as refused:
        read(tmp_path, content)
    return list(refused.value.problems)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_are_numbered_as_an_editor_shows_them(tmp_path: Path, mark: bytes, end: bytes):
    lines = ["Code , capital,name", "AM1042, 1,Aarav Mehta", "", ",,", 'PS1015,,"Sharma, Priya ₹"']
    content = mark + end.join(line.encode() for line in lines)
    assert read(tmp_path, content) == [
        CsvRow(2, {"code": "AM1042", "capital": "1", "name": "Aarav Mehta"}),
        CsvRow(5, {"code": "PS1015", "capital": "", "name": "Sharma, Priya ₹"}),
    ]


def test_an_optional_column_may_be_missing(tmp_path: Path):
    assert read(tmp_path, b"code,name\nA,B\n")[0].values == {"code": "A", "name": "B"}


def test_all_bad_rows_are_told_at_once(tmp_path: Path):
    content = (
        "code,name,capital\nA1,Good,1\nA2,Short\n,No code,1\nA4,Bell\x07,2\nA5,Turned\u202e,3\nA6,B,1,2\n"
    )
    assert [(p.row, p.field, p.value) for p in problems(tmp_path, content.encode())] == [
        (3, "fields", "2"),
        (4, "code", ""),
        (5, "name", "Bell\x07"),
        (6, "name", "Turned\u202e"),
        (7, "fields", "4"),
    ]


def test_all_faults_of_a_header_are_told_at_once(tmp_path: Path):
    found = problems(tmp_path, b"code,code,captial\nA,B,C\n")
    assert [(p.field, p.value, p.expected) for p in found] == [
        ("column", "code", "each column may stand once"),
        ("column", "captial", "did you mean capital?"),
        ("column", "name", "this column is missing"),
    ]


def test_what_is_not_utf8_is_named_by_line_and_byte(tmp_path: Path):
    found = problems(tmp_path, b"code,name\nA,Jos\xe9\nB,Fine\nC,\xff\n")
    assert [(p.row, p.value) for p in found] == [(2, "0xe9"), (4, "0xff")]
    assert "byte 15 of the file" in found[0].expected


@pytest.mark.parametrize("content", [b"", b"\n\n", b"code,name,capital\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, content: bytes):
    assert [(p.field, p.value) for p in problems(tmp_path, content)] == [("file", "no rows")]


def test_nul_and_line_breaks_inside_a_value_are_refused(tmp_path: Path):
    found = problems(tmp_path, b'code,name\nA,"Two\nlines"\nB,Nul\x00\nC,D\n')
    assert [(p.row, p.field) for p in found] == [(2, "name"), (4, "name")]


def test_a_quote_that_never_closes_is_refused_after_the_rows_before_it(tmp_path: Path):
    found = problems(tmp_path, b'code,name\n,A\nB,"open\n')
    assert [(p.row, p.field) for p in found] == [(2, "code"), (3, "line")]


def test_the_message_lists_every_problem_under_the_files_name(tmp_path: Path):
    with pytest.raises(FileProblem) as refused:
        read(tmp_path, b"code,name\n,A\nB,\n")
    assert refused.value.value == "clients.csv"
    assert "row 2, code: '' is not valid; a value is needed" in str(refused.value)
    assert "row 3, name" in str(refused.value)


EXCEL = b"\xef\xbb\xbf"


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_a_file_as_a_spreadsheet_writes_it_is_read(tmp_path: Path, end: bytes):
    lines = ["sep=,", "Code,NAME ,Capital,,", " AM1042\u00a0,Aarav Mehta\t,1,,", ",,,,", "PS1015,Priya,,"]
    assert read(tmp_path, EXCEL + end.join(line.encode() for line in [*lines, ""])) == [
        CsvRow(3, {"code": "AM1042", "name": "Aarav Mehta", "capital": "1"}),
        CsvRow(5, {"code": "PS1015", "name": "Priya", "capital": ""}),
    ]


def test_names_of_columns_take_spaces_hyphens_and_capitals(tmp_path: Path):
    path = tmp_path / "clients.csv"
    path.write_text("Broker User-ID,Name\nZ1,Asha\n")
    assert read_rows(path, ("broker_user_id", "name"))[0].values == {"broker_user_id": "Z1", "name": "Asha"}


@pytest.mark.parametrize(("sign", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_separator_is_named_as_such(tmp_path: Path, sign: str, word: str):
    (found,) = problems(tmp_path, f"sep={sign}\ncode{sign}name{sign}capital\nA{sign}B{sign}1,5\n".encode())
    assert (found.field, found.expected) == ("separator", f"separate the columns by commas, not by {word}")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00", "Excel workbook"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        ("code,name\nA,B\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_csv_file_is_called_by_its_name(tmp_path: Path, content: bytes, what: str):
    (found,) = problems(tmp_path, content)
    assert what in found.value
    assert "CSV UTF-8" in found.expected
