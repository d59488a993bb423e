"""Opening the screen on a home. Apart from the commands, so that the first frame waits for none."""

import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import BadInput
from data.home import SECRETS, app_lock, books_file, halt_file
from tradedesk.cli.emergency import looks_only

if TYPE_CHECKING:
    from brokers.simulators.faults.menu import Faults
    from tradedesk.compose.settings import Settings

log = logging.getLogger(__name__)


def open_screen(with_demo: bool, faults: "Faults | None" = None) -> int:
    """Open the screen on the home and return its exit code once it is left.

    Raises `BadInput` away from a terminal and `AppAlreadyRuns` beside another app, before the screen is up.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        expected = "the screen needs a terminal; `tradedesk --help` names the commands"
        raise BadInput("terminal", "none", expected)
    from tradedesk.compose.home import home_folder

    home = home_folder()
    _check_no_app(home)
    passphrase = _passphrase_at_start(home)
    from tradedesk.app.application import TradedeskApp
    from tradedesk.compose.kept import SettingsOfHome

    @asynccontextmanager
    async def desk_of_home() -> AsyncIterator[Any]:
        from data.vocabulary import DeskKind
        from tradedesk.compose.wiring import compose_desk
        from tradedesk.socket.server import listening

        opening = compose_desk(home, kind=DeskKind.APP, faults=faults, passphrase=passphrase, told=warn)
        async with opening as desk:
            if with_demo and not desk.who.asked:
                from tradedesk.cli.commands.setup import lay_demo

                await lay_demo(desk)
            async with listening(desk, locked=lambda: app.locking.locked):
                yield desk

    def warn(words: str) -> None:
        log.warning(words)
        app.say(words, "warning")

    def warm_up() -> "Settings":
        from tradedesk.compose.foundation import prepare_home
        from tradedesk.compose.settings import load_settings

        return load_settings(prepare_home())

    kept = SettingsOfHome(home, asks=not with_demo)
    file = None if looks_only(home) else halt_file(home)
    app = TradedeskApp(desk_of_home, prepare=warm_up, halt_file=file, kept=kept)
    app.run()
    return app.return_code or 0


def _passphrase_at_start(home: Path) -> "Callable[[], str] | None":
    """The passphrase of a home whose secrets are in a file, asked for while there is no screen yet."""
    from data.sign_in.at_rest import people_in
    from tradedesk.compose.home import has_other_venues, is_on_paper

    elsewhere, people = has_other_venues(home), people_in(books_file(home))
    if is_on_paper(home) and not elsewhere and not people:
        return None
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home)
    if settings.market != "kite" and not elsewhere and not people:
        return None
    from data.secrets import passphrase_source, vault_state
    from tradedesk.cli.printing.output import say
    from tradedesk.cli.session import passphrase_of

    in_file = settings.vault == "file" or vault_state(home).backend == "file"
    if not in_file or settings.vault == "keyring" or passphrase_source(None) is not None:
        return None
    say(f"api secrets and tokens of this home are kept encrypted in {SECRETS}")
    given = passphrase_of(home)
    return lambda: given


def _check_no_app(home: Path) -> None:
    from data.writing.locks import HeldLock

    place = app_lock(home)
    if not place.exists():
        return
    lock = HeldLock(place)
    if not lock.take():
        from engine.instances import AppAlreadyRuns

        raise AppAlreadyRuns(
            f"another tradedesk app (process {lock.holder()}) is open on {home}; "
            "use that one, or the command line beside it"
        )
    lock.free()
