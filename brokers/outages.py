"""One line a client and outage in the log, however often is tried meanwhile."""

import logging
from collections import defaultdict


class Outages:
    """What cannot be had at present, by whose it is: a client's id, or a name such as `prices`."""

    def __init__(self) -> None:
        self._out: defaultdict[object, set[str]] = defaultdict(set)

    def failed(self, log: logging.Logger, whose: object, what: str, why: object) -> None:
        """Note that `what` could not be had; logged unless something of `whose` is out already."""
        if not self._out[whose]:
            log.warning("%s could not be read: %s; further tries are not logged", what, why)
        self._out[whose].add(what)

    def over(self, whose: object, what: str) -> None:
        """Note that `what` was had; the outage has ended where nothing else is out."""
        if whose in self._out:
            self._out[whose].discard(what)
            if not self._out[whose]:
                del self._out[whose]
