"""Vaults of these tests open by a passphrase in a file; a home with everybody at it is made once a worker."""

import shutil
from pathlib import Path

import pytest

from tests.books import SQLITE, copy_on_server, engine_now
from tests.people.home_of_many import MINE, PEOPLE, passphrase, password
from tests.tradedesk.cli_desk import Terminal


@pytest.fixture(autouse=True)
def opened_vaults(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the passphrase; no test uses the machine's own keyring."""
    folder = tmp_path_factory.mktemp("passphrase")
    passphrase(folder, monkeypatch)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("TRADEDESK_SESSION", raising=False)
    return folder


@pytest.fixture(scope="session")
def home_of_many(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A demonstration's home with everybody at it, and an order that rests, of a client of the scope."""
    folder = tmp_path_factory.mktemp("many")
    terminal = Terminal(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        passphrase(folder, patch)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        terminal.run("init", "--demo", "--bare")
        for name, (role, codes) in PEOPLE.items():
            named = ("--clients", ",".join(codes)) if codes else ()
            words = ("people", "add", name, "--role", role.value, *named, "--password-stdin")
            assert terminal.run(*words, stdin=password(name)).code == 0
        terminal.order(MINE[0], "buy", "TCS", "1", "--limit", "2400")
    shutil.copytree(terminal.home, folder / "as made")
    if engine_now() != SQLITE:
        copy_on_server(terminal.home, folder / "as made")
    return terminal


@pytest.fixture
def home(home_of_many: Terminal) -> Terminal:
    """That home as it was made, and where: a token is for one path alone."""
    as_made = home_of_many.home.with_name("as made")
    shutil.rmtree(home_of_many.home)
    shutil.copytree(as_made, home_of_many.home)
    if engine_now() != SQLITE:
        copy_on_server(as_made, home_of_many.home)
    return home_of_many
