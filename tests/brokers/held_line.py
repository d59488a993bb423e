"""The way to a broker, on which connecting can be held."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from urllib3.util import connection as connecting

LONGEST_S = 30.0


class Line:
    """Holds connecting while it is shut; counts the connections held and made."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.held = 0
        self.made = 0

    def shut(self) -> None:
        self.free.clear()

    def open(self) -> None:
        self.free.set()


@contextmanager
def held_line() -> Iterator[Line]:
    """Every connection of this process by HTTP goes by a line that a test may shut."""
    line, connect = Line(), connecting.create_connection

    def connect_by_line(*args: Any, **options: Any) -> Any:
        line.held += not line.free.is_set()
        line.free.wait(LONGEST_S)
        line.made += 1
        return connect(*args, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connecting, "create_connection", connect_by_line)
        try:
            yield line
        finally:
            line.open()
