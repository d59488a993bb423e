"""The calendar from the command line: a day by class, and the next year's list of an exchange."""

from pathlib import Path

from cli_desk import Terminal

LIST = """"Sr. No","Date","Day","Description"
"1","26-Jan-2027","Tuesday","Republic Day"
"2","26-Mar-2027","Friday","Good Friday"
"""


def test_a_day_is_told_with_its_phases_by_class(demo: Terminal) -> None:
    told = demo.done("calendar", "--date", "2026-12-08")
    assert (told["kind"], told["settles_on"], told["own_rows"]) == ("trading", "2026-12-09", [])
    fno = next(one for one in told["hours"] if one["exchange"] == "NSE" and one["fno"])
    assert [(one["kind"], one["start"][11:16]) for one in fno["phases"]][3:6] == [
        ("continuous", "03:45"),
        ("auction_reference", "10:00"),
        ("auction_entry", "10:01"),
    ]
    assert {(one["broker"], one["verified"]) for one in fno["intraday"]} == {
        ("groww", False),
        ("upstox", False),
        ("zerodha", False),
    }
    holiday = demo.run("calendar", "--date", "2026-11-24").out
    assert "Tue 24 Nov 2026: holiday, Guru Nanak Jayanti" in holiday
    assert "special session, Muhurat trading" in demo.run("calendar", "--date", "2026-11-08").out
    unknown = demo.run("calendar", "--date", "2027-01-04")
    assert unknown.out == ("Mon 04 Jan 2027: 2027 calendar not loaded, `tradedesk calendar import FILE`\n")
    refused = demo.run("calendar", "--date", "soon", "--json")
    assert (refused.code, refused.error["field"]) == (2, "date")


def test_a_list_is_taken_whole_or_not_at_all_and_doctor_says_whose_it_is(
    demo: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "nse-2027.csv"
    file.write_text(LIST + '"3","29-Oct-2027","Monday","Diwali"\n')
    refused = demo.run("calendar", "import", str(file), "--json")
    assert refused.code == 2
    assert "row 4, weekday: 'Monday' is not valid; 29 Oct 2027 is a Friday" in refused.err
    assert demo.done("calendar", "--date", "2027-01-26")["kind"] == "unknown"

    taken = demo.done("calendar", "import", str(file), "--valid", "--source", "NSE/CMTR/1")
    assert (taken["year"], taken["holidays"], len(taken["left"])) == (2027, 2, 1)
    told = demo.done("calendar", "--date", "2027-01-26")
    assert (told["kind"], told["name"], told["source"]) == ("holiday", "Republic Day", "NSE/CMTR/1")
    assert demo.done("calendar", "--date", "2027-01-27")["settles_on"] is None
    assert [(row["file"], row["author"]) for row in told["own_rows"]] == [("2027.toml", "tester")]

    clearing = tmp_path / "clearing.csv"
    clearing.write_text("Date,Description\n26-Jan-2027,Republic Day\n1-Apr-2027,Annual closing\n")
    taken = demo.done("calendar", "import", str(clearing), "--settlement")
    assert (taken["settlement"], taken["came"]) == (True, ["2027-04-01"])
    assert demo.done("calendar", "--date", "2027-03-31")["settles_on"] == "2027-04-02"
    assert "1 new, 0 gone" not in demo.run("calendar", "import", str(file), "--valid").out

    found = {one["name"]: one for one in demo.done("doctor")["checks"]}["calendar"]
    assert found["ok"]
    assert "2024 to 2027" in found["detail"]
    assert "by tester" in found["detail"]


def test_settlement_holidays_of_an_unknown_year_are_refused(demo: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "clearing.csv"
    file.write_text("Date,Description\n1-Apr-2028,Annual closing\n")
    refused = demo.run("calendar", "import", str(file), "--settlement", "--json")
    assert (refused.code, refused.error["field"]) == (2, "settlement")


def test_a_market_that_was_said_to_be_halted_is_told_and_opened_again(demo: Terminal) -> None:
    halted = demo.done("market", "halted", "10", "--reason", "notice")
    assert (halted["phase"], halted["halts"][0]["reason"]) == ("halted", "notice")
    assert (
        "THE MARKET IS HALTED until 10:00, pre-open to 10:15: breaker 10 %, by tester (notice)"
        in demo.run("market").out
    )
    skipped = demo.run("bulk", "buy", "TCS", "--percent", "5", "--yes", "--json")
    assert skipped.code == 3
    opened = demo.done("market", "open")
    assert (opened["phase"], opened["halts"][0]["stands"]) == ("continuous", False)
    again = demo.run("market", "open", "--json")
    assert (again.code, again.error["field"]) == (2, "market")
