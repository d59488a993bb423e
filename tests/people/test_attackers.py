"""An attacker's hour with a trader's login: every door of a desk, and nothing beyond the trader's clients."""

import asyncio
import json
import tempfile
from collections.abc import Generator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from mcp import Client

from data.errors import BadInput
from data.home import command_socket
from data.spreadsheets.named import keep_files_in, named_file
from data.vocabulary import SizingKind, Via
from engine.colon.files import file_from, files_at
from engine.desk import Desk
from tests.books import found_by_programs
from tests.desks import buy, carry_out
from tests.further import case
from tests.people.home_of_many import HERE, MINE, THEIRS, desk_of_many, password
from tests.people.test_lock import app_of_many
from tests.tradedesk.cli_desk import Terminal
from tradedesk.app.typed.colon_commands import run_line
from tradedesk.compose.seats import keep_token, take_seat
from tradedesk.compose.settings import Settings
from tradedesk.mcp.looks import Looks
from tradedesk.mcp.server import server_over
from tradedesk.socket.protocol import hello
from tradedesk.socket.server import listening
from tradedesk.testing import toasts_shown

# --- files ---


@pytest.fixture
def kept_to(tmp_path: Path) -> Generator[Path]:
    """A folder that a desk keeps files to, with a list in it, beside what is nobody's to read."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "mine.csv").write_text("code\nAM1042\n")
    (tmp_path / "secret.csv").write_text("the wrapping key\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "up").symlink_to(tmp_path)
    keep_files_in(folder)
    yield folder
    keep_files_in(None)


OUTSIDE = (
    "/etc/passwd",
    "~/config.toml",
    "../secret.csv",
    "link.csv",
    "up/secret.csv",
    "./../lists/../secret.csv",
)


def test_lines_name_files_of_the_one_folder_wherever_links_lead(kept_to: Path) -> None:
    assert file_from(["mine.csv"]) == file_from([str(kept_to / "mine.csv")]) == kept_to / "mine.csv"
    for name in (*OUTSIDE, str(kept_to.parent / "secret.csv"), str(kept_to.parent / "not there.csv")):
        with case(name), pytest.raises(BadInput, match=r"give a file in|no such file"):
            file_from([name])
    with pytest.raises(BadInput, match="give a file in"):
        named_file(Path("/srv/backups"), "folder")
    assert {*files_at("")} >= {"mine.csv"}
    for begun in ("/", "/etc/", "../", "~/", "up/"):
        assert [*files_at(begun)] == [], begun


def test_without_a_folder_files_are_anywhere(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code\n")
    assert file_from([str(tmp_path / "a.csv")]) == tmp_path / "a.csv"


LINES = (
    "import {}",
    "calendar import {}",
    "lists import gsm {}",
    "basket orders {}",
    "basket file {}",
    "backup {}",
)


@pytest.mark.proof
async def test_no_line_of_the_app_shows_what_a_file_elsewhere_says(tmp_path: Path) -> None:
    folder, secret = tmp_path / "lists", tmp_path / "secret.csv"
    folder.mkdir()
    secret.write_text("wrapping-key-0123456789\nwrapping-key-0123456789\n")
    settings = Settings(trader="tester", keys="plain", files_folder=folder)
    try:
        async with app_of_many(tmp_path / "home", "asha", settings) as bench:
            for line in LINES:
                bench.app.clear_notifications()
                run_line(bench.app, line.format(secret))
                await bench.settle()
                told = " ".join([*toasts_shown(bench.app), *bench.lines()])
                assert "wrapping-key" not in told, line
                assert toasts_shown(bench.app), line
                await bench.keys("escape", "escape")
    finally:
        keep_files_in(None)


# --- the socket of an open app ---


async def asked_over_socket(
    desk: Desk, who: Mapping[str, object], words: list[str]
) -> list[dict[str, object]]:
    """What an app answers to somebody who says of themselves what they like; nothing where it hangs up."""
    reader, writer = await asyncio.open_unix_connection(str(command_socket(desk.home)))
    try:
        await _say(writer, {"hello": {**hello(desk.home), **who}})
        if not await reader.readline():
            return []
        await _say(writer, {"request": "0" * 32, "words": words, "terminal": {}})
        if not await reader.readline():
            return []
        await _say(writer, {"go": "0" * 32})
        return [json.loads(line) for line in (await reader.read()).splitlines()]
    except ConnectionError:
        return []
    finally:
        writer.close()


async def _say(writer: asyncio.StreamWriter, line: dict[str, object]) -> None:
    writer.write(json.dumps(line).encode() + b"\n")
    with suppress(ConnectionError):  # it has hung up: then nothing is read either
        await writer.drain()


@pytest.mark.proof
async def test_whoever_says_of_themselves_who_they_are_is_who_their_token_says(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tda-") as folder:  # a socket's path is short
        async with desk_of_many(Path(folder)) as desk:
            with found_by_programs(desk.home):
                await _forged_hellos(desk)


async def _forged_hellos(desk: Desk) -> None:
    async with listening(desk):
        ravi = await desk.signing.sign_in("ravi", password("ravi"), HERE, Via.API)
        mine = ["funds", "--client", MINE[0], "--json"]
        for theirs in (
            ["funds", "--client", THEIRS, "--json"],
            ["order", THEIRS, "buy", "TCS", "1", "--yes", "--json"],
            ["people", "role", "ravi", "admin", "--json"],
        ):
            for actor in ("asha", "system", "tester", "ravi"):
                who = {"actor": actor, "token": ravi.token}
                told = await asked_over_socket(desk, who, theirs)
                assert not told or "forbidden" in json.dumps(told), (actor, theirs, told)
        told = await asked_over_socket(desk, {"actor": "asha", "token": ravi.token}, mine)
        assert told[-1] == {"done": 0}
        for token in ("", ravi.refresh, ravi.token[:-4], "a.b.c", None, 7, [ravi.token]):
            assert await asked_over_socket(desk, {"actor": "asha", "token": token}, mine) == [], token
        for who in ({"actor": "asha"}, {"token": ravi.token}, {"actor": ["asha"], "token": ravi.token}):
            assert await asked_over_socket(desk, who, ["funds", "--client", THEIRS, "--json"]) == [], who


# --- commands, the environment, the server for assistants ---

OF_ANOTHER = (
    ("tax", THEIRS),
    ("history", THEIRS),
    ("risk", THEIRS),
    ("report", THEIRS, "--out", "{home}/theirs.pdf"),
    ("eod", "--yes"),
    ("notes", "--client", THEIRS),
    ("convert", THEIRS, "TCS", "mis", "cnc", "--yes"),
    ("login", "client", THEIRS, "token"),
    ("consents", "give", THEIRS, "trading", "R1"),
    ("connections", "carry", THEIRS, "paper"),
    ("groups", "add", "West", THEIRS),
    ("clients", "export"),
    ("backup",),
    ("prune", "--older-than", "1d"),
    ("config", "set", "auth_socket", "/tmp/mine.sock"),
    ("config", "set", "files_folder", "/"),
    ("config", "set", "database_url", "postgresql+psycopg://mine/other"),
    ("config", "set", "trader", "asha"),
    ("secrets", "set-key", "key"),
    ("people", "role", "ravi", "admin"),
    ("people", "scope", "ravi", "--all"),
    ("people", "password", "asha"),
    ("people", "add", "mallory", "--role", "admin"),
    ("sessions",),
    ("sessions", "revoke", "--of", "asha"),
    ("leases", "take", "free"),
    ("audit", "accept", "--reason", "tried", "--word", "accept"),
    ("simulate", "price", "TCS", "1"),
    ("simulate", "pay", THEIRS, "out", "1"),
    ("simulate", "clock", "close"),
)


@pytest.mark.proof
def test_no_command_does_anything_for_others_or_for_the_desk(home: Terminal) -> None:
    assert home.run("sign-in", "ravi", "--password-stdin", stdin=password("ravi")).code == 0
    let = dict[str, object]()
    for words in OF_ANOTHER:
        asked = [word.format(home=home.home) for word in words]
        printed = home.run(*asked, "--json", stdin=f"{password('ravi')}\n{password('ravi')}\n")
        if printed.code == 0 or "forbidden" not in f"{printed.out}{printed.err}":
            let[" ".join(words)] = (printed.code, printed.err[:200])
    assert let == {}, let
    assert home.done("whoami")["role"] == "trader"


@pytest.mark.proof
def test_the_environment_makes_nobody_somebody_else(home: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.run("sign-in", "ravi", "--password-stdin", stdin=password("ravi")).code == 0
    for name, value in (
        ("TRADEDESK_TRADER", "asha"),
        ("TRADEDESK_AUTH_SOCKET", "/nowhere/mine.sock"),
        ("TRADEDESK_FILES_FOLDER", "/"),
        ("TRADEDESK_MODE", "trade"),
        ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22"),
        ("LOGNAME", "asha"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert home.done("whoami")["name"] == "ravi", name
            assert home.run("funds", "--client", THEIRS, "--json").error["reason"] == "forbidden", name


async def test_an_assistants_program_sees_what_its_trader_sees(tmp_path: Path) -> None:
    async with desk_of_many(tmp_path) as desk:
        theirs = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, desk.clients.find(THEIRS).id))
        ravi = await desk.signing.sign_in("ravi", password("ravi"), HERE, Via.API)
        desk.who.seat = desk.signing.actor(ravi.token, Via.API)

        async def sits() -> None:
            keep_token(desk.home, ravi.token)
            take_seat(desk)

        async with Client(server_over(Looks(desk, sits))) as client:
            shown = 0
            for tool in (await client.list_tools()).tools:
                wanted = set(tool.input_schema.get("required", ()))
                if wanted <= {"client", "number", "order", "run", "plan"}:
                    given = {name: THEIRS if name == "client" else theirs[1].number for name in wanted}
                    told = await client.call_tool(tool.name, given)
                    text = " ".join(getattr(part, "text", "") for part in told.content)
                    assert told.is_error or THEIRS not in text, tool.name
                    shown += not told.is_error
            assert shown > 3
