"""The first frame: up before anything heavy is imported, and honest when the desk does not open."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from data.errors import BadInput
from data.home import settings_file
from screens.frame.opening import OpeningScreen
from tradedesk.app.application import TradedeskApp
from tradedesk.cli.start import check_terminal
from tradedesk.compose.home import is_on_paper
from tradedesk.testing import shown_lines

HEAVY = ("sqlalchemy", "kiteconnect", "pydantic", "sqlmodel", "typer", "screens.desk.screen", "engine.desk")


def test_the_app_is_imported_without_what_is_heavy() -> None:
    modules = (
        "sys, tradedesk.cli.entry, tradedesk.cli.start, tradedesk.compose.home, tradedesk.app.application"
    )
    words = f"import {modules}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Stream(StringIO):
    """One that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("redirected", "named"),
    [(("stderr",), "standard error"), (("stdin", "stdout"), "standard input and output")],
)
def test_what_is_redirected_is_named_where_somebody_reads_it(
    monkeypatch: pytest.MonkeyPatch, redirected: tuple[str, ...], named: str
) -> None:
    streams = {name: Stream(name not in redirected) for name in ("stdin", "stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    with pytest.raises(BadInput, match=f"{named} redirected"):
        check_terminal()
    said = streams["stdout"].getvalue()
    assert (named in said) is (redirected == ("stderr",)), "the screen is drawn on it, nobody would know why"


def test_a_command_that_the_open_app_answers_imports_little() -> None:
    heavy = ("msgspec", "asyncio", "dataclasses", "inspect", "sqlite3", "zoneinfo", "engine")
    modules = "sys, tradedesk.cli.entry, tradedesk.compose.home, tradedesk.socket.client"
    words = f"import {modules}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_desk_on_paper_imports_nothing_of_brokers_and_documents() -> None:
    heavy = ("aiohttp", "kiteconnect", "google.protobuf", "apprise", "reportlab", "xlsxwriter", "segno")
    modules = "sys, tradedesk.app.application, tradedesk.compose.wiring"
    words = f"import {modules}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings", "plainly"),
    [
        (None, True),
        ("", True),
        ('theme = "light"', True),
        ('market = "paper"', True),
        ('MARKET = "kite"', False),
        ("market = 7", False),
        ("market", False),
    ],
)
def test_settings_are_read_whole_before_the_screen_only_where_they_may_not_mean_paper(
    settings: str | None, plainly: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADEDESK_MARKET", raising=False)
    if settings is not None:
        settings_file(tmp_path).write_text(settings)
    assert is_on_paper(tmp_path) == plainly
    monkeypatch.setenv("TRADEDESK_MARKET", "kite")
    assert not is_on_paper(tmp_path)


async def test_the_desk_is_opened_only_after_the_first_frame() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def never() -> AsyncIterator[object]:
        seen.append("".join(shown_lines(app)))
        raise OSError("the disk is [red]full[/red]")
        yield

    app = TradedeskApp(never, frames_per_second=0, prepare=lambda: seen.append("prepared"))
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(100):
            await pilot.pause(0.01)
            if len(seen) == 2:
                break
        assert seen[0] == "prepared"
        assert "opening the desk" in seen[1]
        await pilot.pause()
        assert isinstance(app.screen, OpeningScreen)
        text = " ".join("".join(shown_lines(app)).split())
        assert "the disk is [red]full[/red]" in text, "outside words are never markup"
        await pilot.press("f9")
        assert app.is_running
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running
    assert app.return_code == 1, "a script that opened it can tell"


async def test_a_screen_that_fails_leaves_a_short_message_and_its_locals_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @asynccontextmanager
    async def never() -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield

    def fail() -> None:
        client = "Aarav Mehta"
        raise KeyError(len(client))

    app = TradedeskApp(never, frames_per_second=0)
    printed = StringIO()
    app.error_console = Console(file=printed, width=200)

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.call_later(fail)
            await pilot.pause()
            assert app.desk_task is not None
            app.desk_task.cancel()

    with pytest.raises(KeyError, match="11"):
        await run()

    message = printed.getvalue()
    assert "the screen ended unexpectedly" in message
    assert "tradedesk cancel-all" in message
    assert "Traceback" in caplog.text
    assert "KeyError: 11" in caplog.text
    assert "Aarav" not in message + caplog.text
    assert app.return_code == 1
