"""What mends a client's gate at once: its session taken up again, its route tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from engine.words.refusals import refusal_words
from screens.clients.gate_rows import can_retry

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.desk import Desk
    from screens.frame.workspace import Framed


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


def can_mend(desk: Desk, client_id: int) -> bool:
    """Whether a client signs in somewhere, or its refused route can be tried again."""
    return desk.sessions.needs_sign_in(client_id) or can_retry(desk.gate.of(client_id))


def mend_client(screen: Framed[Any], client: ClientView) -> None:
    """Try a client's route again where the broker refused it, else sign it in."""

    async def retry() -> None:
        told = await retry_routes(screen.desk, [client.id])
        screen.shell.say(told.words, "information" if told.done else "error")

    if can_retry(screen.desk.gate.of(client.id)):
        screen.carry_out(retry())
    else:
        screen.shell.run_command(f"sign in {client.code}")


def _whose(desk: Desk, client_ids: Sequence[int]) -> str:
    return desk.clients.get(client_ids[0]).code if len(client_ids) == 1 else f"{len(client_ids)} clients"
