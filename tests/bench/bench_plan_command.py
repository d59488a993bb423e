"""`tradedesk plan` for 1,000 clients as a command: beside the open app, and alone beyond what opening takes.

What opening takes is that of `tradedesk search` on the same home, which opens the desk and reads no
client's books. The paper exchange answers at once, so that only the program's own time counts.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import SYMBOL, command_seconds, copy_of, laid_home, open_app

AIMS = (Aim("with the app open", 1.0, "s"), Aim("beyond opening", 1.0, "s"))
PLAN = ("plan", "buy", SYMBOL, "--percent", "25", "--json")


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """A home made once and copied for each round."""
    with laid_home(options.clients) as template:

        def measure() -> Figures:
            with copy_of(template) as home:
                alone = command_seconds(home, *PLAN)
                opening = command_seconds(home, "search", SYMBOL, "--json")
                with open_app(home):
                    beside = command_seconds(home, *PLAN)
            return {"with the app open": beside, "beyond opening": alone - opening, "alone s": alone}

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
