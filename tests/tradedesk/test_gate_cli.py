"""The morning on the command line: the gate, routes, sign-ins, secrets, and the browser's way back."""

import asyncio
import json
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring
import pytest
from cli_desk import Terminal
from keyring.backends import fail
from typer.testing import CliRunner

from brokers.contract import SignInField, SignInForm
from brokers.paper.broker import CAPABILITIES, PaperBroker
from brokers.wire.listener import RedirectListener
from data.errors import BadInput
from data.home import SECRETS
from data.records import replace
from data.secrets import PASSPHRASE_FILE
from data.vaults.file_vault import SHORTEST, FileVault
from tests.books import change_by_hand
from tradedesk.cli import session
from tradedesk.cli.main import app

PASSPHRASE = "correct horse battery"


def typed(terminal: Terminal, text: str, *args: str, **env: str) -> tuple[int, str, str]:
    """Run a command that reads `text` from stdin."""
    result = CliRunner().invoke(app, list(args), input=text, env={**terminal.environment, **env})
    return result.exit_code, result.stdout, result.stderr


def test_the_gate_counts_everybody_and_shows_the_red(demo: Terminal) -> None:
    everyone = demo.done("gate")
    assert (everyone["ready"], everyone["red"], everyone["out"]) == (47, 1, 2)
    assert len(everyone["clients"]) == 50
    (red,) = [row for row in demo.done("gate", "--red")["clients"] if row["reason"] == "session_expired"]
    assert (red["code"], red["colour"]) == ("DR0044", "red")
    items = {one["item"]: one for one in red["items"]}
    assert list(items) == ["session", "route", "consent", "demat", "funds", "mtf"]
    assert (items["session"]["colour"], items["session"]["words"]) == ("red", "session expired")
    ready = next(row for row in everyone["clients"] if row["reason"] is None)
    funds = next(one for one in ready["items"] if one["item"] == "funds")
    assert isinstance(funds["available_paise"], int)
    shown = demo.run("gate", "--red")
    assert "DR0044" in shown.out
    assert "47 of 50 clients may trade" in shown.err


def test_an_amber_item_is_waived_with_a_reason_and_green_or_red_are_not(demo: Terminal) -> None:
    waived = demo.done("gate", "waive", "DR0044", "funds", "--reason", "not traded today")
    assert next(one for one in waived["items"] if one["item"] == "funds")["waived"] == "not traded today"
    for client, item, words in (("DR0044", "session", "red cannot"), ("DR0044", "route", "is green")):
        refused = demo.run("gate", "waive", client, item, "--reason", "because I say so", "--json")
        assert (refused.code, refused.error["field"]) == (2, "item")
        assert words in refused.error["expected"]


def test_the_one_who_is_due_signs_in_and_the_gate_opens(demo: Terminal) -> None:
    (due,) = demo.done("login", "links")
    assert (due["code"], due["url"]) == ("DR0044", None)
    signed = demo.done("login", "DR0044", "any")
    assert (signed["code"], signed["expires_at"]) == ("DR0044", None)
    assert demo.done("login", "links") == []
    assert demo.done("gate")["ready"] == 48
    assert demo.run("login", "NOBODY", "any", "--json").error["field"] == "client"


def test_what_a_form_of_two_fields_asks_for_is_given_in_words_or_lines(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[dict[str, str]] = []

    def note(given: Mapping[str, str]) -> str:
        read.append({name: text.strip() for name, text in given.items()})
        return "token"

    fields = SignInField("key", "the api key", secret=False), SignInField("code", "the telephone's code")
    asking = replace(CAPABILITIES, sign_in=SignInForm(fields, note))
    monkeypatch.setattr(PaperBroker, "capabilities", property(lambda _: asking))
    assert demo.done("login", "DR0044", "K1", "111111")["code"] == "DR0044"
    for text, words in (("222222\n", ("K2",)), ("K3\n333333\n", ())):
        code, out, err = typed(demo, text, "login", "client", "DR0044", *words)
        assert (code, "is signed in" in out, "then the telephone's code" in err) == (0, True, True)
    assert [(one["key"], one["code"]) for one in read] == [
        ("K1", "111111"),
        ("K2", "222222"),
        ("K3", "333333"),
    ]
    refused = demo.run("login", "DR0044", "K1", "111111", "more", "--json")
    assert (refused.code, refused.error["field"]) == (2, "sign-in")


def test_the_queue_reads_lines_until_everybody_had_a_turn(demo: Terminal) -> None:
    code, out, err = typed(demo, "\nany\n", "login", "next")
    assert code == 0
    assert re.search(r"^DR0044\s+done$", out, re.MULTILINE)
    assert err.count("no sign-in needed") == 2  # the empty line shows it again
    assert "1 of 1 signed in, 0 red" in err


def test_the_queue_ends_where_its_lines_end(demo: Terminal) -> None:
    code, out, err = typed(demo, "", "login", "next")
    assert code == 4
    assert "DR0044  waiting" in out
    assert "0 of 1 signed in" in err


def test_routes_come_from_a_file_and_are_shown(demo: Terminal, tmp_path: Path) -> None:
    assert demo.run("routes", "import", "--template").out.startswith("code,kind,api_key,proxy")
    file = tmp_path / "routes.csv"
    file.write_text("code,kind,api_key,egress_ip,family\nAM1042,own,abcd1234,203.0.113.7,Mehta\n")
    assert demo.done("routes", "import", str(file)) == {"added": 1, "updated": 0, "unchanged": 0}
    (route,) = demo.done("routes", "show")
    assert (route["code"], route["kind"], route["egress"]) == ("AM1042", "own", "203.0.113.7")
    file.write_text("code,kind,api_key\nAM1042,own,abcd1234\nNOBODY,own,abcd1234\n")
    refused = demo.run("routes", "import", str(file), "--json")
    assert (refused.code, refused.error["reason"]) == (2, "bad_file")
    assert [(one["row"], one["field"]) for one in refused.error["problems"]] == [(3, "code")]
    assert demo.done("gate")["ready"] == 47  # on paper no route counts


def test_a_refused_route_is_retried_by_its_clients_code(demo: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "routes.csv"
    file.write_text("code,kind,api_key,egress_ip\nAM1042,own,abcd1234,203.0.113.7\n")
    demo.done("routes", "import", str(file))
    refused = demo.run("routes", "retry", "AM1042", "--json")
    assert (refused.code, refused.error["field"]) == (2, "client")
    assert "nothing to retry" in refused.error["expected"]
    at = "2026-11-18 03:45:00.000000"
    change_by_hand(demo.home, f"UPDATE client_route SET refused_at = '{at}', refused_text = 'No.'")
    (route,) = demo.done("routes", "show")
    assert (route["refused_at"], route["refused_text"]) == ("2026-11-18T03:45:00+00:00", "No.")
    assert demo.done("routes", "retry", "am1042")["code"] == "AM1042"
    (route,) = demo.done("routes", "show")
    assert (route["refused_at"], route["refused_text"]) == (None, "")
    (row,) = demo.done("audit", "show", "--action", "CLIENT_ROUTE_RETRIED")
    assert row["details"]["words"] == "No."


def test_how_long_a_passphrase_must_be_is_said_before_it_is_typed(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    given = iter(["short", PASSPHRASE, PASSPHRASE])
    said: list[str] = []
    monkeypatch.setattr(session, "say", said.append)
    monkeypatch.setattr(session, "hidden", lambda question: said.append(question) or next(given))
    monkeypatch.setattr(session.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert session.passphrase_of(demo.home) == PASSPHRASE
    told, asked, again, *_ = said
    assert f"at least {SHORTEST} characters" in told
    assert PASSPHRASE_FILE in told
    assert (asked, again) == (
        "passphrase of secrets.enc: ",
        f"that has 5 characters; give at least {SHORTEST}",
    )


def test_the_passphrase_is_asked_once_however_many_brokers_open_the_vault(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(session, "passphrase_of", lambda home: asked.append(home) or PASSPHRASE)

    @asynccontextmanager
    async def opens_two(home: Path, **given: Any) -> AsyncIterator[None]:
        assert [given["passphrase"]() for _ in range(2)] == [PASSPHRASE] * 2
        raise BadInput("broker", "", "as far as this goes")
        yield

    monkeypatch.setattr("tradedesk.compose.wiring.compose_desk", opens_two)
    assert typed(demo, "", "gate")[0] == 2
    assert asked == [demo.home]


@pytest.mark.parametrize("stdin", ["s3cr3tvalue\n", "s3cr3tvalue\n\n"])
def test_without_a_terminal_the_file_that_may_hold_the_passphrase_is_named(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch, stdin: str
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    code, _, err = typed(demo, stdin, "secrets", "set-key", "abcd1234")
    assert code == 2
    assert f"name a file with it in {PASSPHRASE_FILE}" in err.splitlines()[-1]
    assert not (demo.home / SECRETS).exists()


def test_an_api_secret_is_read_from_stdin_and_nowhere_shown(
    demo: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    words = tmp_path / "words"
    words.write_text(PASSPHRASE)
    words.chmod(0o600)
    named = {"TRADEDESK_PASSPHRASE_FILE": str(words)}
    code, out, err = typed(demo, "s3cr3tvalue\n", "secrets", "set-key", "abcd1234", "--json", **named)
    assert (code, json.loads(out)["vault"]) == (0, "file")
    assert "s3cr3tvalue" not in out + err
    assert FileVault(demo.home / SECRETS, lambda: PASSPHRASE).get("kite/secret/abcd1234") == "s3cr3tvalue"
    assert demo.done("secrets")["backend"] == "file"
    checks = {check["name"]: check for check in demo.done("doctor")["checks"]}
    assert checks["secrets"]["ok"]
    assert checks["secrets"]["detail"].startswith("file: secrets.enc")
    wrong = typed(demo, "other\nanother passphrase\n", "secrets", "set-key", "abcd1234")
    assert wrong[0] == 2
    assert "another passphrase" not in wrong[1] + wrong[2]
    (demo.home / SECRETS).chmod(0o644)
    assert demo.run("doctor", "--json").code == 8
    assert demo.run("secrets").code == 8


async def test_the_listener_hands_over_redirects_whole_and_listens_on_loopback_alone() -> None:
    def fetch(url: str) -> tuple[int, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    async with RedirectListener() as listener:
        assert listener.url == f"http://127.0.0.1:{listener.port}/"
        assert (await asyncio.to_thread(fetch, f"{listener.url}favicon.ico"))[0] == 404
        query = "action=login&status=success&request_token=abc123"
        status, page = await asyncio.to_thread(fetch, f"{listener.url}back?{query}")
        assert (status, "Received" in page, "abc123" in page) == (200, True, False)
        _, page = await asyncio.to_thread(fetch, f"{listener.url}?status=error")
        assert "Not signed in" in page
        assert await listener.address() == f"{listener.url}back?{query}"
        assert await listener.address() == f"{listener.url}?status=error"
        with pytest.raises(BadInput, match="another program listens there"):
            async with RedirectListener(listener.port):
                pass
