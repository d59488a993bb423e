"""All benches, or those that are named: `python -m tests.bench [--list] [--rounds N] [NAME …]`.

Each runs in a process of its own. Ends with the worst of their exit codes: 1 where an aim is missed, else 2
where one was not judged, else 0.
"""

import argparse
import ast
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.frame import MISSED, MOST_LOAD, NOT_JUDGED, ROUNDS, benches

VERDICTS = {0: "met", MISSED: "MISSED", NOT_JUDGED: "not judged"}
PATIENCE_S, STEP_S = 120, 5
"""How long it is waited for the load of the bench before to fade."""


def about(name: str) -> str:
    """The first line of a bench's docstring."""
    source = (Path(__file__).parent / f"bench_{name}.py").read_text()
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def quieten() -> None:
    """Wait for a while until the machine is quiet enough to judge."""
    for _ in range(PATIENCE_S // STEP_S):
        if os.getloadavg()[0] <= MOST_LOAD:
            return
        time.sleep(STEP_S)


def main() -> int:
    known = list(benches())
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benches; all unless told")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    wrong = [name for name in options.names if name not in known]
    if wrong:
        parser.error(f"no bench is called {wrong[0]!r}; there are {', '.join(known)}")
    if options.list:
        for name in known:
            print(f"{name:<16} {about(name)}")
        return 0
    ended: dict[str, int] = {}
    for name in options.names or known:
        quieten()
        command = [sys.executable, "-m", f"tests.bench.bench_{name}", "--rounds", str(options.rounds)]
        ended[name] = subprocess.run(command, check=False).returncode
        print(flush=True)
    for name, code in ended.items():
        print(f"{name:<16} {VERDICTS.get(code, f'failed with status {code}')}")
    worse = [code for code in ended.values() if code not in VERDICTS]
    codes = set(ended.values())
    return worse[0] if worse else MISSED if MISSED in codes else NOT_JUDGED if NOT_JUDGED in codes else 0


if __name__ == "__main__":
    sys.exit(main())
