"""A command line that an open app answers: the same words, the same bodies, on the app's own desk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer.main

from tradedesk.cli.main import app, tell
from tradedesk.cli.session import Work, carry_out, hosted

if TYPE_CHECKING:
    from engine.desk import Desk

_group = typer.main.get_command(app)


async def answer(desk: "Desk", words: Sequence[str]) -> int:
    """Do a command line on this desk; returns its exit code. It prints to the `printer` that is set."""
    works: list[Work] = []
    before, code = hosted.set(works), 1
    try:
        _group.main(list(words), prog_name="tradedesk")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else code
    finally:
        hosted.reset(before)
    if not works:
        return code
    try:
        return await carry_out(desk, works[0])
    except Exception as problem:
        return tell(problem, words)
