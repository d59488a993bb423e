"""Books on a server are backed up to a file, which is put back as a home of its own and copied back again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.clock import ManualClock
from data.errors import BadInput
from data.home import books_file
from data.server.copying import copy_books
from data.server.saving import save_books
from data.vocabulary import SizingKind
from engine.keeping.restoring import restore_home
from tests.books import POSTGRES, SQLITE, standing_on
from tests.data.test_postgres import changed, server_of, wrong
from tests.desks import START, books_are_sound, buy, carry_out, filed_desk

pytestmark = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)

AT = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)


async def test_a_backup_is_a_home_of_its_own_and_fills_a_server_again(
    tmp_path: Path, books_engine: str
) -> None:
    home, again = tmp_path / "home", tmp_path / "again"
    async with filed_desk(home, ManualClock(START)) as desk:
        await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500))
        made = await desk.keeping.back_up(tmp_path / "to")
        before = desk.orders.all()
        told = (await desk.audit.rows(action="BACKUP_MADE"))[-1].details
    assert made.manifest.found == ()
    assert told["audit_rows"] == made.manifest.audit_rows
    with standing_on(SQLITE):
        restored = await asyncio.to_thread(restore_home, made.file, again, ManualClock(AT), "tester")
        assert restored.seen.found == ()
        async with filed_desk(again, ManualClock(START), seed=8) as desk:
            assert desk.orders.all() == before
            await carry_out(desk, buy("TCS", SizingKind.PERCENT_OF_CAPITAL, 2500))
            await books_are_sound(desk)
            traded = desk.orders.all()
    copy_books(books_file(again), server_of(again), wrong)
    async with filed_desk(again, ManualClock(START), seed=9) as desk:
        assert desk.orders.all() == traded
        await books_are_sound(desk)


async def test_what_is_not_as_the_server_has_it_is_no_backup(
    tmp_path: Path, books_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filed_desk(tmp_path / "home", ManualClock(START)):
        pass
    server, file = server_of(tmp_path / "home"), tmp_path / "saved.db"
    changed(server, "UPDATE client SET name = name || chr(233) WHERE id = 1")
    save_books(server, file)
    monkeypatch.setattr("data.server.saving.CHUNK", 7)
    monkeypatch.setattr("data.server.saving.run_many", lambda there, insert, rows: None)
    with pytest.raises(BadInput, match="what was saved is not what the server has"):
        save_books(server, tmp_path / "other.db")
