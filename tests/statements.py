"""The statements that are run while a test looks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that this thread runs meanwhile, once for however many rows of cells it takes."""
    found: list[str] = []
    here = threading.get_ident()

    def seen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == here:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", seen)
