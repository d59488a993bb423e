"""Opening the screen: on the home, or on the demonstration."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from data.money import BadInput


def open_app() -> None:
    """Open the screen on the home.

    Raises `BadInput` away from a terminal and `AppAlreadyRuns` beside another app, before the screen is up.
    """
    _open(with_demo=False)


def demo() -> None:
    """Open the screen on the demonstration; its market and clients are laid into an empty home first."""
    _open(with_demo=True)


def _open(with_demo: bool) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        expected = "the screen needs a terminal; `tradedesk --help` names the commands"
        raise BadInput("terminal", "none", expected)
    from tradedesk.settings import home_folder, load_settings

    home = home_folder()
    settings = load_settings(home)
    _check_no_app(home)
    from tradedesk.app import TradedeskApp

    @asynccontextmanager
    async def desk_of_home() -> AsyncIterator[Any]:
        from tradedesk.commands.setup import lay_demo
        from tradedesk.wiring import open_desk

        async with open_desk(home, kind="app", settings=settings) as desk:
            if with_demo:
                await lay_demo(desk)
            yield desk

    def warm_up() -> None:
        from tradedesk.commands.session import prepare_home

        prepare_home()

    TradedeskApp(
        desk_of_home,
        prepare=warm_up,
        profile=settings.keys,
        theme=settings.theme,
        frames_per_second=settings.refresh_hz,
    ).run()


def _check_no_app(home: Path) -> None:
    from data.locks import HeldLock

    place = home / "locks" / "app.lock"
    if not place.exists():
        return
    lock = HeldLock(place)
    if not lock.take():
        from engine.desk import AppAlreadyRuns

        raise AppAlreadyRuns(
            f"another tradedesk app (process {lock.holder()}) is open on {home}; "
            "use that one, or the command line beside it"
        )
    lock.free()
