"""Commands that only read, on a home at rest and beside the open app, against importing Textual.

`import textual.app, textual.widgets` in a fresh process is the measure. The home has 1,000 clients. What the
processor works beside the app is that of both processes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.bench.frame import Aim, Bench, Figures, Spent
from tests.bench.homes import (
    IMPORT_TEXTUAL,
    command_seconds,
    command_spent,
    laid_home,
    open_app,
    process_spent,
)

READS = (("orders",), ("funds",), ("runs",), ("clients",), ("transactions",))
WARM_S = 6.0
"""How long an app has been open before it is asked: by then it has imported and compiled ahead."""

AIMS = (Aim("at rest", 2.0), Aim("beside the app", 0.5))


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One home for all rounds: reading changes nothing."""
    with laid_home(options.clients) as home:

        def measure() -> Figures:
            base = process_spent(IMPORT_TEXTUAL)
            rest = {words[0]: command_seconds(home, *words, "--json") / base.wall for words in READS}
            beside: list[Spent] = []
            with open_app(home) as app:
                time.sleep(WARM_S)
                for words in READS:
                    worked = app.worked()
                    asked = command_spent(home, *words, "--json")
                    beside.append(Spent(asked.wall, asked.cpu + app.worked() - worked))
            return {
                "at rest": max(rest.values()),
                "beside the app": max(one.wall for one in beside) / base.wall,
                "beside by processor": max(one.cpu for one in beside) / base.cpu,
                **rest,
                "import textual s": base.wall,
                "import textual cpu s": base.cpu,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
