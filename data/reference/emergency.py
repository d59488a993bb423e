"""What a client can do at its broker when this program cannot reach it: dated rows of a table."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

OWN_APP = "the client's own app or its dealer at the broker"
"""Where a broker's own emergency path is not known."""


class _Path(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: str
    effective_from: date
    effective_to: date | None = None
    words: str
    source: str
    seen: date


@cache
def _paths() -> tuple[_Path, ...]:
    text = (files("data.reference.seed") / "emergency.toml").read_text(encoding="utf-8")
    return tuple(_Path.model_validate(row) for row in tomllib.loads(text)["path"])


def emergency_paths(broker: str, on: date) -> tuple[str, ...]:
    """A broker's emergency paths in words, as they hold on a day; the client's app where none is known."""
    found = tuple(
        path.words
        for path in _paths()
        if path.broker == broker
        and path.effective_from <= on
        and (path.effective_to is None or on <= path.effective_to)
    )
    return found or (OWN_APP,)
