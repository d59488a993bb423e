"""What goes between a remote broker and the chaos broker: pickled frames, each behind its length.

Both ends are processes of one test run; nothing from outside is ever unpickled.
"""

import asyncio
import copyreg
import pickle
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from brokers.contract import (
    BrokerAccount,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerTrade,
    Heartbeat,
    OrderRequest,
    OrderUpdate,
    Tick,
)
from data.records import field_names


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the contract (or of the harness, `control`), answered under the same number."""

    number: int
    method: str
    args: tuple[Any, ...]


def _pickle_by_place(kind: type[Any]) -> None:
    """Pickle a dataclass as a call with its values, several times faster than a slotted one's own way."""
    values = attrgetter(*field_names(kind))
    copyreg.pickle(kind, lambda one: (kind, values(one)))


for _kind in (
    Call,
    BrokerAccount,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerTrade,
    Heartbeat,
    OrderRequest,
    OrderUpdate,
    Tick,
):
    _pickle_by_place(_kind)


def pack(frame: object) -> bytes:
    """A frame as bytes, with its length before it."""
    body = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(4, "big") + body


async def unpack(reader: asyncio.StreamReader) -> Any:
    """The next frame. Raises `asyncio.IncompleteReadError` or `OSError` where the connection ends."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    return pickle.loads(await reader.readexactly(size))


Answer = tuple[int | None, bool, Any, int, date]
"""Number of the call (None: an event of the stream), whether it went well, the value or the exception, and
the market's time in microseconds with its trading date as of then."""
