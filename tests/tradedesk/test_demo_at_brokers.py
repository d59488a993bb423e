"""`init --demo --brokers`: the demonstration spread over brokers on this machine, in two commands."""

import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest
from cli_desk import Terminal

from data.errors import BadInput
from data.home import books_file
from engine.access.routes import NewRoute, Routes
from engine.book.access_views import RouteView
from tradedesk.compose.brokers.at_brokers import CONNECTIONS
from tradedesk.compose.rehearsing.at_brokers import asked_brokers, begin_home, local_addresses
from tradedesk.compose.settings import Settings, load_settings

PASSPHRASE = "only for rehearsals"


def test_brokers_are_named_by_their_words_once_and_no_other_is_taken() -> None:
    assert asked_brokers(" Upstox,zerodha ") == ["upstox", "zerodha"]
    with pytest.raises(BadInput, match="name each once; upstox is there twice"):
        asked_brokers("upstox,zerodha,Upstox")
    for odd in ("", "zerodha,nobody", "kite"):
        with pytest.raises(BadInput, match="brokers"):
            asked_brokers(odd)


def test_a_broker_answers_where_the_settings_say_or_where_it_is_served() -> None:
    found = local_addresses(["upstox", "zerodha"], Settings(upstox_url="http://127.0.0.1:9/"))
    assert found == {"upstox": "http://127.0.0.1:9", "kite": "http://127.0.0.1:8100"}


def test_a_fresh_home_keeps_where_its_brokers_are_and_one_with_books_does_not(tmp_path: Path) -> None:
    addresses = {"upstox": "http://127.0.0.1:9", "kite": "http://127.0.0.1:8"}
    begin_home(tmp_path, addresses)
    settings = load_settings(tmp_path)
    assert (settings.market, settings.upstox_url, settings.kite_url) == ("upstox", *addresses.values())
    books_file(tmp_path).touch()
    begin_home(tmp_path, {"kite": "http://127.0.0.1:7"})
    assert load_settings(tmp_path) == settings


def test_nothing_is_made_of_a_home_where_no_broker_answers(tmp_path: Path, empty: Terminal) -> None:
    for arguments, words in (
        (("--demo", "--brokers", "zerodha"), "no broker of `tradedesk simulate` answers"),
        (("--brokers", "zerodha"), "give it with --demo"),
        (("--demo", "--bare", "--brokers", "zerodha"), "without --bare"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRADEDESK_KITE_URL", "http://127.0.0.1:9")
            printed = empty.run("init", *arguments)
        assert (printed.code, words in printed.err) == (2, True), printed.err
    assert not books_file(empty.home).exists()
    assert not (empty.home / "config.toml").exists()


@contextmanager
def all_served(folder: Path) -> Iterator[dict[str, str]]:
    """Every broker over one market, in a process of its own; where each answers, by its setting."""
    command = [sys.executable, "-m", "tradedesk.cli", "simulate", "all", "--folder", str(folder)]
    command += [text for venue in ("kite", "upstox", "groww") for text in (f"--{venue}-port", "0")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = Queue[str]()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.put(line)

        threading.Thread(target=read, daemon=True).start()
        found: dict[str, str] = {}
        try:
            while len(found) < 3:
                name, _, url = said.get(timeout=60).removeprefix("a local ").partition(" answers at ")
                found[f"TRADEDESK_{name.upper()}_URL"] = url.strip()
            yield found
        finally:
            process.terminate()


def breaks_off_after(
    work: Callable[[Routes, int, NewRoute], Awaitable[RouteView]], times: int
) -> Callable[[Routes, int, NewRoute], Awaitable[RouteView]]:
    """The same, which refuses once it was done so many times."""
    done: list[int] = []

    async def refusing(routes: Routes, client_id: int, route: NewRoute) -> RouteView:
        if len(done) == times:
            raise BadInput("route", client_id, "it cannot be kept")
        done.append(client_id)
        return await work(routes, client_id, route)

    return refusing


@pytest.mark.proof
def test_a_rehearsal_at_every_broker_takes_two_commands(tmp_path: Path, empty: Terminal) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    with all_served(tmp_path / "books") as addresses, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEDESK_PASSPHRASE_FILE", str(secret))
        for name, url in addresses.items():
            patch.setenv(name, url)
        init = ("init", "--demo", "--brokers", ",".join(CONNECTIONS))
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(Routes, "set", breaks_off_after(Routes.set, 3))
            assert empty.run(*init).code == 2
        for laid in (True, False):  # the first goes on with what was broken off, the second has nothing to do
            found = empty.done(*init)
            assert (found["clients"], found["demo_laid"]) == (50, laid)
        connections = {one["broker"]: one["clients"] for one in empty.done("connections")}
        assert list(connections) == list(CONNECTIONS), "the first one named brings the prices"
        elsewhere = addresses["TRADEDESK_GROWW_URL"]
        for url, words in ((elsewhere, "groww answers there"), ("http://127.0.0.1:9", "no broker of")):
            printed = empty.run("connections", "add", "upstox", "--address", url)
            assert (printed.code, words in printed.err) == (2, True), printed.err
        for name in addresses:  # the home knows by itself where its brokers are
            patch.delenv(name)
        signed_in = empty.done("simulate", "sign-in")
        assert len(signed_in["signed_in"]) == sum(connections.values()) - 2  # two are not active
        assert signed_in["failed"] == {}
