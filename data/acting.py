"""Who acts: whoever gave the command that is carried out, and by which way they came to the desk.

What a task writes is theirs in whose name the task began; the engine's own tasks came by no way.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from msgspec import Struct

from data.vocabulary import Via


class Actor(Struct, frozen=True):
    """Somebody who acts; `via` is None for what the desk does by itself, on their behalf.

    Where people sign in, `sign_in` is the one by which they came, empty for who is not signed in, and
    `version` that of their rights when they did. `token_until` is when the token that they came by ends,
    where a service has to renew it for them to go on.
    """

    name: str
    via: Via | None = None
    sign_in: str = ""
    version: int = 0
    token_until: datetime | None = None


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def acting_now() -> Actor | None:
    """Who acts in this task or unit of work; None where nobody but the home's own trader is meant."""
    return _acting.get()


def actor_now(trader: str) -> str:
    """The name of who acts: the home's own `trader` where nobody else is meant."""
    actor = _acting.get()
    return trader if actor is None else actor.name


@contextmanager
def acting(actor: Actor | None) -> Generator[None]:
    """Have `actor` act within the context, and in every task that is begun in it."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
