"""The start of the app, to its first frame and to the open desk, against importing Textual.

Textual is imported in a fresh process. A terminal of the app's own is watched for what is painted. The desk
is up when its own screen is there, with 50 clients and with 1,000, on homes that were opened before. What of
it the processor worked is told beside: others that keep the machine busy change it little.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import IMPORT_TEXTUAL, environment, laid_home, process_seconds
from tests.bench.terminal import Terminal

FEW, MANY = 50, 1000
AIMS = (Aim("first frame", 3.0), Aim(f"desk up, {FEW} clients", 7.0), Aim(f"desk up, {MANY} clients", 7.0))
FIRST, UP = "tradedesk", "Watchlist"
"""What the opening screen and the desk's own screen show, each in one piece."""


def start(home: Path) -> tuple[float, float, float]:
    """Seconds until the first frame and until the desk is up, and the processor's until then."""
    with Terminal((sys.executable, "-m", "tradedesk.cli"), environment(home)) as terminal:
        first = terminal.wait_for(FIRST) - terminal.began
        return first, terminal.wait_for(UP) - terminal.began, terminal.worked()


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Two homes, opened by each round."""
    with laid_home(FEW) as few, laid_home(MANY) as many:

        def measure() -> Figures:
            before = os.times()
            base = process_seconds(IMPORT_TEXTUAL)
            after = os.times()
            worked = after.children_user + after.children_system
            worked -= before.children_user + before.children_system
            first, up, worked_few = start(few)
            first_many, up_many, worked_many = start(many)
            return {
                "first frame": max(first, first_many) / base,
                f"desk up, {FEW} clients": up / base,
                f"desk up, {MANY} clients": up_many / base,
                f"of the processor alone, {FEW}": worked_few / worked,
                f"of the processor alone, {MANY}": worked_many / worked,
                "import textual s": base,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
