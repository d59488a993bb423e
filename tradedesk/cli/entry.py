"""The console script. Whether an open app answers is known before anything heavy is imported."""

import gc
import os
import sys
from collections.abc import Sequence

from tradedesk.cli.printing.streams import stand_in, what_was_lost

INTERRUPTED = 130
"""The exit code of a command that was stopped by ctrl+c."""

SCREENS: tuple[list[str], ...] = ([], ["demo"])
"""What opens the screen, whose first frame waits for nothing that commands import."""

YOUNG = 50_000
"""Objects made before garbage is looked for: what is loaded and read at a start is none."""


WHILE_OPEN = (10_000, 4, 100)
"""How often garbage is looked for once a desk is up: some thousand objects at a time, in 5 ms. As many as
above hold up a key by 30 ms, and those that outlive twenty such looks by 300.
"""


def main() -> None:
    """Run the command line that was typed, and leave with its exit code."""
    gc.set_threshold(YOUNG, 20, 50)
    stdout = stand_in()
    try:
        run(sys.argv[1:])
    finally:
        lost = what_was_lost(stdout)
        if lost:
            sys.stderr.write(f"{lost}\n")


def run(words: Sequence[str]) -> None:
    """Have the open app answer where one is, else do it in this process. Raises `SystemExit`."""
    left = list(words)
    if left in SCREENS and "_TRADEDESK_COMPLETE" not in os.environ:
        sys.exit(_open_screen(left))
    if "_TRADEDESK_COMPLETE" not in os.environ:
        from tradedesk.compose.home import home_folder
        from tradedesk.socket.client import ask

        try:
            answered = ask(home_folder(), left)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; nothing was asked of the open app\n")
            sys.exit(INTERRUPTED)
        if answered.code is not None:
            sys.exit(answered.code)
        left = answered.words
        if answered.request_id is not None:
            from tradedesk.cli.session import asked_as

            asked_as.set(answered.request_id)
        if answered.request_id is None and (code := _short(left)) is not None:
            sys.exit(code)
    from tradedesk.cli.main import app

    app(left)


def _short(words: Sequence[str]) -> int | None:
    """The exit code of a command that was answered from books at rest; None where it was not."""
    from tradedesk.cli.short import OPTIONS, read_short
    from tradedesk.compose.home import home_folder

    return read_short(home_folder(), words) if words and words[0] in OPTIONS else None


def _open_screen(words: Sequence[str]) -> int:
    """Open the screen, and say why where it does not open; returns the exit code."""
    gc.disable()  # all that is loaded stays; looked for again once the desk is up
    try:
        from tradedesk.cli.start import open_screen

        return open_screen(with_demo=bool(words))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was sent stays at the broker\n")
        return INTERRUPTED
    except Exception as problem:
        from tradedesk.cli.main import tell

        return tell(problem, words)
