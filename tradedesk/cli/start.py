"""Opening the screen on a home. Apart from the commands, so that the first frame waits for none."""

import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import BadInput
from data.home import SECRETS, app_lock, halt_file
from tradedesk.cli.emergency import looks_only

if TYPE_CHECKING:
    from brokers.recording.market import RecordedMarket
    from brokers.simulators.faults.menu import Faults
    from engine.desk import Desk
    from tradedesk.compose.rehearsing.replaying import Replay
    from tradedesk.compose.settings import Settings

log = logging.getLogger(__name__)


def check_terminal() -> None:
    """Refuse to draw where nobody sees it. Raises `BadInput` with the stream that is redirected.

    Where that is standard error alone, which the screen is drawn on, the words go to standard output too:
    whoever sits there would see nothing at all.
    """
    streams = {"input": sys.stdin, "output": sys.stdout, "error": sys.stderr}
    elsewhere = [name for name, stream in streams.items() if not stream.isatty()]
    if len(elsewhere) == len(streams):
        raise BadInput(
            "terminal", "none", "the screen needs a terminal; `tradedesk --help` names the commands"
        )
    if elsewhere:
        redirected = f"standard {' and '.join(elsewhere)} redirected"
        log_file = "; the log is in the home's logs folder" if "error" in elsewhere else ""
        problem = BadInput("terminal", redirected, f"the screen needs a terminal: start it without{log_file}")
        if elsewhere == ["error"]:
            sys.stdout.write(f"tradedesk: {problem}\n")
        raise problem


def open_screen(
    with_demo: bool,
    faults: "Faults | None" = None,
    plays_day: bool = False,
    replay: "Replay | None" = None,
) -> int:
    """Open the screen on the home and return its exit code once it is left.

    `replay` is played in a home of its own, which `TRADEDESK_HOME` has to name.
    With `plays_day` the paper market's day is played as soon as the desk is open.

    Raises `BadInput` away from a terminal and `AppAlreadyRuns` beside another app, before the screen is up.
    """
    check_terminal()
    from tradedesk.compose.home import home_folder

    home = home_folder()
    _check_no_app(home)
    passphrase = _passphrase_at_start(home)
    from tradedesk.app.application import TradedeskApp
    from tradedesk.compose.kept import SettingsOfHome

    @asynccontextmanager
    async def desk_of_home() -> AsyncIterator[Any]:
        from data.vocabulary import DeskKind
        from tradedesk.compose.metrics import metrics_page
        from tradedesk.compose.settings import load_settings
        from tradedesk.compose.wiring import compose_desk
        from tradedesk.socket.server import listening

        if replay is not None:
            from engine.background import beside
            from tradedesk.compose.rehearsing.replaying import replay_desk

            async with (
                replay_desk(replay, DeskKind.APP) as (desk, market),
                listening(desk, locked=lambda: app.locking.locked),
                beside(_tell_end(desk, market, app.say)),
            ):
                yield desk
            return
        opening = compose_desk(home, kind=DeskKind.APP, faults=faults, passphrase=passphrase, told=warn)
        async with opening as desk:
            if with_demo and not desk.who.asked:
                from tradedesk.cli.commands.setup import lay_demo

                await lay_demo(desk)
            async with listening(desk, locked=lambda: app.locking.locked), AsyncExitStack() as playing:
                await playing.enter_async_context(metrics_page(desk, load_settings(home).metrics_port))
                if plays_day:
                    await playing.enter_async_context(_played(desk, app.say))
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


@asynccontextmanager
async def _played(desk: "Desk", say: Callable[[str], None]) -> AsyncIterator[None]:
    """Play the paper market's day meanwhile, and say what happens in it."""
    from engine.background import beside

    async def play() -> None:
        from tradedesk.compose.demo.day import played_day

        async for told in played_day(desk):
            say(": ".join([one for one in (told.line, told.words) if one]))

    async with beside(play()):
        yield


async def _tell_end(desk: "Desk", market: "RecordedMarket", say: Callable[[str, str], None]) -> None:
    """Say that a recording has come to its end, where its market stands."""
    from data.clock import IST

    while market.ended_at is None:
        await desk.clock.sleep(1.0)
    ended = market.ended_at.astimezone(IST)
    say(f"the recording ends here, {ended:%H:%M:%S}: the market stands", "warning")


def _passphrase_at_start(home: Path) -> "Callable[[], str] | None":
    """The passphrase of a home whose secrets are in a file, asked for while there is no screen yet."""
    from tradedesk.compose.home import has_alert_channels, has_other_venues, has_people, is_on_paper

    needed = has_other_venues(home) or has_people(home) or has_alert_channels(home)
    if is_on_paper(home) and not needed:
        return None
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home)
    if settings.market == "paper" and not needed:
        return None
    from data.secrets import passphrase_source
    from tradedesk.cli.printing.output import say
    from tradedesk.cli.session import passphrase_of
    from tradedesk.compose.vaults import vault_standing

    if vault_standing(home, settings).backend != "file" or passphrase_source(None) is not None:
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
