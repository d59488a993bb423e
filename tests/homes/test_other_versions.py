"""Homes of another version: an emergency migrates none, and no engine signs on once a newer program has."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from data.schema import HEAD
from data.store import StoreUnwritable
from data.vocabulary import DeskKind
from engine.refusals import Refusal
from tests.homes import unpack
from tests.tradedesk.cli_desk import Terminal
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk


def asked(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def stamp(home: Path) -> str:
    return str(asked(home / "desk.db", "SELECT version_num FROM alembic_version")[0][0])


def live_at_broker(home: Path) -> int:
    query = "SELECT count(*) FROM orders WHERE status = 'open'"
    return int(str(asked(home / "paper.db", query)[0][0]))


def make_newer(home: Path) -> None:
    """Have the books be of a version that only a newer program knows, with all that this one has."""
    with closing(sqlite3.connect(home / "desk.db")) as books, books:
        books.execute("ALTER TABLE orders ADD COLUMN later TEXT")
        books.execute("UPDATE alembic_version SET version_num = '9999'")


def of_an_earlier(home: Path) -> str:
    unpack("paused", home)
    return stamp(home)


def of_a_newer(home: Path) -> str:
    unpack("paused", home)
    Terminal(home).done("orders")
    make_newer(home)
    return "9999"


@pytest.mark.parametrize("made", [of_an_earlier, of_a_newer])
def test_cancel_all_on_books_of_another_version_halts_cancels_and_migrates_nothing(
    made: Callable[[Path], str], tmp_path: Path
) -> None:
    version = made(tmp_path)
    assert live_at_broker(tmp_path) > 0
    printed = Terminal(tmp_path).run("cancel-all", "--yes", "--json")
    assert live_at_broker(tmp_path) == 0
    assert (tmp_path / "HALT").exists()
    assert stamp(tmp_path) == version
    assert asked(tmp_path / "desk.db", "SELECT count(*) FROM halt WHERE scope = 'everything'") == [(0,)]
    assert list((tmp_path / "certificates").glob("unbooked-*"))
    assert printed.document["cancelled"] > 0
    assert "an emergency changes no version" in printed.document["unbooked"]


@pytest.mark.parametrize("kind", [DeskKind.APP, DeskKind.SCRIPT])
async def test_an_engine_does_not_sign_on_to_books_that_a_newer_program_migrated_meanwhile(
    kind: DeskKind, tmp_path: Path
) -> None:
    engines = asked(unpack("paused", tmp_path), "SELECT count(*) FROM instance")
    opening = compose_desk(
        tmp_path, kind, settings=Settings(trader="tester"), told=lambda _: make_newer(tmp_path)
    )
    with pytest.raises(StoreUnwritable, match=f"version 9999, this one is of {HEAD}"):
        async with opening:
            pass
    assert asked(tmp_path / "desk.db", "SELECT count(*) FROM instance") == engines


async def test_a_command_beside_it_reads_and_cancels_and_sends_nothing(tmp_path: Path) -> None:
    unpack("paused", tmp_path)
    live = live_at_broker(tmp_path)
    async with compose_desk(
        tmp_path, DeskKind.COMMAND, settings=Settings(trader="tester"), told=lambda _: make_newer(tmp_path)
    ) as desk:
        assert "version 9999" in (desk.trading_disabled or "")
        assert len(desk.orders.all(live=True)) >= live
        with pytest.raises(Refusal):
            await desk.runs.go_on(6, 43)
    assert live_at_broker(tmp_path) == live


def test_a_home_of_the_first_build_at_kite_is_not_migrated_for_settings_of_paper(tmp_path: Path) -> None:
    books = unpack("after_market", tmp_path)
    version = stamp(tmp_path)
    ((address,),) = asked(books, "SELECT value FROM meta WHERE name = 'kite'")
    refused = Terminal(tmp_path).run("orders", "--json")
    assert refused.code == 2
    assert f"belong to Kite at {address}; use another home" in refused.error["message"]
    assert (stamp(tmp_path), list(tmp_path.glob("desk-before-*"))) == (version, [])
