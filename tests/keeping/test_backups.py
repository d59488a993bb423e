"""Backups and what is put back from them: whole or not at all, whatever happens in the middle."""

import asyncio
import errno
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from msgspec import json

from data.clock import ManualClock
from data.errors import BadInput
from data.home import backup_lock, books_file, halt_file, paper_exchange_file, secrets_file
from data.keeping.archive import BOOKS, EXCHANGE, LIST, BackupPart, Manifest, add_list, pack, unpack
from data.keeping.backups import COPIED, TRIED, Backup, back_up
from data.keeping.restoring import READY
from data.migrating import prepare
from data.repositories.connections import connections_in
from data.vocabulary import OrderState, SizingKind
from engine.execution.views import RunCount
from engine.keeping.restoring import restore_home
from tests.desks import START, buy, carry_out, filed_desk, manual_clock
from tests.homes import unpack as unpack_home

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)

DIES = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from data.clock import ManualClock
from data.keeping.backups import back_up
from data.keeping.restoring import restore
what, one, other, point = sys.argv[1:]
def reached(passed):
    if passed == point:
        os.kill(os.getpid(), signal.SIGKILL)
at = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
if what == "back_up":
    back_up(Path(one), Path(other), at, reached=reached)
else:
    restore(Path(one), Path(other), ManualClock(at), lambda *told: None, reached)
"""


def die(what: str, one: Path, other: Path, point: str) -> None:
    words = [sys.executable, "-c", DIES, what, str(one), str(other), point]
    assert subprocess.run(words, cwd=ROOT, check=False).returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def traded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on its own paper exchange with orders done, secrets, settings and a session, closed in order."""
    home = tmp_path_factory.mktemp("traded") / "home"

    async def trade() -> None:
        async with filed_desk(home, ManualClock(START)) as desk:
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))

    asyncio.run(trade())
    secrets_file(home).write_text("sealed")
    (home / "session").write_text("token")
    (home / "config.toml").write_text('trader = "asha"\n')
    (home / "certificates").mkdir()
    (home / "certificates" / "halt-1.json").write_text("{}")
    return home


@pytest.fixture
def home(traded_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(traded_home, tmp_path / "home"))


@pytest.fixture(scope="module")
def made(traded_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    return back_up(traded_home, tmp_path_factory.mktemp("made"), AT)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def put_back(file: Path, home: Path) -> None:
    restore_home(file, home, ManualClock(AT), "tester")


async def test_what_was_traded_is_there_again_and_goes_on(made: Backup, tmp_path: Path) -> None:
    home = tmp_path / "again"
    restored = await asyncio.to_thread(restore_home, made.file, home, ManualClock(AT), "tester")
    assert restored.seen.audit_head == made.manifest.audit_head
    assert stat.S_IMODE(books_file(home).stat().st_mode) == 0o600
    assert (home / "config.toml").read_text() == 'trader = "asha"\n'
    assert (home / "certificates" / "halt-1.json").read_text() == "{}"
    assert not halt_file(home).exists(), "its own exchange came back with it"
    async with filed_desk(home, ManualClock(START), seed=8) as desk:
        assert {one.state for one in desk.orders.all()} == {OrderState.FILLED}
        assert [one for one in await desk.doctor.run() if not one.ok] == []
        told = (await desk.audit.rows(action="HOME_RESTORED"))[-1]
        assert told.details["audit_head"] == made.manifest.audit_head
        _, run = await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1))
        assert run.counts[RunCount.FILLED] > 0


def test_no_secret_and_no_session_is_in_it_unless_it_is_asked_for(
    made: Backup, home: Path, tmp_path: Path
) -> None:
    assert not made.manifest.with_secrets
    parts = {part.name for part in made.manifest.parts}
    assert parts == {"desk.db", "paper.db", "config.toml", "certificates/halt-1.json"}
    sealed = back_up(home, tmp_path / "to", AT, with_secrets=True)
    assert sealed.manifest.has("secrets.enc")
    assert not sealed.manifest.has("session")
    assert stat.S_IMODE(sealed.file.stat().st_mode) == 0o600


def test_two_of_one_second_stand_beside_each_other_and_sort(home: Path, tmp_path: Path) -> None:
    files = [back_up(home, tmp_path / "to", AT).file.name for _ in range(2)]
    assert files == ["tradedesk-20261118T100000Z.zip", "tradedesk-20261118T100000Z-2.zip"]


async def test_a_backup_made_while_orders_are_on_their_way_opens_to_the_same_end(tmp_path: Path) -> None:
    async with filed_desk(tmp_path / "home", ManualClock(START)) as desk:
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        run = await desk.runs.start(plan, plan.digest)
        made = await desk.keeping.back_up(tmp_path / "to")
        run = await desk.runs.settled(run.number, 30)
        sent = run.counts[RunCount.FILLED]
    await asyncio.to_thread(put_back, made.file, tmp_path / "again")
    async with filed_desk(tmp_path / "again", ManualClock(START), seed=8) as desk:
        for _ in range(8):
            await manual_clock(desk).advance(1)
            await desk.settle()
        assert [one for one in await desk.doctor.run() if not one.ok] == []
        assert 0 <= sum(one.state is OrderState.FILLED for one in desk.orders.all()) <= sent
        assert not any(desk.orders.external(one.id) for one in desk.clients.all())


@pytest.mark.parametrize("point", [COPIED, TRIED])
def test_killed_while_it_is_made_no_file_is_there_and_the_next_is_whole(
    home: Path, tmp_path: Path, point: str
) -> None:
    to = tmp_path / "to"
    die("back_up", home, to, point)
    assert list(to.glob("*.zip")) == []
    back_up(home, to, AT)
    assert names(to) == ["tradedesk-20261118T100000Z.zip"]


def test_killed_while_it_is_put_back_the_home_is_empty_and_the_next_is_whole(
    made: Backup, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    die("restore", made.file, again, READY)
    assert not again.exists()
    put_back(made.file, again)
    assert names(tmp_path) == ["again"]


@pytest.mark.parametrize("step", ["copy_file", "pack", "add_list"])
def test_a_full_disk_leaves_no_file_and_says_so(
    home: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"data.keeping.backups.{step}", full)
    with pytest.raises(BadInput, match="No space left on device; no backup was made"):
        back_up(home, tmp_path / "to", AT)
    assert names(tmp_path / "to") == []


def test_a_full_disk_leaves_the_home_empty(
    made: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("data.keeping.restoring.unpack", full)
    with pytest.raises(BadInput, match="No space left"):
        put_back(made.file, tmp_path / "again")
    assert names(tmp_path) == []


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    for file in (tmp_path / "nowhere.zip", tmp_path):
        with pytest.raises(BadInput, match=r"file: .* it cannot be read"):
            put_back(file, tmp_path / "again")
    assert names(tmp_path) == []


def test_only_one_backup_of_a_home_is_made_at_a_time(home: Path, tmp_path: Path) -> None:
    holds = (
        "import sys; from pathlib import Path; from data.writing.locks import HeldLock; "
        "HeldLock(Path(sys.argv[1])).take(); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(backup_lock(home))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(BadInput, match=f"process {child.pid} is making a backup"):
            back_up(home, tmp_path / "to", AT)
        child.kill()


@pytest.mark.parametrize("left", ["desk.db", "notes.txt", ".hidden"])
def test_nothing_goes_over_what_stands_in_a_home(made: Backup, tmp_path: Path, left: str) -> None:
    home = tmp_path / "again"
    home.mkdir()
    (home / left).write_text("mine")
    with pytest.raises(BadInput, match=f"it holds {left}: a backup goes into an empty home only"):
        put_back(made.file, home)
    assert names(home) == [left]
    assert (home / left).read_text() == "mine"


def test_an_empty_folder_is_filled_and_a_link_is_not_followed(made: Backup, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    put_back(made.file, tmp_path / "empty")
    assert books_file(tmp_path / "empty").exists()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="not there yet, or an empty one"):
        put_back(made.file, tmp_path / "link")


def test_no_damage_anywhere_in_the_file_reaches_a_home(made: Backup, tmp_path: Path) -> None:
    whole, rng = made.file.read_bytes(), random.Random(7)
    true = {part.name: part.sha256 for part in made.manifest.parts}
    bad = tmp_path / "bad.zip"
    places = [*rng.sample(range(len(whole)), 40), 0, len(whole) - 1, len(whole) - 12]
    damaged = [whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :] for place in places]
    damaged += [whole[: len(whole) // 2], whole[:100], b"", whole[:-1], b"no archive"]
    refused = 0
    for number, content in enumerate(damaged):
        bad.write_bytes(content)
        into = tmp_path / str(number)
        into.mkdir()
        try:
            manifest = unpack(bad, into)
        except BadInput as problem:
            refused += "it is no whole backup" in problem.expected
        else:  # a time or a right in a ZIP's own heads, which nothing here goes by
            assert {part.name: part.sha256 for part in manifest.parts} == true
        shutil.rmtree(into)
    assert refused > len(damaged) * 0.9


def packed_anew(made: Backup, to: Path, name: str, content: bytes) -> Path:
    """The same backup with one more file in it that its list names."""
    with ZipFile(made.file) as old, ZipFile(to, "w", ZIP_DEFLATED) as new:
        for one in old.namelist():
            text = old.read(one)
            if one == LIST:
                more = json.encode(BackupPart(name, len(content), "0" * 64)).decode()
                text = text.replace(b'"parts": [', b'"parts": [' + more.encode() + b",", 1)
                assert name.encode() in text
            new.writestr(one, text)
        new.writestr(name, content)
    return to


@pytest.mark.parametrize("name", ["../escaped", "/etc/escaped", "locks/app.lock", "session", "calendar/../x"])
def test_a_file_that_no_backup_has_is_never_written(made: Backup, tmp_path: Path, name: str) -> None:
    bad = packed_anew(made, tmp_path / "bad.zip", name, b"x")
    with pytest.raises(BadInput, match="it is no whole backup"):
        put_back(bad, tmp_path / "again")
    assert names(tmp_path) == ["bad.zip"]


def test_books_that_the_other_exchange_does_not_belong_to_are_no_backup(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(paper_exchange_file(home))) as file:
        file.execute("UPDATE identity SET id = 'another'")
        file.commit()
    assert connections_in(books_file(home))[0].identity
    with pytest.raises(BadInput, match="not the paper exchange of these books"):
        back_up(home, tmp_path / "to", AT)
    assert names(tmp_path / "to") == []


def test_a_damaged_file_is_told_and_no_backup_is_made(home: Path, tmp_path: Path) -> None:
    with books_file(home).open("r+b") as file:
        file.seek(40 * 4096)
        file.write(os.urandom(8 * 4096))
    with pytest.raises(BadInput):
        back_up(home, tmp_path / "to", AT)
    assert list((tmp_path / "to").glob("*.zip")) == []


def test_what_is_wrong_in_the_books_is_kept_and_told(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(books_file(home))) as file:
        file.execute("UPDATE funds SET available_paise = available_paise + 1 WHERE client_id = 1")
        file.commit()
    made = back_up(home, tmp_path / "to", AT)
    assert len(made.manifest.found) == 1
    restored = restore_home(made.file, tmp_path / "again", ManualClock(AT), "tester")
    assert restored.seen.found == made.manifest.found


def test_a_home_at_a_broker_comes_back_halted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    unpack_home("after_market", home)
    prepare(books_file(home))
    made = back_up(home, tmp_path / "to", AT)
    put_back(made.file, tmp_path / "again")
    assert "tester, restoring tradedesk-" in halt_file(tmp_path / "again").read_text()


def test_books_of_an_earlier_version_are_brought_to_this_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    unpack_home("halted", home)
    archive = tmp_path / "old.zip"
    parts = pack(archive, {BOOKS: books_file(home), EXCHANGE: paper_exchange_file(home)})
    add_list(archive, Manifest(1, AT, "home", "0009", 0, "", ("paper",), False, parts))
    restored = restore_home(archive, tmp_path / "again", ManualClock(AT), "tester")
    assert restored.seen.found == ()
    assert list((tmp_path / "again").glob("desk-before-*.db")) != []
