"""Whether this engine may trade at all: asked before anything that could lead to an order is written."""

from data.clock import IST
from data.errors import StoreAway
from data.store import Store, StoreError
from data.writing.audit_writer import standing_stop, stop_words
from engine.instances import ThisEngine
from engine.refusals import LooksOnly, TradingStopped


def store_words(store: Store) -> str:
    """Why nothing can be written, since when, and what ends that; empty while the store works."""
    if store.trouble is None:
        return ""
    since = f" since {store.trouble_since.astimezone(IST):%H:%M:%S} wall" if store.trouble_since else ""
    return (
        f"{store.trouble} ({store.database.name}{since}); once that can be written again orders leave by "
        "themselves, and `tradedesk status` says whether it can"
    )


async def require_trading(store: Store, engine: ThisEngine) -> None:
    """Refuse where the books are not to be trusted, the store takes nothing, or this engine cannot sign on.

    Raises `LooksOnly`, `TradingStopped`; cancels never ask.
    """
    if engine.looks_only:
        raise LooksOnly
    try:
        if trouble := await engine.looked_at_books() or store_words(store):
            raise TradingStopped(trouble)
        async with store.reader() as connection:  # another engine, or the doctor, may have found something
            found = await connection.run_sync(standing_stop)
    except StoreAway as problem:
        raise TradingStopped(str(problem)) from problem
    if found:
        engine.trading_disabled = stop_words(found)
        raise TradingStopped(engine.trading_disabled)
    try:
        await engine.sign_on()
    except StoreError as problem:
        raise TradingStopped(store_words(store) or str(problem)) from problem
