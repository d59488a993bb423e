"""The console script. Whether an open app answers is known before anything heavy is imported."""

import os
import sys
from collections.abc import Sequence

from tradedesk.cli.streams import stand_in, what_was_lost

INTERRUPTED = 130
"""The exit code of a command that was stopped by ctrl+c."""


def main() -> None:
    """Run the command line that was typed, and leave with its exit code."""
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
    if "_TRADEDESK_COMPLETE" not in os.environ:
        from tradedesk.compose.home import home_folder
        from tradedesk.socket.client import ask

        try:
            answered = ask(home_folder(), left)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; nothing was asked of the open app\n")
            sys.exit(INTERRUPTED)
        if isinstance(answered, int):
            sys.exit(answered)
        left = answered
    from tradedesk.cli.main import app

    app(left)
