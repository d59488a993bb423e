"""Rows from before proofs were kept: counted as not held, never called damaged, no cover for forged ones."""

import re
import sqlite3
from contextlib import closing

import pytest

from data.vocabulary import ClientStatus, DeskKind
from engine.review.doctor import examine
from tests.books import read_books
from tests.desks import paper_desk, there
from tests.further import further
from tests.tampering import copy_of, tamper
from tests.whole_home import LENT, whole_home

pytestmark = pytest.mark.in_file  # of books that an earlier version wrote, which is always a file


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A home of a version that kept no proofs, its tables brought up to this one's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.proving.noted.NotedByPlace.watch", lambda noted, connection: None)
        patch.setattr("data.writing.audit_writer.AuditWriter.differing", lambda *asked: [])
        database = whole_home(tmp_path_factory.mktemp("earlier"))
    tamper(database, "DELETE FROM proof_layout")
    return database


async def proofs(desk):
    (found,) = [check for check in await desk.doctor.run() if check.name == "proofs"]
    return found.ok, found.detail


async def not_held(desk):
    ok, words = await proofs(desk)
    assert ok, words
    return int(there(re.search(r"(\d+) rows of earlier versions are not held", words))[1])


async def test_rows_without_a_proof_are_counted_until_they_change(earlier, tmp_path):
    copy_of(earlier, tmp_path)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert not desk.trading_disabled
        before = await not_held(desk)
        assert before > 300
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
        assert await not_held(desk) == before - 1
        assert all(check.ok for check in await desk.doctor.run())


async def test_a_forged_row_is_no_row_of_an_earlier_version(earlier, tmp_path):
    copy_of(earlier, tmp_path)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
    tamper(
        tmp_path / "desk.db",
        "INSERT INTO hold SELECT id + 50, client_id, kind, amount_paise, reason,"
        " opened_at, released_at FROM hold WHERE id = 1",
    )
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        ok, words = await proofs(desk)
        assert (ok, "rows of hold have no proof" in words) == (False, True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    "layout",
    further(["'{}'", "'[]'", "'{'", "x'ff'", "json_remove(layout, '$.proof_layout', '$.client')"], 2),
)
async def test_no_layout_leaves_itself_out_of_the_proofs(whole, tmp_path, layout):
    tamper(
        copy_of(whole, tmp_path),
        f"UPDATE proof_layout SET layout = {layout}",
        "UPDATE client SET name = 'X' WHERE id = 8",
    )
    for _ in range(2):  # a layout written down after it hides nothing
        async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
            ok, words = await proofs(desk)
            assert (ok, "proof_layout 1 is not as row" in words) == (False, True), words
            assert not (await desk.audit.verify()).ok
            await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")


async def test_a_layout_that_is_gone_is_told_before_and_after_another_takes_its_number(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    tamper(database, "DELETE FROM proof_layout")
    (bad,) = [check for check in read_books(database, examine) if not check.ok]
    assert "proof_layout 1 is not there" in bad.detail
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
        ok, words = await proofs(desk)
        assert (ok, "proof_layout 1 is not as row" in words) == (False, True), words


async def test_a_layout_put_back_leaves_no_room_for_forged_rows(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        (good,) = connection.execute("SELECT layout FROM proof_layout").fetchone()
    tamper(database, "UPDATE proof_layout SET layout = '{}'")
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
    tamper(
        database,
        ("UPDATE proof_layout SET layout = ? WHERE number = 1", (good,)),
        "INSERT INTO client_group (client_id, name) VALUES (8, 'forged')",
    )
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        ok, words = await proofs(desk)
        assert (ok, "1 rows of client_group have no proof, 0 were there" in words) == (False, True), words


async def test_a_layout_that_no_row_of_the_audit_carries_is_told(earlier, tmp_path):
    database = copy_of(earlier, tmp_path)
    tamper(
        database,
        "INSERT INTO proof_layout (number, at, layout, not_held)"
        " VALUES (1, '2026-11-18 03:45:00.000000', '{}', '{}')",
    )
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        ok, words = await proofs(desk)
        assert (ok, "1 rows of proof_layout have no proof" in words) == (False, True), words
