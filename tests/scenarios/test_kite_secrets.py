"""A vault that was lost, damaged or is not whole, at a local Kite: who is red for it, and who says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from brokers.simulators.kite.apps import own_app
from data.errors import BadInput
from data.home import SECRETS
from data.secrets import PASSPHRASE_FILE
from data.vaults.file_vault import FileVault
from data.vocabulary import DeskKind, GateColour, GateItem, Reason, SessionProblem
from engine.book.gate_views import BrokenSession
from engine.desk import Desk
from engine.review.doctor import Check
from engine.words.gate import verdict_words
from tests.books import change_by_hand, found_by_programs
from tests.desks import WAITS, on_its_books
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.cli.main import app
from tradedesk.compose.desk_access import ZERODHA, secret_key, token_key
from tradedesk.compose.settings import Settings
from tradedesk.compose.vault_look import API_SECRET, TOKEN, look
from tradedesk.compose.wiring import compose_desk

PASSPHRASE = "only for rehearsals"
PEOPLE = [Person(number) for number in range(1, 5)]
STRUCK, OTHERS = PEOPLE[2], [PEOPLE[0], PEOPLE[1], PEOPLE[3]]
WORDS = "its token is not in the vault: sign in again"


@pytest.fixture
async def morning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Morning]:
    """Everybody is signed in; the vault is a file whose passphrase stands nowhere."""
    monkeypatch.delenv(PASSPHRASE_FILE, raising=False)
    with found_by_programs(tmp_path):
        async with kite_morning(tmp_path, PEOPLE) as one:
            await one.sign_in(PEOPLE)
            yield one


@asynccontextmanager
async def beside(
    morning: Morning,
    passphrase: Callable[[], str] | None = lambda: PASSPHRASE,
    needs_secrets: bool = True,
    emergency: bool = False,
    kind: DeskKind = DeskKind.APP,
) -> AsyncIterator[Desk]:
    """Another desk on the same home: the app, or what a command opens."""
    settings = on_its_books(
        Settings(market="kite", kite_url=morning.kite.url, vault="file", trader="tester"), morning.desk.home
    )
    async with compose_desk(
        morning.desk.home,
        kind,
        clock=morning.clock,
        settings=settings,
        waits=WAITS,
        seed=8,
        passphrase=passphrase,
        needs_secrets=needs_secrets,
        emergency=emergency,
    ) as desk:
        assert isinstance(desk, Desk)
        yield desk


def vault_of(morning: Morning) -> FileVault:
    return FileVault(morning.desk.home / SECRETS, lambda: PASSPHRASE)


def red(desk: Desk) -> set[int]:
    return {row.client_id for row in desk.gate.rows() if row.reason is Reason.SESSION_EXPIRED}


async def secrets_check(desk: Desk) -> Check:
    return next(check for check in await desk.doctor.run() if check.name == "secrets")


async def test_whose_token_is_gone_is_red_when_a_desk_opens_and_nobody_else(morning: Morning) -> None:
    before = [morning.desk.sessions.of(one.number) for one in OTHERS]
    vault_of(morning).delete(token_key(ZERODHA, STRUCK.user_id))
    assert red(morning.desk) == set()
    async with beside(morning) as desk:
        session = desk.gate.of(STRUCK.number).check(GateItem.SESSION)
        assert (session.colour, verdict_words(session.judged, desk.shown_at)) == (GateColour.RED, WORDS)
        assert session.judged.figures == BrokenSession(SessionProblem.NO_TOKEN, WORDS)
        assert red(desk) == {STRUCK.number}
        assert [desk.sessions.of(one.number) for one in OTHERS] == before
        check = await secrets_check(desk)
        assert not check.ok
        assert "no token of KC0003, signed in by the books; sign in again" in check.detail
        (row,) = await desk.audit.rows(action="CLIENT_SESSION_ENDED")
        assert (row.client_id, row.details["problem"], row.details["why"]) == (3, "no_token", WORDS)
    await morning.until(lambda: red(morning.desk) == {STRUCK.number})
    await morning.sign_in([STRUCK])
    async with beside(morning) as desk:
        assert red(desk) == set()
        assert (await secrets_check(desk)).ok


async def test_a_lost_file_turns_everybody_red_and_both_doctor_and_secrets_tell_it(morning: Morning) -> None:
    home, now = morning.desk.home, morning.desk.market_clock.now()
    (home / SECRETS).unlink()

    def never() -> Any:
        raise AssertionError("a file that is not there is not opened")

    found = look(home, on_its_books(Settings(vault="file"), home), never, now)
    assert (found.backend, found.ok) == ("file", False)
    assert found.why.startswith("secrets.enc is not there; no api secret of ")
    assert found.why.endswith("no token of KC0001, KC0002, KC0003, KC0004, signed in by the books")
    assert found.todo.startswith("put secrets.enc back from a copy, or: `tradedesk secrets set-key API_KEY`")
    assert found.missing is not None
    assert [(one.what, one.codes) for one in found.missing] == [
        *((API_SECRET, (one.code,)) for one in PEOPLE),
        *((TOKEN, (one.code,)) for one in PEOPLE),
    ]
    async with beside(morning, None, needs_secrets=False, kind=DeskKind.COMMAND) as desk:
        assert red(desk) == set(), "a look without the passphrase guesses nothing"
        assert not (await secrets_check(desk)).ok
    async with beside(morning, emergency=True, kind=DeskKind.COMMAND) as desk:
        assert red(desk) == set(), "a cancel-all takes nobody's session from the desk beside it"
    async with beside(morning, kind=DeskKind.COMMAND) as desk:
        assert not await desk.reconcile.check(STRUCK.number), "without a token nothing can be read"
        await morning.passed(1)
        assert red(desk) == set(), "the app beside it may have the tokens, in the system's keyring"
    async with beside(morning) as desk:
        assert red(desk) == {one.number for one in PEOPLE}
        check = await secrets_check(desk)
        assert (check.ok, "secrets.enc is not there" in check.detail) == (False, True)
        await desk.sessions.expire(STRUCK.number, "ended by hand")
    again = look(home, on_its_books(Settings(vault="file"), home), never, now)
    assert again.missing is not None
    assert [one.codes for one in again.missing if one.what == TOKEN] == [(one.code,) for one in OTHERS]


async def test_a_missing_api_secret_is_named_with_its_key(morning: Morning) -> None:
    api_key, secret = own_app(STRUCK.user_id)
    vault_of(morning).delete(secret_key(ZERODHA, api_key))
    check = await secrets_check(morning.desk)
    assert not check.ok
    assert check.detail.endswith(f"no api secret of {api_key}; `tradedesk secrets set-key API_KEY`")
    assert red(morning.desk) == set(), "today's session does not need it"
    vault_of(morning).put(secret_key(ZERODHA, api_key), secret)
    assert (await secrets_check(morning.desk)).ok


async def test_without_its_passphrase_a_vault_is_not_looked_into_and_no_session_ends(
    morning: Morning,
) -> None:
    vault_of(morning).delete(token_key(ZERODHA, STRUCK.user_id))
    with pytest.raises(BadInput, match=PASSPHRASE_FILE):
        async with beside(morning, None):
            pass
    async with beside(morning, None, needs_secrets=False, kind=DeskKind.COMMAND) as desk:
        check = await secrets_check(desk)
        assert check.ok
        assert "was not opened to look what is missing" in check.detail
        assert red(desk) == set()
        assert not await desk.sessions.check(STRUCK.number), "and nothing is called"
        assert red(desk) == set()


async def test_the_command_line_tells_a_damaged_file_without_asking_for_the_passphrase(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = morning.desk.home
    for name, value in {
        "HOME": str(home),
        "MARKET": "kite",
        "KITE_URL": morning.kite.url,
        "VAULT": "file",
    }.items():
        monkeypatch.setenv(f"TRADEDESK_{name}", value)

    async def run(*args: str) -> tuple[int, Any]:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*args, "--json"])
        return result.exit_code, json.loads(result.stdout)

    code, told = await run("doctor")
    assert (code, told["ok"]) == (0, True), told
    code, told = await run("secrets")
    assert (code, told["missing"]) == (0, None)
    opened = await asyncio.to_thread(
        CliRunner().invoke, app, ["secrets", "--open", "--json"], f"{PASSPHRASE}\n"
    )
    assert (opened.exit_code, json.loads(opened.stdout)["missing"]) == (0, [])
    whole = (home / SECRETS).read_bytes()
    (home / SECRETS).write_bytes(whole[: len(whole) // 2])
    code, told = await run("doctor")
    assert (code, told["ok"]) == (8, False)
    (bad,) = [check for check in told["checks"] if not check["ok"]]
    assert bad["name"] == "secrets"
    assert "secrets.enc: it is damaged; put it back from a copy; without one move it away" in bad["detail"]
    code, told = await run("secrets")
    assert (code, told["ok"], told["why"]) == (8, False, "secrets.enc: it is damaged")
    code, told = await run("gate")
    assert (code, told["error"]["field"]) == (2, "secrets")
    assert red(morning.desk) == set(), "what cannot be read proves nothing"
    (home / SECRETS).unlink()
    await asyncio.to_thread(change_by_hand, home, "UPDATE broker_session SET expires_at = NULL")
    kept = await asyncio.to_thread(CliRunner().invoke, app, ["secrets", "set-key", "abcd1234"], "one\ntwo\n")
    assert "secrets.enc is not there, though 4 clients signed in today" in kept.stderr
