"""Secrets as sealed rows of a server: shared by desks, opened by their key alone, mixed up by nobody."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.clock import ManualClock
from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.server.secret_rows import SecretRows, WrappingKey, make_key, read_key
from tests.books import POSTGRES, database_of, database_url
from tests.desks import START, filed_desk
from tests.server.test_grants import done
from tradedesk.compose.settings import Settings
from tradedesk.compose.vaults import vault_at, vault_standing

pytestmark = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)

TOKEN = "kite/token/AB1234"


@pytest.fixture
def books(tmp_path: Path, books_engine: str) -> PostgresBooks:
    found = database_of(tmp_path)
    assert isinstance(found, PostgresBooks)
    return found


def key() -> WrappingKey:
    return WrappingKey(bytes(range(32)))


def stored(books: PostgresBooks) -> list[tuple[Any, ...]]:
    return books.read(lambda reader: fetch(reader, "SELECT name, version, sealed FROM secret ORDER BY name"))


def test_what_one_desk_keeps_another_reads_and_nobody_without_the_key(books: PostgresBooks) -> None:
    here, there = SecretRows(books, key()), SecretRows(books, key())
    assert there.get(TOKEN) is None
    here.put(TOKEN, "first")
    assert there.get(TOKEN) == "first"
    there.put(TOKEN, "second ₹")
    assert here.get(TOKEN) == "second ₹"
    ((name, version, sealed),) = stored(books)
    assert (name, version) == (TOKEN, 2)
    assert "second" not in sealed
    with pytest.raises(BadInput, match="it was sealed by key"):
        SecretRows(books, WrappingKey(bytes(32))).get(TOKEN)
    here.delete(TOKEN)
    here.delete(TOKEN)
    assert (there.get(TOKEN), stored(books)) == (None, [])
    for one in (here, there):
        one.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'b')", "not as it was written"),
        ("UPDATE secret SET version = version + 1", "not as it was written"),
        ("UPDATE secret SET sealed = 'AAAA'", "not as it was written"),
        ("UPDATE secret SET sealed = '?'", "not as it was written"),
        ("UPDATE secret SET key_id = 'another'", "it was sealed by key another"),
    ],
)
def test_a_row_that_somebody_moved_or_changed_does_not_open(
    books: PostgresBooks, change: str, words: str
) -> None:
    rows = SecretRows(books, key())
    rows.put("a", "of a")
    rows.put("b", "of b")
    done(books.url, f"{change}{' AND' if 'WHERE' in change[:20] else ' WHERE'} name = 'a'")
    with pytest.raises(BadInput, match=words):
        rows.get("a")
    assert rows.get("b") == "of b"
    assert rows.unreadable() == (2, ["a"])
    rows.put("a", "again")
    assert rows.get("a") == "again"
    rows.close()


def test_an_older_row_put_back_whole_is_refused_by_who_has_seen_a_later_one(books: PostgresBooks) -> None:
    rows = SecretRows(books, key())
    rows.put(TOKEN, "first")
    ((_, version, sealed),) = stored(books)
    rows.put(TOKEN, "second")
    done(books.url, f"UPDATE secret SET version = {version}, sealed = '{sealed}'")
    with pytest.raises(BadInput, match="an older one was put in its place"):
        rows.get(TOKEN)
    rows.put(TOKEN, "third")
    assert rows.get(TOKEN) == "third"
    rows.close()


def test_secrets_kept_at_the_same_moment_are_all_kept_one_after_another(books: PostgresBooks) -> None:
    vaults = [SecretRows(books, key()) for _ in range(6)]
    begin = threading.Barrier(len(vaults))

    def keep(number: int) -> None:
        begin.wait(20)
        vaults[number].put(TOKEN, f"of {number}")

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(len(vaults))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    ((_, version, _),) = stored(books)
    assert version == len(vaults)
    assert vaults[0].get(TOKEN) in {f"of {number}" for number in range(len(vaults))}
    for one in vaults:
        one.close()


def test_every_secret_is_sealed_by_another_key_or_none(books: PostgresBooks) -> None:
    other, rows = WrappingKey(bytes(32)), SecretRows(books, key())
    for name in "abc":
        rows.put(name, f"of {name}")
    before = stored(books)
    done(books.url, "UPDATE secret SET sealed = 'AAAA' WHERE name = 'b'")
    with pytest.raises(BadInput, match="not as it was written"):
        rows.rewrap(other)
    assert [one for one in stored(books) if one[0] != "b"] == [one for one in before if one[0] != "b"]
    rows.put("b", "of b")
    assert rows.rewrap(other) == 3
    assert [rows.get(name) for name in "abc"] == ["of a", "of b", "of c"]
    assert SecretRows(books, other).unreadable() == (3, [])
    assert SecretRows(books, key()).unreadable() == (3, ["a", "b", "c"])
    rows.close()


def test_a_lost_connection_is_made_again(books: PostgresBooks) -> None:
    rows = SecretRows(books, key())
    rows.put(TOKEN, "kept")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    done(books.url, f"{end} AND pid <> pg_backend_pid()")
    assert rows.get(TOKEN) == "kept"
    rows.close()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path, books_engine: str) -> None:
    file = tmp_path / "desk.key"
    assert make_key(file) == read_key(file)
    for spoil, words in (
        (lambda: file.chmod(0o640), "only its owner"),
        (lambda: (file.chmod(0o600), file.write_text("short")), "it holds no key"),
        (lambda: file.unlink(), "it cannot be read"),
    ):
        if file.exists():
            with pytest.raises(BadInput, match="it is there already"):
                make_key(file)
        act: Callable[[], object] = spoil
        act()
        with pytest.raises(BadInput, match=words):
            read_key(file)


async def test_the_vault_of_a_desk_is_the_servers_where_its_settings_say_so(
    tmp_path: Path, books: PostgresBooks
) -> None:
    file, home = tmp_path / "desk.key", tmp_path
    make_key(file)
    settings = Settings(vault="rows", wrapping_key_file=file, database_url=database_url(home))
    vault = vault_at(home, settings)
    await asyncio.to_thread(vault.put, TOKEN, "kept")
    standing = vault_standing(home, settings)
    assert (standing.backend, standing.ok, "all 1 open" in standing.why) == ("rows", True, True)
    other = tmp_path / "other.key"
    make_key(other)
    lost = vault_standing(home, settings.model_copy(update={"wrapping_key_file": other}))
    assert (lost.ok, "1 of 1 do not open" in lost.why) == (False, True)
    for odd, words in (
        ({"wrapping_key_file": None}, "name the file with the key"),
        ({"database_url": ""}, "it takes books on a server"),
    ):
        wrong = settings.model_copy(update=odd)
        with pytest.raises(BadInput, match=words):
            vault_at(home, wrong)
        assert words in vault_standing(home, wrong).why
    async with filed_desk(home, ManualClock(START)) as desk:
        assert [one.name for one in await desk.doctor.run() if not one.ok] == []
