"""Whether this engine may trade at all: asked before anything that could lead to an order is written."""

from data.audit_writer import standing_stop, stop_words
from data.store import StoreError
from engine.boot import boot_problem
from engine.parts import Parts
from engine.refusals import TradingStopped


async def require_trading(parts: Parts) -> None:
    """Refuse where the books are not to be trusted, the store takes nothing, or this engine cannot sign on.

    Raises `TradingStopped`; cancels never ask.
    """
    if parts.distrust is None:  # a command looks only before it trades
        parts.distrust = await boot_problem(parts)
    if trouble := parts.distrust or parts.store.trouble:
        raise stopped(trouble)
    async with parts.store.reader() as connection:  # another engine, or the doctor, may have found something
        found = await connection.run_sync(standing_stop)
    if found:
        parts.distrust = stop_words(found)
        raise stopped(parts.distrust)
    try:
        await parts.sign_on()
    except StoreError as problem:
        raise stopped(str(problem)) from problem


def stopped(why: str) -> TradingStopped:
    """The refusal, with why trading is stopped."""
    return TradingStopped(f"trading is stopped: {why}; cancels still go")
