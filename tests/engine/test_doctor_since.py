"""A look at what changed since a day: it finds that, says what it left out, and ends no stop."""

from datetime import date, timedelta

import pytest

from data.audit import DISTRUSTED, TRUSTED
from data.clock import IST, ManualClock
from data.errors import BadInput
from data.vocabulary import ClientStatus
from engine.review.doctor import examine
from tests.books import read_books
from tests.desks import START, paper_desk, there
from tests.further import further_rows
from tests.tampering import copy_of, tamper
from tests.tradedesk.cli_desk import Terminal
from tests.whole_home import LENT, whole_home

LONG_AGO = date(2020, 1, 1)
LATER = START + timedelta(days=7)
SINCE = LATER.astimezone(IST).date()

OLD_ATTEMPT_GONE = "DELETE FROM attempt WHERE order_id = 1"
CLIENT_CHANGED = f"UPDATE client SET phone = '+91' WHERE id = {LENT}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


def later_desk(home):
    return paper_desk(home, demo=False, clock=ManualClock(LATER))


async def changed_later(whole, home):
    """A copy of the books in which one client was changed a week after all else."""
    database = copy_of(whole, home)
    async with later_desk(home) as desk:
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
    return database


def looked(database, day):
    return {check.name: check for check in read_books(database, lambda file: examine(file, since=day))}


def bad(database, day=None):
    return {name: check.detail for name, check in looked(database, day).items() if not check.ok}


async def told(desk):
    return [row.action for row in await desk.audit.rows(limit=500) if row.action in (DISTRUSTED, TRUSTED)]


def test_a_look_at_all_days_holds_as_much_of_rows_and_audit_as_the_whole(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    every, since = looked(database, None), looked(database, LONG_AGO)
    assert [one for one in since.values() if not one.ok] == []
    assert since["proofs"].detail.partition(" ")[0] == every["proofs"].detail.partition(" ")[0]
    assert since["audit chain"].detail.split()[-1] == every["audit chain"].detail.split()[-1]


@pytest.mark.parametrize(
    ("change", "check", "words"),
    further_rows(
        [
            (CLIENT_CHANGED, "proofs", f"client {LENT} is not as row"),
            (f"DELETE FROM client WHERE id = {LENT}", "proofs", f"client {LENT} is not there"),
            (
                "UPDATE audit SET actor = 'x' WHERE seq = (SELECT max(seq) FROM audit)",
                "audit chain",
                "not follow",
            ),
            ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "audit chain", "is missing"),
            ("UPDATE counter SET next = 1 WHERE name = 'plan'", "counters", "the counter plan is at 1"),
        ],
        2,
    ),
)
async def test_what_is_wrong_with_what_changed_since_is_found(whole, tmp_path, change, check, words):
    database = await changed_later(whole, tmp_path)
    assert bad(database, SINCE) == {}
    tamper(database, change)
    assert words in bad(database, SINCE)[check]


async def test_a_transfer_that_does_not_sum_to_zero_is_found_of_its_days_only(whole, tmp_path):
    database = await changed_later(whole, tmp_path)
    tamper(database, "UPDATE posting SET amount_paise = amount_paise + 1 WHERE txn_id = 3 AND line = 1")
    assert "transfer 3 sums to 1 paise" in bad(database, START.astimezone(IST).date())["transfers"]
    assert "transfers" not in bad(database, SINCE)


async def test_what_is_older_is_not_looked_at_and_that_is_said(whole, tmp_path):
    database = await changed_later(whole, tmp_path)
    tamper(database, OLD_ATTEMPT_GONE)
    assert bad(database, SINCE) == {}
    assert "attempt 1|1 is not there" in bad(database)["proofs"]
    left_out = looked(database, SINCE)["not looked at"].detail
    assert f"what changed before {SINCE:%d %b %Y}" in left_out
    assert "balances" in left_out
    assert "not looked at" not in looked(database, None)


async def test_it_ends_no_stop_and_adds_what_it_finds(whole, tmp_path):
    database = await changed_later(whole, tmp_path)
    tamper(database, OLD_ATTEMPT_GONE)
    async with later_desk(tmp_path) as desk:
        await desk.doctor.run()
        stopped = there(desk.trading_disabled)
        assert "attempt 1|1" in stopped
        assert all(check.ok for check in await desk.doctor.run(SINCE))
        assert desk.trading_disabled == stopped
        assert await told(desk) == [DISTRUSTED]
        tamper(database, CLIENT_CHANGED)
        await desk.doctor.run(SINCE)
        old, recent = (await desk.audit.rows(limit=1, action=DISTRUSTED))[0].details["found"]
        assert "attempt 1|1" in old
        assert f"client {LENT} is not as row" in recent
        assert "attempt 1|1" in there(desk.trading_disabled)
        assert await told(desk) == [DISTRUSTED, DISTRUSTED]


async def test_it_stops_trading_that_nothing_stopped(whole, tmp_path):
    database = await changed_later(whole, tmp_path)
    async with later_desk(tmp_path) as desk:
        tamper(database, CLIENT_CHANGED)
        await desk.doctor.run(SINCE)
        assert f"client {LENT} is not as row" in there(desk.trading_disabled)
    async with later_desk(tmp_path) as desk:
        assert f"client {LENT} is not as row" in there(desk.trading_disabled)


async def test_a_day_to_come_is_refused(whole, tmp_path):
    copy_of(whole, tmp_path)
    async with later_desk(tmp_path) as desk:
        with pytest.raises(BadInput, match=f"name today, {SINCE.isoformat()}, or a day before"):
            await desk.doctor.run(SINCE + timedelta(days=1))


def test_the_command_takes_a_day_and_names_one_that_is_none(whole, tmp_path):
    copy_of(whole, tmp_path)
    terminal = Terminal(tmp_path)
    refused = terminal.run("doctor", "--since", "monday")
    assert refused.code == 2
    assert "since" in refused.err
    assert "YYYY-MM-DD" in refused.err
    document = terminal.done("doctor", "--since", LONG_AGO.isoformat())
    assert document["ok"] is True
    assert "not looked at" in {check["name"] for check in document["checks"]}
