"""What mends a client's gate at once: its session taken up again, its route tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.refusals import refusal_words

if TYPE_CHECKING:
    from engine.desk import Desk


class Mended(Struct, frozen=True):
    """Whether it was done, and what to say of it."""

    done: bool
    words: str


async def retry_routes(desk: Desk, client_ids: Sequence[int]) -> Mended:
    """Let orders out again by routes that a broker refused."""
    try:
        for one in client_ids:
            await desk.routes.retry(one)
    except Exception as problem:
        return Mended(False, f"not retried: {refusal_words(problem)}")
    whose = _whose(desk, client_ids)
    return Mended(True, f"{whose}: the next order shows whether the broker takes this route")


async def renew_sessions(desk: Desk, client_ids: Sequence[int]) -> Mended:
    """Take sessions up again where the broker asks for no token."""
    try:
        for one in client_ids:
            await desk.sessions.sign_in(one, "")
    except Exception as problem:
        return Mended(False, f"not signed in: {refusal_words(problem)}")
    return Mended(True, f"nothing needs signing in here: {_whose(desk, client_ids)} ready without a token")


def _whose(desk: Desk, client_ids: Sequence[int]) -> str:
    return desk.clients.get(client_ids[0]).code if len(client_ids) == 1 else f"{len(client_ids)} clients"
