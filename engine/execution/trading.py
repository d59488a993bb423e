"""Whether this engine may trade at all: asked before anything that could lead to an order is written."""

from data.store import Store, StoreError
from data.writing.audit_writer import standing_stop, stop_words
from engine.instances import ThisEngine
from engine.refusals import TradingStopped


async def require_trading(store: Store, engine: ThisEngine) -> None:
    """Refuse where the books are not to be trusted, the store takes nothing, or this engine cannot sign on.

    Raises `TradingStopped`; cancels never ask.
    """
    if trouble := await engine.looked_at_books() or store.trouble:
        raise TradingStopped(trouble)
    async with store.reader() as connection:  # another engine, or the doctor, may have found something
        found = await connection.run_sync(standing_stop)
    if found:
        engine.trading_disabled = stop_words(found)
        raise TradingStopped(engine.trading_disabled)
    try:
        await engine.sign_on()
    except StoreError as problem:
        raise TradingStopped(str(problem)) from problem
