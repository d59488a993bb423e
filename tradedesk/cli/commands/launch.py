"""The commands that open the screen: on the home, or on the demonstration."""

from typing import Annotated

import typer

from tradedesk.cli.start import open_screen


def open_app() -> None:
    """Open the screen on the home.

    Raises `BadInput` away from a terminal and `AppAlreadyRuns` beside another app, before the screen is up.
    """
    _leave(open_screen(with_demo=False))


def demo(
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="FAULTS",
            help="Rehearse a broker that goes wrong: `storm`, `answers`, `stream`, or `fault=share,…`.",
        ),
    ] = None,
) -> None:
    """Open the screen on the demonstration; its market and clients are laid into an empty home first."""
    if faults is None:
        _leave(open_screen(with_demo=True))
        return
    from brokers.simulators.faults.menu import faults_from_text

    _leave(open_screen(with_demo=True, faults=faults_from_text(faults)))


def _leave(code: int) -> None:
    if code:
        raise typer.Exit(code)
