"""Waiting for what the desk tells of, for a while."""

import asyncio
from collections.abc import Callable

from data.clock import Clock
from engine.events import Bus


async def until(bus: Bus, clock: Clock, done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done`, looking after each event, at most `seconds`; returns whether it is."""
    moved = asyncio.Event()
    unsubscribe = bus.subscribe(lambda _event: moved.set())

    async def wait() -> None:
        while not done():
            moved.clear()
            await moved.wait()

    waiting = asyncio.ensure_future(wait())
    patience = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        unsubscribe()
        waiting.cancel()
        patience.cancel()
        await asyncio.gather(waiting, patience, return_exceptions=True)
    return done()
