"""Commands that only read, on a home at rest and beside the open app, against importing Textual.

`import textual.app, textual.widgets` in a fresh process is the measure. The home has 1,000 clients.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import IMPORT_TEXTUAL, command_seconds, laid_home, open_app, process_seconds

READS = (("orders",), ("funds",), ("runs",), ("clients",), ("transactions",))
AIMS = (Aim("at rest", 2.0), Aim("beside the app", 0.5))


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One home for all rounds: reading changes nothing."""
    with laid_home(options.clients) as home:

        def measure() -> Figures:
            base = process_seconds(IMPORT_TEXTUAL)
            rest = {words[0]: command_seconds(home, *words, "--json") / base for words in READS}
            with open_app(home):
                beside = {words[0]: command_seconds(home, *words, "--json") / base for words in READS}
            return {
                "at rest": max(rest.values()),
                "beside the app": max(beside.values()),
                **rest,
                "import textual s": base,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
