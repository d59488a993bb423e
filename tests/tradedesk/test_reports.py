"""A day's files: what others read in them, that they add up, and that there are all of them or none."""

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook  # pyright: ignore[reportMissingModuleSource]
from pypdf import PdfReader

import data.writing.whole_folder as whole_folder
from data.errors import BadInput
from data.money import amount_words
from data.records import replace
from data.vocabulary import Side, SizingKind
from data.writing.whole_folder import put_folder_whole
from engine.close.views import DayReport
from tests.desks import buy, carry_out, paper_desk, sell
from tests.engine import test_close
from tests.tradedesk import sample_day
from tests.tradedesk.sample_day import ACCOUNTS, CLIENTS, GOLDENS, HEAD, REPORT, files, pdf_lines
from tradedesk.reports.day_folder import day_folder, statements_of, write_day
from tradedesk.reports.document import CellKind, PrintedColumn, PrintedTable, Report
from tradedesk.reports.letterhead import Letterhead, letterhead_of
from tradedesk.reports.one_file import write_one
from tradedesk.reports.pdf import pdf_of
from tradedesk.reports.statements import client_statement, desk_report
from tradedesk.reports.tables import NOT_BOOKED
from tradedesk.reports.workbook import workbook_of

AARAV, ONEIL = CLIENTS


def test_each_file_is_read_by_others_as_it_was_written_down():
    golden = json.loads(GOLDENS.read_text(encoding="utf-8"))
    assert sample_day.as_texts(files()) == golden, "`python -m tests.tradedesk.sample_day` writes it anew"


def test_the_same_day_is_the_same_bytes():
    assert files() == files()


def _figure(lines: list[str], label: str) -> int:
    """The paise that stand behind a label."""
    (found,) = {line for line in lines if re.fullmatch(rf"{re.escape(label)} (₹ )?-?[\d,]+\.\d\d", line)}
    return int(re.sub(r"[^\d-]", "", found.removeprefix(label)))


@pytest.mark.parametrize("one", CLIENTS, ids=lambda one: one.code)
def test_a_statement_goes_from_opening_to_closing(one):
    lines = pdf_lines(pdf_of(client_statement(REPORT, one, ACCOUNTS[one.client_id]), HEAD, None))
    labels = ("Opening value", "Paid in and out", "Gross profit or loss on shares", "Dividends", "Charges")
    told = [_figure(lines, label) for label in (*labels, "Interest on margin trading")]
    assert sum(told) == _figure(lines, "Closing value") == one.portfolio_value_paise
    held = _figure(lines, "Cash") + _figure(lines, "Shares") + _figure(lines, "Loans")
    assert held == one.portfolio_value_paise
    kinds = ("Brokerage", "STT", "Exchange", "SEBI", "Stamp duty", "GST", "DP", "Other")
    assert sum(_figure(lines, kind) for kind in kinds) == _figure(lines, "All charges") == one.charges_paise
    assert any(f"day's hash {REPORT.seal}" in line for line in lines)
    (closing,) = (line for line in lines if line.startswith("Closing ") and "value" not in line)
    assert closing.endswith(f"{amount_words(one.cash_paise)} {amount_words(one.loans_paise)}")


def test_clients_add_up_to_the_desk_in_every_file():
    found = files()
    lines = pdf_lines(found["2026-11-18-desk.pdf"])
    for label, field in (
        ("Opening value of all portfolios", "opening_paise"),
        ("Closing value of all portfolios", "portfolio_value_paise"),
        ("Net profit or loss of the day", "todays_pnl_paise"),
    ):
        assert _figure(lines, label) == sum(getattr(one, field) for one in CLIENTS)
    rows = list(csv.DictReader(StringIO(found["2026-11-18-clients.csv"].decode("utf-8-sig"))))
    book = load_workbook(BytesIO(found["2026-11-18-desk.xlsx"]))
    sheet = [[cell.value for cell in row] for row in book["Clients"].iter_rows()]
    names = [str(cell).removesuffix(" (₹)") for cell in sheet[0]]
    told = json.loads(found["2026-11-18-desk.json"])
    for heading, field in (("Opening", "opening_paise"), ("Closing", "portfolio_value_paise")):
        paise = sum(getattr(one, field) for one in CLIENTS)
        assert sum(int(row[heading].replace(".", "")) for row in rows) == paise
        place = names.index(heading)
        figures = [round(float(str(row[place])) * 100) for row in sheet[1:]]
        assert figures[-1] == sum(figures[:-1]) == paise  # the total stands below
        assert sum(one[field] for one in told["clients"]) == paise


def test_a_workbook_has_charts_and_figures_in_indian_groups():
    book = load_workbook(BytesIO(files()["2026-11-18-desk.xlsx"]))
    with ZipFile(BytesIO(files()["2026-11-18-desk.xlsx"])) as parts:
        assert sum(name.startswith("xl/charts/chart") for name in parts.namelist()) == 2
    opening = book["Clients"]["C2"]
    assert (opening.value, opening.number_format) == (1_23_45_678.90, "##\\,##\\,##\\,##0.00")
    assert book["Clients"].freeze_panes == "A2"
    assert book["Clients"]["A3"].value == "'=SUM(A1)"


def test_a_workbook_groups_figures_of_every_length():
    formats = {
        99_999: "#,##0.00",
        1_23_456: "##\\,##\\,##0.00",
        12_34_567: "##\\,##\\,##0.00",
        1_23_45_678: "##\\,##\\,##\\,##0.00",
        12_34_56_789: "##\\,##\\,##\\,##0.00",
        -1_23_45_67_890: "##\\,##\\,##\\,##\\,##0.00",
    }
    many = replace(REPORT, clients=tuple(replace(AARAV, opening_paise=one * 100) for one in formats))
    book = load_workbook(BytesIO(workbook_of(desk_report(many, ACCOUNTS, whole=True), HEAD)))
    cells = [book["Clients"][f"C{row}"] for row in range(2, 2 + len(formats))]
    assert {cell.value: cell.number_format for cell in cells} == formats


def test_the_day_of_each_brokers_clients_is_summed_where_there_are_several():
    others = tuple(replace(AARAV, broker=broker, flows_paise=7) for broker in ("upstox", "groww", "upstox"))
    made = desk_report(replace(REPORT, clients=others), ACCOUNTS, whole=True)
    table = {one.name: one for one in made.parts if isinstance(one, PrintedTable)}["Brokers"]
    assert [row[:4] for row in table.rows] == [
        ("groww", 1, AARAV.opening_paise, 7),
        ("upstox", 2, 2 * AARAV.opening_paise, 14),
    ]
    assert table.total is not None
    assert table.total[:4] == ("Total", 3, 3 * AARAV.opening_paise, 21)
    assert "2026-11-18-brokers.csv" not in files()


def test_a_long_table_repeats_its_headings_and_keeps_its_total():
    rows = tuple((f"row {number}", number * 100) for number in range(300))
    table = PrintedTable(
        "Long",
        "Long",
        (PrintedColumn("What"), PrintedColumn("Paid", CellKind.MONEY)),
        rows,
        ("Total", 44_850_00),
    )
    raw = pdf_of(Report("A report", "of rows", (), (table,)), HEAD, None)
    pages = [page.extract_text().splitlines() for page in PdfReader(BytesIO(raw)).pages]
    assert len(pages) > 4
    assert all("What Paid" in page for page in pages)
    feet = [line for page in pages for line in page if " of " in line and "page" in line]
    assert feet == [f"{HEAD.footer} page {number} of {len(pages)}" for number in range(1, len(pages) + 1)]
    last = pages[-1]
    assert last[last.index("Total 44,850.00") - 1] == "row 299 299.00"
    assert [line for page in pages for line in page if line.startswith("row ")] == [
        f"row {number} {number}.00" for number in range(300)
    ]


def test_the_widest_figures_stay_on_the_page():
    crores = replace(AARAV, opening_paise=9_99_99_99_99_999_99, portfolio_value_paise=-9_99_99_99_99_999_99)
    big = replace(REPORT, clients=(crores, *CLIENTS))
    (page,) = PdfReader(BytesIO(pdf_of(desk_report(big, ACCOUNTS, whole=False), HEAD, None))).pages
    places: list[float] = []
    page.extract_text(
        visitor_text=lambda text, _cm, tm, _font, size: places.append(tm[4]) if text.strip() else None
    )
    assert min(places) >= 42
    assert max(places) < 595 - 42
    assert "-9,99,99,99,99,999.99" in page.extract_text()


def test_figures_of_an_open_day_are_called_provisional_on_every_page():
    open_day = replace(REPORT, rev=0, seal="")
    raw = pdf_of(client_statement(open_day, AARAV, ACCOUNTS[1]), HEAD, None)
    for page in PdfReader(BytesIO(raw)).pages:
        assert "PROVISIONAL" in page.extract_text()


def test_codes_that_differ_only_in_signs_have_files_of_their_own():
    twins = (replace(AARAV, code="A/1"), replace(ONEIL, code="a:1"))
    names = [name for name, _ in statements_of(replace(REPORT, clients=twins), ACCOUNTS)]
    assert names == ["A_1", "a_1-2"]


@pytest.mark.proof
def test_what_writes_files_is_not_loaded_before_one_is_written():
    code = (
        "import sys, tradedesk.compose.foundation, tradedesk.cli.main\n"
        "print(sorted({'reportlab', 'PIL', 'xlsxwriter'} & {name.split('.')[0] for name in sys.modules}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout == "[]\n"


# --- the folder ---------------------------------------------------------------------------------------------


def _there(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def test_a_day_is_a_folder_whose_hashes_stand_in_it(tmp_path):
    folder, written = write_day(tmp_path, REPORT, ACCOUNTS)
    assert folder == tmp_path / "exports" / "days" / "2026-11-18"
    assert _there(folder) == sorted(("SHA256SUMS", *(one.name for one in written)))
    told = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in told}
    assert sums == {one.name: one.sha256 for one in written}
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    again, same = write_day(tmp_path, REPORT, ACCOUNTS)
    assert (again, same) == (folder, written)


def test_what_only_somebodys_clients_are_in_is_named_after_them_and_lies_beside_the_desks(tmp_path):
    whole, _ = write_day(tmp_path, REPORT, ACCOUNTS)
    folder, written = write_day(tmp_path, REPORT, ACCOUNTS, "ravi k.")
    assert (whole.name, folder.name) == ("2026-11-18", "2026-11-18-ravi_k_")
    assert {"2026-11-18-ravi_k_.pdf", "2026-11-18-ravi_k_.xlsx"} <= {one.name for one in written}
    assert (whole / "2026-11-18-desk.pdf").exists()
    assert write_one(tmp_path, REPORT, ACCOUNTS, None, None, "ravi").name == "2026-11-18-ravi.pdf"
    made = desk_report(REPORT, ACCOUNTS, whole=False, whose="ravi")
    assert made.subject == "18 Nov 2026, the clients of ravi"


def test_a_later_revision_stands_beside_the_first(tmp_path):
    days = [day_folder(tmp_path, replace(REPORT, rev=rev)).name for rev in (0, 1, 2)]
    assert days == ["2026-11-18-provisional", "2026-11-18", "2026-11-18-rev2"]


@pytest.mark.parametrize("at", [1, 3, 9])
def test_a_full_disk_leaves_no_folder_and_no_file(tmp_path, monkeypatch, at):
    left = at
    sync = os.fsync

    def full(handle: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(whole_folder.os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        write_day(tmp_path, REPORT, ACCOUNTS)
    assert _there(tmp_path) == []
    monkeypatch.undo()
    write_day(tmp_path, REPORT, ACCOUNTS)
    assert len(_there(tmp_path)) == 12


@pytest.mark.parametrize("stood", [False, True])
def test_a_kill_in_the_middle_leaves_the_folder_of_before(tmp_path, stood):
    folder = tmp_path / "days" / "2026-11-18"
    if stood:
        put_folder_whole(folder, [("a.txt", b"before")])

    def killed() -> Iterator[tuple[str, bytes]]:
        yield "a.txt", b"after"
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        put_folder_whole(folder, killed())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert folder.exists() == stood
    assert not stood or (folder / "a.txt").read_bytes() == b"before"
    put_folder_whole(folder, [("a.txt", b"after")])
    assert _there(tmp_path) == ["days/2026-11-18/SHA256SUMS", "days/2026-11-18/a.txt"]
    assert (folder / "a.txt").read_bytes() == b"after"


def test_a_kill_between_the_two_names_gives_the_folder_of_before_back(tmp_path):
    folder = tmp_path / "2026-11-18"
    put_folder_whole(folder, [("a.txt", b"before")])
    folder.rename(tmp_path / ".2026-11-18.before")
    (tmp_path / ".2026-11-18.part-abc").mkdir()

    def fails() -> Iterator[tuple[str, bytes]]:
        assert (folder / "a.txt").read_bytes() == b"before"
        raise OSError(errno.EIO, "Input/output error")
        yield "", b""

    with pytest.raises(OSError, match="Input"):
        put_folder_whole(folder, fails())
    assert _there(tmp_path) == ["2026-11-18/SHA256SUMS", "2026-11-18/a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["2026-11-18"]


def test_a_day_that_is_written_lets_alone_what_is_left_of_its_revisions(tmp_path):
    later, left = tmp_path / "2026-11-18-rev2", tmp_path / ".2026-11-18-rev2.before"
    put_folder_whole(later, [("a.txt", b"kept")])
    later.rename(left)  # as a kill between the two names leaves it
    put_folder_whole(tmp_path / "2026-11-18", [("a.txt", b"first")])
    assert (left / "a.txt").read_bytes() == b"kept"


# --- the letterhead -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('colour = "#ffffff"', "letterhead.toml: colour: '#ffffff' is not valid; give a darker colour"),
        ('colour = "blue"', "give a colour as #rrggbb"),
        ('nam = "x"', "did you mean name"),
        ('name = ""', "letterhead.toml: name"),
        ("name = ", "write it as TOML"),
        ('logo = "../secret.png"', "give the name of a file beside it"),
        ('logo = "none.png"', "it cannot be read"),
        ('logo = "letterhead.toml"', "give a PNG or JPEG"),
    ],
)
def test_a_letterhead_that_cannot_be_used_says_which_field_is_wrong(tmp_path, text, words):
    (tmp_path / "letterhead.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(words)):
        letterhead_of(tmp_path)


def test_a_letterhead_is_on_every_page(tmp_path):
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0))
    picture += chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00\x00\xff\x00")) + chunk(b"IEND", b"")
    (tmp_path / "logo.png").write_bytes(picture)
    text = 'name = "Rao Wealth"\nlines = ["Pune"]\nlogo = "logo.png"\nfooter = "INP1"\n'
    (tmp_path / "letterhead.toml").write_text(text, encoding="utf-8")
    head, logo = letterhead_of(tmp_path)
    assert (head, logo) == (
        Letterhead(name="Rao Wealth", lines=("Pune",), logo="logo.png", footer="INP1"),
        picture,
    )
    raw = pdf_of(client_statement(REPORT, AARAV, ACCOUNTS[1]), head, logo)
    pages = PdfReader(BytesIO(raw)).pages
    assert len(pages[0].images) == 1
    assert all("Rao Wealth" in page.extract_text() and "INP1" in page.extract_text() for page in pages)


# --- a desk's own day ---------------------------------------------------------------------------------------


async def test_the_statements_of_a_desk_agree_with_its_report(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        priya = desk.clients.find("PS1015").id
        await carry_out(desk, buy("TCS", SizingKind.PERCENT_OF_CAPITAL, 500))
        await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 3, priya))
        report: DayReport = await desk.close.preview()
        accounts = await desk.statements.of_day([one.client_id for one in report.clients], report.day)
        for one in report.clients:
            account = accounts[one.client_id]
            lines = pdf_lines(pdf_of(client_statement(report, one, account), HEAD, None))
            assert _figure(lines, "Closing value") == one.portfolio_value_paise
            booked = account.lines()[-1].balance_paise if account.moves else account.cash_before_paise
            assert booked == one.cash_paise - (one.charges_booked_paise - one.charges.total_paise)
            assert len(account.trades) == one.trades
            turnover = sum(trade.quantity * trade.price_paise for trade in account.trades)
            assert turnover == one.turnover_paise
        sides = [trade.side for trade in accounts[priya].trades]
        assert sides == [Side.BUY, Side.SELL]
        before = await desk.statements.of_day([priya], date(2026, 11, 17))
        assert (before[priya].trades, before[priya].moves) == ((), ())


async def test_a_close_writes_its_folder_and_the_audit_keeps_the_hashes(tmp_path):
    async with test_close.traded(tmp_path) as desk:
        await test_close.closed(desk)
        report = await desk.close.report(test_close.DAY)
        folder, day = Path(report.folder), report.day.isoformat()
        assert folder == tmp_path / "exports" / "days" / day
        (row,) = await desk.audit.rows(action="DAY_EXPORTED")
        told = row.details["files"]
        assert {name: sha256((folder / name).read_bytes()).hexdigest() for name in told} == told
        assert len(list((folder / "statements").iterdir())) == len(report.clients)
        one = max(report.clients, key=lambda each: each.trades)
        lines = pdf_lines((folder / "statements" / f"{day}-{one.code}.pdf").read_bytes())
        assert _figure(lines, "Closing value") == one.portfolio_value_paise
        assert any(f"day's hash {report.seal}" in line for line in lines)
        assert not any("PROVISIONAL" in line or NOT_BOOKED in line for line in lines)
        accounts = await desk.statements.of_day([each.client_id for each in report.clients], report.day)
        again = {file.name: file.sha256 for file in write_day(tmp_path / "again", report, accounts)[1]}
        assert {name for name in told if again[name] != told[name]} <= {f"{day}-desk.json"}
