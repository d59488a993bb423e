"""A trader's own list of clients: which column is what is asked once, and nothing is taken by halves."""

import csv
import zipfile
from xml.sax.saxutils import escape

import pytest

from data.audit import AuditAction
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.vocabulary import ClientStatus, ImportDoes
from engine.accounts.client_columns import columns_from, guessed
from tests.desks import books_are_sound, paper_desk
from tests.further import case

OWN = (
    "Sr No,Client Name,UCC,Kite ID,Corpus,Family,Mobile No\n"
    '1,Asha Rao,AR77,DR1077,"₹ 5,00,000",Rao; HNI,9800000001\n'
    "2,Biju Nair,BN78,DR1078,2.5 L,,9800000002\n"
)
ODIN = (
    "Party Code,Party Name,Client Group,Cash Margin,Client Status\n"
    "OD1,Om Das,North,10000,A\nOD2,Ria Das,,0,I\n"
)
AUTOTRADER = "Pseudo Account,Trading Account,Stock Broker,Enabled\nAT1,XY1234,Zerodha (Kite),true\n"


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path, demo=False) as one:
        yield one
        await books_are_sound(one)


def written(tmp_path, text, name="mine.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def workbook(path, rows):
    """The smallest workbook that spreadsheets read: one sheet, numbers as numbers, texts in their cells."""

    def cell(value):
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Clients" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship '
        f'Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


async def test_what_is_not_known_by_its_name_is_asked_once_and_kept(desk, tmp_path):
    path = written(tmp_path, OWN)
    looked = await desk.importing.look(path)
    assert looked.columns == {
        "name": "Client Name",
        "code": "UCC",
        "broker_user_id": "Kite ID",
        "capital": "Corpus",
        "groups": "Family",
        "phone": "Mobile No",
    }
    assert (looked.missing, looked.lines) == (("broker",), ())
    with pytest.raises(FileProblem, match="say which column it is"):
        await desk.importing.take(path)
    assert desk.clients.all() == []
    said = columns_from(["broker==zerodha"], looked.headers)
    looked = await desk.importing.look(path, said)
    assert [(line.code, line.does) for line in looked.lines] == [
        ("AR77", ImportDoes.ADD),
        ("BN78", ImportDoes.ADD),
    ]
    assert desk.clients.all() == [], "a look takes nothing"
    report = await desk.importing.take(path, said)
    assert report.added == 2
    asha = desk.clients.find("AR77")
    assert (asha.capital_paise, asha.groups, asha.phone) == (5_00_000_00, ("HNI", "Rao"), "9800000001")
    assert desk.clients.find("BN78").capital_paise == 2_50_000_00
    again = await desk.importing.look(path)
    assert (again.known, again.missing, again.count(ImportDoes.SAME)) == ("kept", (), 2)


async def test_columns_are_kept_under_a_name_and_can_be_forgotten(desk, tmp_path):
    looked = await desk.importing.look(written(tmp_path, OWN), {"broker": "=zerodha"})
    await desk.importing.carry_out(looked, map_name="Rao's book")
    assert (await desk.importing.look(written(tmp_path, OWN))).map_name == "Rao's book"
    (kept,) = await desk.importing.maps()
    assert (kept.name, kept.columns["code"], kept.made_by) == ("Rao's book", "UCC", desk.actor)
    with pytest.raises(BadInput, match="there are Rao's book"):
        await desk.importing.forget_map("other")
    await desk.importing.forget_map("rao's BOOK")
    assert (await desk.importing.look(written(tmp_path, OWN))).known == "known by name"


async def test_refused_rows_are_left_out_only_where_that_is_said_and_the_audit_names_them(desk, tmp_path):
    path = written(tmp_path, OWN + "3,Chitra,CH79,DR1079,1e5,,\n")
    looked = await desk.importing.look(path, {"broker": "=zerodha"})
    assert (looked.count(ImportDoes.ADD), looked.count(ImportDoes.REFUSED)) == (2, 1)
    with pytest.raises(FileProblem, match="row 4, capital"):
        await desk.importing.carry_out(looked)
    assert desk.clients.all() == []
    await desk.importing.carry_out(looked, without_refused=True)
    assert [client.code for client in desk.clients.all()] == ["AR77", "BN78"]
    (row,) = await desk.audit.rows(action=AuditAction.CLIENTS_IMPORTED)
    assert row.details == {"file": "mine.csv", "added": 2, "changed": 0, "same": 0, "rows_left_out": [4]}


async def test_what_came_to_stand_since_the_look_keeps_all_of_it_back(desk, tmp_path):
    looked = await desk.importing.look(written(tmp_path, OWN), {"broker": "=zerodha"}, change_existing=False)
    await desk.importing.take(
        written(tmp_path, OWN.splitlines()[0] + "\n9,Asha,AR77,DR1,5,,\n"), {"broker": "=zerodha"}
    )
    with pytest.raises(FileProblem, match="it is on the desk already"):
        await desk.importing.carry_out(looked)
    assert [client.code for client in desk.clients.all()] == ["AR77"]


async def test_a_code_that_is_given_twice_is_taken_from_neither_row(desk, tmp_path):
    path = written(tmp_path, OWN + "3,Other,ar77,DR1079,5,,\n4,Third,TH80,DR1078,5,,\n")
    looked = await desk.importing.look(path, {"broker": "=zerodha"})
    assert looked.count(ImportDoes.ADD) == 0
    assert {(one.row, one.field) for one in looked.problems} == {
        (2, "code"),
        (4, "code"),
        (3, "broker_user_id"),
        (5, "broker_user_id"),
    }


NOT_TAKEN = [
    ("code", "AR'; DROP TABLE client; --", "give 1 to 20 letters"),
    ("code", "\u0410R77", "give 1 to 20 letters"),
    ("code", "0077", "digits alone are a client's id"),
    ("broker_user_id", "1.23E+11", "shortened this number"),
    ("name", "x" * 120_000, "give 1 to 200 characters"),
    ("name", "Asha\u202eoaR", "control character U+202E"),
    ("capital", "-5", "give zero or more rupees"),
    ("capital", "5,00", "a comma groups"),
    ("capital", "1,5 L", "give rupees with at most two decimals"),
    ("mtf_limit", "-1", "give zero or more rupees"),
    ("multiplier", "0", "above 0"),
    ("multiplier", "101", "at most 100"),
    ("groups", "x" * 31, "give 1 to 30 characters"),
    ("groups", 'a "b"', "without ; , = and quotes"),
    ("groups", "Fam\u0456ly", "U+0456 looks like another letter"),
    ("status", "maybe", "give one of active"),
    ("discretionary", "maybe", "give yes, or no"),
    ("phone", "9" * 201, "give 0 to 200 characters"),
]


async def test_what_cannot_be_taken_is_named_with_its_row_field_and_value(desk, tmp_path):
    for field, value, expected in NOT_TAKEN:
        with case(field, value, expected):
            good = {
                "code": "AR77",
                "name": "Asha",
                "broker": "zerodha",
                "broker_user_id": "DR1",
                "capital": "5",
            }
            path = tmp_path / "mine.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                sheet = csv.DictWriter(file, dict.fromkeys((*good, field)))
                sheet.writeheader()
                sheet.writerow(good | {field: value})
            looked = await desk.importing.look(path)
            (problem,) = (one for one in looked.problems if one.field == field)
            assert (problem.row, looked.count(ImportDoes.REFUSED)) == (2, 1)
            assert expected in problem.expected
            assert len(str(problem)) < 600, "a long value is not echoed whole"
            with pytest.raises(FileProblem):
                await desk.importing.carry_out(looked)


@pytest.mark.parametrize(
    "text", ["[red]Asha[/]", "=cmd|' /C calc'!A0", "+91 98000 00003", "Asha, Rao", "O'Brien"]
)
async def test_markup_formulas_and_signs_are_a_name_like_any_other_and_come_back(desk, tmp_path, text):
    looked = await desk.importing.look(
        written(
            tmp_path, f'code,name,broker,broker_user_id,capital,phone\nAR77,"{text}",zerodha,DR1,5,"{text}"\n'
        )
    )
    await desk.importing.carry_out(looked)
    one = desk.clients.find("AR77")
    assert (one.name, one.phone) == (text, text)
    out = tmp_path / "out.csv"
    desk.importing.write(out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["name"][:1] not in ("=", "+", "@")
    report = await desk.importing.take(out, change_existing=True)
    assert (report.updated, report.unchanged) == (0, 1)


@pytest.mark.parametrize(
    ("typed", "paise"),
    [
        ("5,00,000.00", 5_00_000_00),
        ("5 L", 5_00_000_00),
        ("2.5 lacs", 2_50_000_00),
        ("1.2 Cr.", 1_20_00_000_00),
        ("50k", 50_000_00),
        ("Rs. 5,00,000/-", 5_00_000_00),
        ("₹ 12", 12_00),
        ("500,000", 5_00_000_00),
    ],
)
async def test_amounts_are_read_as_people_write_them(desk, tmp_path, typed, paise):
    path = written(tmp_path, f'code,name,broker,broker_user_id,capital\nAR77,Asha,zerodha,DR1,"{typed}"\n')
    assert (await desk.importing.look(path)).rows.by_row[2].capital_paise == paise


async def test_a_workbook_that_holds_numbers_for_ids_is_asked_about(desk, tmp_path):
    rows = [["Code", "Name", "Login Id", "Capital"], ["AR77", "Asha", 1042, 5]]
    path = workbook(tmp_path / "mine.xlsx", rows)
    looked = await desk.importing.look(path, {"broker": "=groww"})
    (problem,) = looked.problems
    assert (problem.row, problem.field, problem.value) == (2, "broker_user_id", "1042")
    assert "zeros in front are lost" in problem.expected
    said = columns_from(["broker==groww", "broker_user_id=#Login Id"], looked.headers)
    looked = await desk.importing.look(path, said)
    assert looked.problems == []
    await desk.importing.carry_out(looked)
    assert desk.clients.find("AR77").broker_user_id == "1042"
    assert (await desk.importing.look(path)).problems == [], "it is asked once"


async def test_a_row_that_exists_shows_what_would_change_and_what_the_file_lacks_stays(desk, tmp_path):
    said = {"broker": "=zerodha"}
    await desk.importing.take(written(tmp_path, OWN), said)
    one = desk.clients.find("AR77")
    await desk.clients.edit(one.id, edit_of_limit())
    changed = written(tmp_path, OWN.replace("Asha Rao", "Asha R Rao").replace("5,00,000", "6,00,000"))
    looked = await desk.importing.look(changed)
    line = looked.lines[0]
    assert line.does is ImportDoes.CHANGE
    assert line.edit is not None
    assert (line.edit.name, line.edit.capital_paise, line.edit.phone) == ("Asha R Rao", 6_00_000_00, None)
    with pytest.raises(FileProblem, match="--update"):
        await desk.importing.take(changed)
    report = await desk.importing.take(changed, change_existing=True)
    assert (report.updated, report.unchanged) == (1, 1)
    now = desk.clients.find("AR77")
    assert (now.name, now.mtf_limit_paise, now.next_capital_paise) == ("Asha R Rao", 7_00, 6_00_000_00)


def edit_of_limit():
    from engine.accounts.client_edit import ClientEdit

    return ClientEdit(mtf_limit_paise=7_00)


async def test_a_code_with_another_account_is_refused_since_it_may_be_another_client(desk, tmp_path):
    await desk.importing.take(written(tmp_path, OWN), {"broker": "=zerodha"})
    other = written(tmp_path, OWN.replace("DR1077", "DR9999"))
    with pytest.raises(FileProblem, match="AR77 is DR1077 at zerodha"):
        await desk.importing.take(other, change_existing=True)


async def test_bad_rows_are_named_one_by_one_and_none_is_taken(desk, tmp_path):
    text = (
        OWN + "3,Chitra,BN78,DR1079,1e5,,\n4,,CH80,DR1080,100,,\n5,Dev,DE81,DR1077,-5,,\n6,Eli,12,DR12,1,,\n"
    )
    path = written(tmp_path, text)
    looked = await desk.importing.look(path, {"broker": "=zerodha"})
    found = {(problem.row, problem.field) for problem in looked.problems}
    assert {(4, "capital"), (5, "name"), (6, "capital"), (7, "code")} <= found
    with pytest.raises(FileProblem) as refused:
        await desk.importing.take(path, {"broker": "=zerodha"})
    assert len(refused.value.problems) >= 4
    assert desk.clients.all() == []


async def test_headers_of_other_programs_are_known(desk, tmp_path):
    odin = await desk.importing.look(written(tmp_path, ODIN))
    assert set(odin.missing) == {"broker", "capital"}
    said = {"broker": "=upstox", "capital": "=100000"}
    await desk.importing.take(written(tmp_path, ODIN), said)
    assert desk.clients.find("OD2").status is ClientStatus.INACTIVE
    assert desk.funds.of(desk.clients.find("OD1").id).available_paise == 10_000_00
    trader = await desk.importing.look(written(tmp_path, AUTOTRADER))
    assert trader.columns == {
        "code": "Pseudo Account",
        "broker_user_id": "Trading Account",
        "broker": "Stock Broker",
        "status": "Enabled",
    }
    said = {"name": "Pseudo Account", "capital": "=1"}
    await desk.importing.take(written(tmp_path, AUTOTRADER), said)
    assert desk.clients.find("AT1").broker == "zerodha"


async def test_a_workbook_is_taken_as_it_is(desk, tmp_path):
    rows = [["UCC", "Client Name", "Capital", "Mobile"], ["WB1", "Wasim", 500000, 9800000003.0]]
    path = workbook(tmp_path / "mine.xlsx", rows)
    await desk.importing.take(path, {"broker": "=zerodha"})
    one = desk.clients.find("WB1")
    assert (one.capital_paise, one.phone, one.broker_user_id) == (5_00_000_00, "9800000003", "WB1")
    with pytest.raises(BadInput, match="workbook"):
        await desk.importing.look(written(tmp_path, "no workbook", "bad.xlsx"))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
async def test_any_separator_will_do(desk, tmp_path, separator):
    text = (
        separator.join(("UCC", "Client Name", "Capital")) + "\n" + separator.join(("S1", "Sam", "5,00,000"))
    )
    await desk.importing.take(written(tmp_path, text), {"broker": "=zerodha"})
    assert desk.clients.find("S1").capital_paise == 5_00_000_00


async def test_what_is_exported_comes_back_unchanged(tmp_path):
    async with paper_desk(tmp_path) as desk:
        path = tmp_path / "out.csv"
        assert desk.importing.write(path) == len(desk.clients.all())
        assert path.stat().st_mode & 0o777 == 0o600
        report = await desk.importing.take(path, change_existing=True)
        assert (report.added, report.updated, report.unchanged) == (0, 0, len(desk.clients.all()))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["colour=Red"], "give FIELD=HEADER"),
        (["code"], "give FIELD=HEADER"),
        (["code=Nothing"], "there is no such column"),
    ],
)
def test_a_column_that_cannot_be_is_refused(words, expected):
    with pytest.raises(BadInput, match=expected):
        columns_from(words, ["UCC", "Name"])


def test_a_header_is_one_field_and_the_desks_own_names_come_first():
    assert guessed(["Client Code", "code", "name", "Client"])["code"] == "code"
    assert guessed(["UCC"]) == {"code": "UCC", "broker_user_id": "UCC"}
