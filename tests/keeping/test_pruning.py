"""What is removed of a home once it is old, and what never is."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from data.errors import BadInput
from data.home import (
    backups_folder,
    certificates_folder,
    exports_folder,
    log_file,
    recordings_folder,
    replays_folder,
)
from data.repositories.alerting.outbox import read_deliveries
from data.store import Unit
from data.tables.alerts import AlertDeliveryRecord
from data.vocabulary import DeliveryState, Prunable
from engine.desk import Desk
from engine.keeping.service import Prune
from engine.rules import Rules
from tests.desks import START, paper_desk
from tradedesk.testing import seam

OLD, YOUNG = START - timedelta(days=100), START - timedelta(days=1)


def laid(file: Path, at: datetime) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x" * 10)
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


async def deliver(desk: Desk, *rows: tuple[DeliveryState, datetime]) -> None:
    def unit_of_work(unit: Unit) -> None:
        cells = [
            {"number": number, "alert": 1, "channel": "phone", "state": state.value, "at": at, "next_at": at}
            for number, (state, at) in zip(unit.take_ids("alert_delivery", len(rows)), rows, strict=True)
        ]
        unit.insert(AlertDeliveryRecord, cells)

    await seam(desk).kept.store.write(unit_of_work)


def names(found: Prune) -> list[str]:
    return [one.path.name for one in found.files]


async def test_old_files_are_shown_first_and_then_removed_and_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with paper_desk(home) as desk:
        gone = [
            laid(exports_folder(home) / "2026-08-01" / "orders.csv", OLD),
            laid(log_file(home).with_name("tradedesk.log.2"), OLD),
            laid(recordings_folder(home) / "2026-08-01.prices", OLD),
            laid(home / "desk-before-0032-20260801T000000Z.db", OLD),
        ]
        stays = [
            laid(exports_folder(home) / "2026-11-17" / "orders.csv", YOUNG),
            laid(certificates_folder(home) / "halt-1.json", OLD),
            laid(home / "equity.jsonl", OLD),
            laid(log_file(home), OLD),
        ]
        await deliver(
            desk,
            (DeliveryState.SENT, OLD),
            (DeliveryState.FAILED, OLD),
            (DeliveryState.QUEUED, OLD),
            (DeliveryState.SENT, YOUNG),
        )
        old = await desk.keeping.find_old(30)
        assert sorted(names(old)) == sorted(one.name for one in gone)
        assert (old.deliveries, old.bytes) == (2, 40)
        assert all(one.exists() for one in gone), "a look removes nothing"
        made = await desk.keeping.remove(old)
        assert (len(made.files), made.deliveries) == (4, 2)
        assert not any(one.exists() for one in gone)
        assert not gone[0].parent.exists()
        assert all(one.exists() for one in stays)
        async with seam(desk).kept.store.reader() as reader:
            assert {one.number for one in await read_deliveries(reader)} == {3, 4}
        told = (await desk.audit.rows(action="HOME_PRUNED"))[-1]
        assert told.details["removed"] == {
            "exports": 1,
            "backups": 0,
            "copies": 1,
            "recordings": 1,
            "replays": 0,
            "logs": 1,
            "deliveries": 2,
        }
        assert not await desk.keeping.find_old(30)
        assert [one for one in await desk.doctor.run() if not one.ok] == []


async def test_the_three_newest_backups_stay_and_others_files_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with paper_desk(home, demo=False) as desk:
        for day in range(1, 6):
            laid(backups_folder(home) / f"tradedesk-2026080{day}T100000Z.zip", OLD)
        laid(backups_folder(home) / "mine.zip", OLD)
        old = await desk.keeping.find_old(30, [Prunable.BACKUPS])
        assert names(old) == ["tradedesk-20260801T100000Z.zip", "tradedesk-20260802T100000Z.zip"]


async def test_each_kind_is_kept_as_long_as_the_settings_say(tmp_path: Path) -> None:
    home = tmp_path / "home"
    rules = Rules(keep_days={Prunable.LOGS: 50, Prunable.EXPORTS: 0})
    async with paper_desk(home, demo=False, rules=rules) as desk:
        laid(exports_folder(home) / "orders.csv", OLD)
        laid(log_file(home).with_name("tradedesk.log.1"), OLD)
        old = await desk.keeping.find_old()
        assert names(old) == ["tradedesk.log.1"]
        assert set(old.before) == {Prunable.LOGS}


async def test_a_replays_home_goes_whole_and_one_that_is_still_written_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with paper_desk(home, demo=False) as desk:
        done, plays = replays_folder(home) / "2026-08-01", replays_folder(home) / "2026-08-02"
        for file in (done / "desk.db", done / "logs" / "tradedesk.log", plays / "paper.db"):
            laid(file, OLD)
        laid(plays / "desk.db", YOUNG)
        old = await desk.keeping.find_old(30, [Prunable.REPLAYS])
        assert sorted(names(old)) == ["desk.db", "tradedesk.log"]
        assert len((await desk.keeping.remove(old)).files) == 2
        assert [one.name for one in replays_folder(home).iterdir()] == [plays.name]
        assert (plays / "paper.db").exists()


async def test_what_has_changed_since_it_was_shown_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with paper_desk(home, demo=False) as desk:
        file = laid(exports_folder(home) / "orders.csv", OLD)
        old = await desk.keeping.find_old(30)
        laid(file, YOUNG)
        assert (await desk.keeping.remove(old)).files == ()
        assert file.exists()


async def test_a_link_among_the_exports_leads_nowhere(tmp_path: Path) -> None:
    home, mine = tmp_path / "home", laid(tmp_path / "mine" / "book.txt", OLD)
    async with paper_desk(home, demo=False) as desk:
        exports_folder(home).mkdir()
        (exports_folder(home) / "link").symlink_to(mine.parent)
        (exports_folder(home) / "file").symlink_to(mine)
        assert not await desk.keeping.find_old(30)
        with pytest.raises(BadInput, match="give 1 to 36,500 days"):
            await desk.keeping.find_old(0)
