"""A recorded day played again: on the screen, or to its end without one."""

import os
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say

if TYPE_CHECKING:
    from tradedesk.compose.rehearsing.replaying import Replay


def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A recording: HOME/recordings/DAY.prices.")
    ] = None,
    ticks: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Ticks of a day instead: time, symbol, price.")
    ] = None,
    speed: Annotated[float, typer.Option(metavar="N", help="1 to 60 times as fast.")] = 1.0,
    begins: Annotated[str | None, typer.Option("--from", metavar="HH:MM", help="From then on.")] = None,
    events: Annotated[
        bool, typer.Option(help="Print what happened to orders, alerts and runs, and play nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play a recorded day with the demonstration's clients, in a home of its own beside this one's books.

    With `--json` it is played to its end without a screen, and prints what each instrument ended at.
    """
    source = file or ticks
    if source is None or (file is not None and ticks is not None):
        raise BadInput("file", "", "give a recording, or --ticks with a CSV file")
    if events:
        _print_happened(source, as_json)
        return
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.rehearsing.replaying import replay_of

    made = replay_of(source, home_folder(), speed, None if begins is None else time_from(begins))
    os.environ["TRADEDESK_HOME"] = str(made.home)
    say(f"played in a home of its own: {made.home}")
    if as_json:
        import asyncio

        document(asyncio.run(_played(made)))
        raise typer.Exit(Exit.DONE)
    from tradedesk.cli.start import open_screen

    raise typer.Exit(open_screen(with_demo=True, replay=made))


def time_from(text: str) -> time:
    """A time of the day as typed. Raises `BadInput`."""
    try:
        return time.fromisoformat(text if len(text) != 4 else f"0{text}")
    except ValueError:
        raise BadInput("from", text, "give a time in India, such as 09:45") from None


def _print_happened(file: Path, as_json: bool) -> None:
    """What a recording has beside its prices, a line each or as JSON."""
    from brokers.recording.files import happened_in
    from engine.words.formats import time_of_day
    from tradedesk.cli.views.recorded import happened_shape

    found = [happened_shape(one) for one in happened_in(file)]
    if as_json:
        document(found)
        return
    for one in found:
        line(f"{time_of_day(one.at)} {one.of:<9} {one.words}")
    if not found:
        say(f"{file.name} has prices alone")


async def _played(made: "Replay") -> dict[str, object]:
    """Play it to its end; what each instrument that had a price ended at, with its bars of a minute."""
    from brokers.recording.market import instruments_in
    from data.vocabulary import DeskKind
    from tradedesk.cli.views.recorded import happened_shape
    from tradedesk.compose.rehearsing.replaying import replay_desk

    async with replay_desk(made, DeskKind.SCRIPT) as (desk, market):
        keys = [one.key for one in instruments_in(made.file)]
        await desk.market.follow(keys, "replay")
        while market.ended_at is None:
            await desk.clock.sleep(1.0)
        await desk.clock.sleep(12.0)  # until the last prices were noted
        prices = [
            {
                "symbol": key,
                "ltp_paise": tick.last_paise,
                "high_paise": tick.high_paise,
                "low_paise": tick.low_paise,
                "volume": tick.volume,
                "bars": len(desk.market.minute_bars(key)),
            }
            for key in keys
            if (tick := desk.market.quote(key)) is not None
        ]
        return {
            "home": made.home,
            "day": market.trading_day,
            "speed": made.speed,
            "from": made.begins_at,
            "to": market.ended_at,
            "prices": prices,
            "events": [happened_shape(one) for one in desk.recorded.so_far()],
        }
