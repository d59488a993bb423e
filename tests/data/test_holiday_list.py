"""An exchange's own list of holidays: its forms, and each bad row by its number."""

import json
from datetime import date
from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.reference.files.holiday_list import read_holidays, year_text
from data.reference.phases import load_calendar

NSE = """"Sr. No","Date","Day","Description"
"1","26-Jan-2027","Tuesday","Republic Day"
"2","22-Mar-2027","Monday","Holi"
"3","29-Oct-2027","Friday","Diwali Laxmi Pujan*"
"""
BSE = """Sr.No.,Holidays,Date,Day
1,Republic Day,"January 26, 2027",Tuesday
2,Holi,"March 22, 2027",Monday
"""


def listed(tmp_path: Path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_holidays(path)


def days(found) -> dict[str, str]:
    return {one.day.isoformat(): one.name for one in found.holidays}


def test_the_exchanges_own_csv_files_are_read(tmp_path):
    assert days(listed(tmp_path, "nse.csv", NSE)) == {
        "2027-01-26": "Republic Day",
        "2027-03-22": "Holi",
        "2027-10-29": "Diwali Laxmi Pujan",
    }
    assert days(listed(tmp_path, "bse.csv", BSE)) == {"2027-01-26": "Republic Day", "2027-03-22": "Holi"}


def test_the_json_of_nse_is_read_of_its_equity_segment(tmp_path):
    row = {"tradingDate": "26-Jan-2027", "weekDay": "Tuesday", "description": "Republic Day", "Sr_no": 1}
    other = {"tradingDate": "01-Apr-2027", "weekDay": "Thursday", "description": "Annual closing"}
    found = listed(tmp_path, "nse.json", json.dumps({"CM": [row], "CBM": [row, other]}))
    assert days(found) == {"2027-01-26": "Republic Day"}
    with pytest.raises(FileProblem, match="a list of holidays, or one under `CM`"):
        listed(tmp_path, "other.json", json.dumps({"FO": [row]}))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("3,soon,Monday,Holi", "row 4, date: 'soon' is not valid; write it as 26-Jan-2027"),
        ("3,31-Feb-2027,Monday,Holi", "row 4, date: '31-Feb-2027'"),
        ("3,24-Mar-2027,Monday,Holi", "row 4, weekday: 'Monday' is not valid; 24 Mar 2027 is a Wednesday"),
        ("3,22-Mar-2027,Monday,Holi again", "row 4, date: '22-Mar-2027' is not valid; row 3 has this date"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_judged(tmp_path, row, message):
    text = "Sr,Date,Day,Description\n1,26-Jan-2027,Tuesday,Republic Day\n2,22-Mar-2027,Monday,Holi\n"
    found = listed(tmp_path, "nse.csv", f"{text}{row}\n")
    assert message in str(found.problems[0])
    assert len(found.holidays) == 2


def test_a_year_as_it_is_kept_is_a_calendar_file(tmp_path):
    file = tmp_path / "2027.toml"
    holidays = {date(2027, 1, 26): 'Republic "Day"'}
    file.write_text(year_text(2027, holidays, {date(2027, 4, 1): "Annual closing"}, "NSE", "asha"))
    calendar = load_calendar(file)
    assert calendar.next_trading_day(date(2027, 1, 25)) == date(2027, 1, 27)
    assert calendar.settlement_day(date(2027, 3, 31)) == date(2027, 4, 2)
    assert [(row.file, row.author, row.what) for row in calendar.own_rows] == [
        ("2027.toml", "asha", "2027: 1 holidays")
    ]
