"""Trading days, settlement days and market phases against the exchanges' published rules."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import exchange_calendars
import pytest

from data.clock import IST
from data.errors import BadInput
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.phases import Calendar, load_calendar
from data.vocabulary import DayKind
from data.vocabulary import PhaseKind as P

CALENDAR = load_calendar()


def ist(text: str) -> datetime:
    return datetime.strptime(text, "%d %b %Y %H:%M:%S").replace(tzinfo=IST)


@pytest.mark.parametrize(
    ("at", "with_auction", "without"),
    [
        ("31 Jul 2026 15:20:00", P.CONTINUOUS, P.CONTINUOUS),
        ("4 Aug 2026 15:17:00", P.AUCTION_REFERENCE, P.CONTINUOUS),
        ("4 Aug 2026 15:22:00", P.AUCTION_ENTRY, P.CONTINUOUS),
        ("4 Aug 2026 15:27:00", P.AUCTION_LIMIT_ONLY, P.CONTINUOUS),
        ("4 Aug 2026 15:29:00", P.AUCTION_LIMIT_ONLY, P.CONTINUOUS),
        ("4 Aug 2026 15:32:00", P.AUCTION_MATCHING, P.CLOSED),
        ("4 Aug 2026 15:45:00", P.CLOSED, P.CLOSED),
        ("4 Aug 2026 15:55:00", P.POST_CLOSE, P.POST_CLOSE),
        ("4 Sep 2026 09:06:00", P.PRE_OPEN, P.PRE_OPEN),
        ("7 Sep 2026 09:06:00", P.PRE_OPEN_LIMIT_ONLY, P.PRE_OPEN_LIMIT_ONLY),
        ("8 Dec 2026 15:20:00", P.CONTINUOUS, P.CONTINUOUS),
        ("8 Dec 2026 15:30:30", P.AUCTION_REFERENCE, P.CLOSED),
        ("8 Dec 2026 15:33:00", P.AUCTION_ENTRY, P.CLOSED),
        ("24 Nov 2026 11:00:00", P.CLOSED, P.CLOSED),
        ("1 Feb 2026 11:00:00", P.CONTINUOUS, P.CONTINUOUS),
        ("26 Aug 2026 11:00:00", P.CONTINUOUS, P.CONTINUOUS),
        ("4 Jan 2027 11:00:00", P.UNKNOWN, P.UNKNOWN),
        # The edges belong to the phase that begins.
        ("31 Jul 2026 15:30:00", P.CLOSED, P.CLOSED),
        ("31 Jul 2026 15:40:00", P.POST_CLOSE, P.POST_CLOSE),
        ("4 Aug 2026 09:14:59", P.PRE_OPEN_MATCHING, P.PRE_OPEN_MATCHING),
        ("4 Aug 2026 09:15:00", P.CONTINUOUS, P.CONTINUOUS),
        ("4 Aug 2026 16:00:00", P.CLOSED, P.CLOSED),
        ("4 Aug 2026 00:00:00", P.CLOSED, P.CLOSED),
        ("21 Oct 2025 14:00:00", P.CONTINUOUS, P.CONTINUOUS),
        ("21 Oct 2025 11:00:00", P.CLOSED, P.CLOSED),
        ("31 Dec 2023 11:00:00", P.UNKNOWN, P.UNKNOWN),
    ],
)
def test_the_phase_at_a_moment(at: str, with_auction: P, without: P):
    moment = ist(at).astimezone(UTC)
    assert (CALENDAR.phase(moment, True).kind, CALENDAR.phase(moment, False).kind) == (with_auction, without)


@pytest.mark.parametrize(
    ("at", "awaited"),
    [
        ("4 Aug 2026 08:59:59", date(2026, 8, 4)),
        ("4 Aug 2026 09:00:00", None),
        ("4 Aug 2026 15:45:00", None),  # a pause of the session is part of it
        ("4 Aug 2026 15:59:59", None),
        ("4 Aug 2026 16:00:00", date(2026, 8, 5)),
        ("7 Aug 2026 18:00:00", date(2026, 8, 10)),
        ("8 Aug 2026 11:00:00", date(2026, 8, 10)),
        ("23 Nov 2026 18:00:00", date(2026, 11, 25)),  # over a holiday
    ],
)
def test_the_day_whose_session_is_awaited(at: str, awaited: date | None):
    assert CALENDAR.awaited_day(ist(at).astimezone(UTC)) == awaited


def test_past_the_end_of_the_calendar_no_day_is_guessed():
    with pytest.raises(CalendarNotLoaded):
        CALENDAR.awaited_day(ist("31 Dec 2026 18:00:00"))


@pytest.mark.parametrize(
    ("at", "ends", "following"),
    [
        ("4 Aug 2026 10:00:00", "4 Aug 2026 15:15:00", P.AUCTION_REFERENCE),
        ("4 Aug 2026 15:45:00", "4 Aug 2026 15:50:00", P.POST_CLOSE),
        ("4 Aug 2026 15:33:00", "4 Aug 2026 15:35:00", P.CLOSED),
        ("4 Aug 2026 08:00:00", "4 Aug 2026 09:00:00", P.PRE_OPEN),
        # Friday evening, the weekend, and the eve of a holiday all point at the next opening.
        ("7 Aug 2026 18:00:00", "10 Aug 2026 09:00:00", P.PRE_OPEN),
        ("8 Aug 2026 12:00:00", "10 Aug 2026 09:00:00", P.PRE_OPEN),
        ("23 Nov 2026 16:30:00", "25 Nov 2026 09:00:00", P.PRE_OPEN),
    ],
)
def test_a_phase_tells_when_it_ends_and_what_follows(at: str, ends: str, following: P):
    phase = CALENDAR.phase(ist(at), True)
    assert phase.ends_at is not None
    assert phase.ends_at.tzinfo is UTC
    assert (phase.ends_at, phase.next_kind) == (ist(ends), following)


def test_the_last_evening_of_the_calendar_knows_no_next_opening():
    phase = CALENDAR.phase(ist("31 Dec 2026 20:00:00"), False)
    assert (phase.kind, phase.ends_at, phase.next_kind) == (P.CLOSED, None, None)


@pytest.mark.parametrize(
    ("surely_open", "may_be_over", "fno"),
    [
        ("4 Aug 2026 15:27:59", "4 Aug 2026 15:28:00", True),
        ("8 Dec 2026 15:37:59", "8 Dec 2026 15:38:00", True),
        ("4 Sep 2026 09:06:59", "4 Sep 2026 09:07:00", False),
        ("7 Sep 2026 09:07:59", "7 Sep 2026 09:08:00", False),
    ],
)
def test_a_random_close_keeps_the_phase_and_marks_it(surely_open: str, may_be_over: str, fno: bool):
    before, after = CALENDAR.phase(ist(surely_open), fno), CALENDAR.phase(ist(may_be_over), fno)
    assert (before.may_close, after.may_close) == (False, True)
    assert (before.kind, before.ends_at, before.next_kind) == (after.kind, after.ends_at, after.next_kind)


def test_the_trading_days_are_those_of_an_independent_calendar_but_for_special_sessions():
    known = exchange_calendars.get_calendar("XBOM").sessions_in_range("2024-01-01", "2026-12-31")
    theirs = {session.date() for session in known}
    first = date(2024, 1, 1)
    every = [first + timedelta(n) for n in range((date(2027, 1, 1) - first).days)]
    ours = {day for day in every if CALENDAR.is_trading_day(day)}
    special = {day for day in every if CALENDAR.told(day).kind is DayKind.SPECIAL}
    assert ours - special == theirs - special
    # It has none of the muhurat and budget sessions, and of the others those of 2024 at most.
    assert ours - theirs <= special
    assert theirs <= ours


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_phases_of_every_day_follow_each_other_without_a_gap(year: int):
    for fno in (False, True):
        at = datetime(year, 1, 1, tzinfo=IST).astimezone(UTC)
        end = datetime(year, 12, 30, tzinfo=IST)
        while at < end:
            phase = CALENDAR.phase(at, fno)
            assert phase.ends_at is not None
            assert phase.ends_at > at
            assert CALENDAR.phase(phase.ends_at, fno).kind is phase.next_kind
            at = phase.ends_at


def test_a_year_has_as_many_trading_days_as_its_holidays_and_sessions_leave():
    def days(year: int) -> int:
        first = date(year, 1, 1)
        return sum(CALENDAR.is_trading_day(first + timedelta(n)) for n in range(366 if year == 2024 else 365))

    # Weekdays less holidays, plus special sessions on weekends and holidays.
    assert days(2024) == 262 - 17 + 4
    assert days(2025) == 261 - 14 + 2
    assert days(2026) == 261 - 16 + 2


def test_neighbouring_trading_days_skip_weekends_and_holidays_and_take_special_sessions():
    assert CALENDAR.next_trading_day(date(2026, 11, 23)) == date(2026, 11, 25)
    assert CALENDAR.previous_trading_day(date(2026, 11, 25)) == date(2026, 11, 23)
    assert CALENDAR.next_trading_day(date(2026, 1, 30)) == date(2026, 2, 1)
    assert CALENDAR.next_trading_day(date(2026, 4, 2)) == date(2026, 4, 6)


@pytest.mark.parametrize(
    ("traded", "settles"),
    [
        (date(2026, 8, 24), date(2026, 8, 25)),
        (date(2026, 8, 25), date(2026, 8, 27)),
        (date(2026, 8, 26), date(2026, 8, 27)),
        (date(2026, 3, 30), date(2026, 4, 2)),
        (date(2026, 1, 30), date(2026, 2, 2)),
        (date(2026, 2, 1), date(2026, 2, 2)),
        (date(2026, 11, 23), date(2026, 11, 25)),
    ],
)
def test_settlement_skips_what_trades_but_does_not_settle(traded: date, settles: date):
    assert CALENDAR.settlement_day(traded) == settles


def test_dates_beyond_the_calendar_are_refused_not_guessed():
    with pytest.raises(CalendarNotLoaded, match="2027 calendar not loaded"):
        CALENDAR.next_trading_day(date(2026, 12, 31))
    with pytest.raises(CalendarNotLoaded, match="2027 calendar not loaded"):
        CALENDAR.is_trading_day(date(2027, 1, 4))
    with pytest.raises(CalendarNotLoaded, match="2025 settlement calendar not loaded"):
        CALENDAR.settlement_day(date(2025, 6, 2))
    with pytest.raises(BadInput, match="aware"):
        CALENDAR.phase(datetime(2026, 8, 4, 10, 0), True)  # noqa: DTZ001 - the refused case


def test_a_session_opens_and_closes():
    day = date(2026, 8, 4)
    assert CALENDAR.session_open(day) == ist("4 Aug 2026 09:15:00")
    assert CALENDAR.session_close(day) == ist("4 Aug 2026 16:00:00")
    assert CALENDAR.session_open(date(2025, 10, 21)) == ist("21 Oct 2025 13:45:00")
    with pytest.raises(BadInput, match="do not trade"):
        CALENDAR.session_open(date(2026, 11, 24))


def overlaid(tmp_path: Path, text: str) -> Calendar:
    path = tmp_path / "override.toml"
    path.write_text(text, encoding="utf-8")
    return load_calendar(path)


def test_an_override_adds_a_year_a_holiday_a_session_and_a_regime(tmp_path: Path):
    calendar = overlaid(
        tmp_path,
        """
        [[year]]
        year = 2027
        source = "NSE circular"
        author = "compliance"
                holidays = { 2027-01-26 = "Republic Day" }
        settlement_holidays = {}

        [[holiday]]
        date = 2026-11-08
        name = "No muhurat"
        source = "NSE circular"
        author = "compliance"

        [[session]]
        date = 2026-11-24
        name = "Short session"
        source = "NSE circular"
        author = "compliance"
        hours = [{ kind = "continuous", start = 10:00:00, end = 11:00:00 }]

        [[regime]]
        effective_from = 2026-12-07
        effective_to = 2026-12-11
        fno = ["continuous_to_1515"]
        cash = ["continuous_to_1530"]
        source = "NSE circular"
        author = "compliance"
        """,
    )
    assert calendar.next_trading_day(date(2027, 1, 25)) == date(2027, 1, 27)
    assert calendar.settlement_day(date(2026, 12, 31)) == date(2027, 1, 1)
    assert not calendar.is_trading_day(date(2026, 11, 8))
    assert calendar.phase(ist("24 Nov 2026 10:30:00"), True).kind is P.CONTINUOUS
    assert calendar.phase(ist("24 Nov 2026 11:30:00"), True).kind is P.CLOSED
    assert calendar.phase(ist("8 Dec 2026 15:20:00"), True).kind is P.CLOSED
    assert calendar.phase(ist("14 Dec 2026 15:33:00"), True).kind is P.AUCTION_ENTRY
    assert calendar.phase(ist("4 Jan 2027 11:00:00"), False).kind is P.CONTINUOUS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[holiday]]\ndate = 2026-13-01", "must be TOML"),
        ("[[holiday]]\ndate = 2026-12-01\nname = 'x'", "override.toml: holiday.0.source"),
        ("[[holiday]]\ndate = 2026-12-01\nname = 'x'\nsource = 'y'", "say who put this row there"),
        (
            "[[holiday]]\ndate = 2026-12-01\nname = 'x'\nsource = 'y'\nauthor = 'a'\nexchanges = ['MCX']",
            "name NSE or BSE",
        ),
        ("[[holidays]]\ndate = 2026-12-01", "override.toml: holidays"),
        (
            "[[session]]\ndate = 2026-12-01\nname = 'x'\nsource = 'y'\nauthor = 'a'\n"
            "hours = [{ kind = 'continuous', start = 11:00:00, end = 10:00:00 }]",
            "times must rise",
        ),
        (
            "[[session]]\ndate = 2026-12-01\nname = 'x'\nsource = 'y'\nauthor = 'a'\n"
            "hours = [{ kind = 'continuous', start = 11:00:00, end = 12:00:00 },"
            " { kind = 'post_close', start = 11:30:00, end = 12:30:00 }]",
            "must not begin before 12:00:00",
        ),
        (
            "[[year]]\nyear = 2027\nsource = 'x'\nauthor = 'a'\nholidays = { 2026-01-26 = 'x' }",
            "only dates of 2027",
        ),
        (
            "[[regime]]\neffective_from = 2026-12-07\nfno = ['x']\ncash = []\nsource = 'y'\nauthor = 'a'",
            "name one of the parts",
        ),
    ],
)
def test_a_wrong_override_is_refused_by_name(tmp_path: Path, text: str, message: str):
    with pytest.raises(BadInput, match=message):
        overlaid(tmp_path, text)


@pytest.mark.parametrize(
    ("day", "broker", "fno", "at", "verified"),
    [
        (date(2026, 7, 31), "zerodha", True, "15:20", True),
        (date(2026, 7, 31), "zerodha", False, "15:20", True),
        (date(2026, 8, 3), "zerodha", True, "15:00", False),
        (date(2026, 8, 3), "zerodha", False, "15:20", False),
        (date(2026, 11, 18), "upstox", False, "15:12", False),
        (date(2026, 11, 18), "groww", False, "15:10", False),
        (date(2026, 12, 7), "zerodha", True, "15:00", False),
        # Of a broker that is not listed it is the earliest that any publishes, and not verified.
        (date(2026, 7, 31), "other", False, "15:10", False),
        (date(2025, 10, 21), "zerodha", False, "14:35", False),  # in a session with hours of its own
    ],
)
def test_when_a_broker_ends_intraday_buying(day, broker, fno, at, verified):
    found = CALENDAR.intraday(day, fno, broker)
    assert (f"{found.at.astimezone(IST):%H:%M}", found.verified) == (at, verified)
    assert found.source


@pytest.mark.parametrize(
    ("day", "missing"),
    [
        (date(2026, 12, 14), None),
        (date(2026, 12, 15), 2027),
        (date(2026, 12, 31), 2027),
        (date(2025, 12, 20), None),
    ],
)
def test_from_mid_december_the_next_year_is_missed(day, missing):
    assert CALENDAR.missing_year(day) == missing


def test_an_exchange_may_have_a_session_or_a_holiday_of_its_own(tmp_path: Path):
    calendar = overlaid(
        tmp_path,
        """
        [[session]]
        date = 2026-12-05
        name = "Disaster recovery, NSE alone"
        source = "NSE circular"
        author = "asha"
        exchanges = ["NSE"]
        hours = [{ kind = "continuous", start = 09:15:00, end = 10:00:00 }]

        [[holiday]]
        date = 2026-12-02
        name = "BSE alone"
        source = "BSE notice"
        author = "asha"
        exchanges = ["BSE"]
        """,
    )
    at = ist("5 Dec 2026 09:30:00")
    assert calendar.phase(at, False, "NSE").kind is P.CONTINUOUS
    assert calendar.phase(at, False, "BSE").kind is P.CLOSED
    assert calendar.is_trading_day(date(2026, 12, 2))
    closed = calendar.phase(ist("2 Dec 2026 11:00:00"), True, "BSE")
    assert (closed.kind, closed.ends_at) == (P.CLOSED, ist("3 Dec 2026 09:00:00"))
    assert calendar.phase(ist("2 Dec 2026 11:00:00"), True, "NSE").kind is P.CONTINUOUS
    assert [(row.file, row.table, row.author) for row in calendar.own_rows] == [
        ("override.toml", "holiday", "asha"),
        ("override.toml", "session", "asha"),
    ]
