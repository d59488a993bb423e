"""What each commit changed, read from SQLite's own file as it stands, with nothing else imported."""

import json
from collections.abc import Mapping

from msgspec import Struct, field

from data.engines.at_rest import FileAtRest
from data.vocabulary import Topic

NEWEST = "SELECT desk, max(seq) FROM change GROUP BY desk"
SINCE = "SELECT topic, ids FROM change WHERE desk = ? AND seq > ? ORDER BY seq"


class Changed(Struct):
    """Numbers of orders and runs that were changed; `everything` where it is not known which."""

    orders: set[int] = field(default_factory=set[int])
    runs: set[int] = field(default_factory=set[int])
    everything: bool = False


def commits_of_others(file: FileAtRest) -> int:
    """A number that is another one after somebody else's commit."""
    return int(file.execute("PRAGMA data_version").fetchone()[0])


def newest(file: FileAtRest) -> dict[int, int]:
    """The newest row of each desk."""
    return {int(desk): int(seq) for desk, seq in file.execute(NEWEST)}


def changed_since(file: FileAtRest, seen: Mapping[int, int]) -> tuple[Changed, dict[int, int]]:
    """What was changed beyond `seen`, and how far that is; a gap means everything."""
    changed, standing = Changed(), newest(file)
    for desk, last in standing.items():
        before = seen.get(desk, 0)
        rows = file.execute(SINCE, (desk, before)).fetchall() if last != before else []
        if len(rows) != last - before:
            changed.everything = True
        for topic, ids in rows:
            _take(changed, topic, ids)
    return changed, dict(seen) | standing


def _take(changed: Changed, topic: object, ids: str) -> None:
    if topic == Topic.ORDERS:
        changed.orders.update(json.loads(ids))
    elif topic == Topic.RUNS:
        changed.runs.update(json.loads(ids))
    elif topic not in set(Topic) or topic == Topic.EVERYTHING:
        changed.everything = True
