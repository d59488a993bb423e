"""Rows from before proofs were kept: counted as not held, never called damaged, no cover for forged ones."""

import re

import pytest

from data.vocabulary import ClientStatus
from tests.desks import paper_desk
from tests.tampering import copy_of, tamper
from tests.whole_home import LENT, whole_home


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A home of a version that kept no proofs, its tables brought up to this one's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.audit_writer.watch", lambda connection: None)
        patch.setattr("data.audit_writer.anything_changed", lambda connection: False)
        return whole_home(tmp_path_factory.mktemp("earlier"))


async def proofs(desk):
    (found,) = [check for check in await desk.doctor.run() if check.name == "proofs"]
    return found.ok, found.detail


async def not_held(desk):
    ok, words = await proofs(desk)
    assert ok, words
    return int(re.search(r"(\d+) rows of earlier versions are not held", words)[1])


async def test_rows_without_a_proof_are_counted_until_they_change(earlier, tmp_path):
    copy_of(earlier, tmp_path)
    async with paper_desk(tmp_path, demo=False, kind="cli") as desk:
        assert not desk.trading_stopped
        before = await not_held(desk)
        assert before > 300
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
        assert await not_held(desk) == before - 1
        assert all(check.ok for check in await desk.doctor.run())


async def test_a_forged_row_is_no_row_of_an_earlier_version(earlier, tmp_path):
    copy_of(earlier, tmp_path)
    async with paper_desk(tmp_path, demo=False, kind="cli") as desk:
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
    tamper(
        tmp_path / "desk.db",
        "INSERT INTO hold SELECT id + 50, client_id, kind, amount_paise, reason,"
        " opened_at, released_at FROM hold WHERE id = 1",
    )
    async with paper_desk(tmp_path, demo=False, kind="cli") as desk:
        ok, words = await proofs(desk)
        assert (ok, "rows of hold have no proof" in words) == (False, True)
