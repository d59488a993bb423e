"""`python -m tests.oracle record FOLDER [SEEDS]`, `compare OLD NEW`, `keep`."""

import json
import sys
from pathlib import Path

from tests.oracle.recording import GOLDEN, golden, parts, record


def main(arguments: list[str]) -> int:
    """Run one of the three; 1 where recordings differ, 2 where the words are none of these."""
    match arguments:
        case ["record", folder]:
            record(Path(folder), range(1, 101))
        case ["record", folder, seeds] if seeds.isdecimal():
            record(Path(folder), range(1, int(seeds) + 1))
        case ["compare", old, new]:
            differing = list(parts(Path(old), Path(new)))
            print("\n".join(differing) or "the same, row by row")
            return 1 if differing else 0
        case ["keep"]:
            GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n", encoding="utf-8")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
