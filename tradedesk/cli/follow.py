"""Following orders and runs: a line for each change, read from the books alone, whoever makes it.

No desk is opened for it: it asks no broker, needs no secret, and stands beside an app, beside commands, or
alone. What several commits made of an order between two looks is one line.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from data.clock import SystemClock
from data.engines.at_rest import FileAtRest, of_one_moment, opened_to_follow
from data.engines.followed import Changed, changed_since, commits_of_others, newest
from data.errors import BadInput
from data.home import books_file
from data.vocabulary import Right
from engine.words.formats import price, quantity
from engine.words.trading.orders import why_words
from engine.words.trading.runs import run_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.printing.clocks import run_stamp, wall_time
from tradedesk.cli.printing.output import document_line, line
from tradedesk.cli.printing.streams import pass_on, reader_is_gone
from tradedesk.cli.resting import NotShort, RestingClock, RestingDesk
from tradedesk.cli.session import only_for
from tradedesk.cli.views import values
from tradedesk.cli.views.orders import order_shape, run_shape
from tradedesk.compose.home import books_address

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.execution.views import RunView

LOOK_EVERY_S = 0.2
"""Seconds between two looks at whether anybody has committed."""

STANDING = "SELECT (SELECT version_num FROM alembic_version), (SELECT max(day) FROM trading_day)"


class FollowedLine(Struct, frozen=True):
    """One thing as it stands: its number, what is compared with what was printed of it, and its words."""

    number: int
    shape: dict[str, Any]
    words: str

    @property
    def compared(self) -> dict[str, Any]:
        """The shape without what passes by itself."""
        return {name: value for name, value in self.shape.items() if name != "elapsed_s"}


Read = Callable[[RestingDesk, Changed], Iterator[FollowedLine]]
"""The lines of what was changed, oldest first."""


def order_lines(client: str | None, run: int | None) -> Read:
    """Lines of orders, of one client or run where named."""

    def read(desk: RestingDesk, changed: Changed) -> Iterator[FollowedLine]:
        client_id = None if client is None else _client(desk, client)
        for order in reversed(desk.orders.all(live=None, client_id=client_id, run=run, today=run is None)):
            if changed.everything or order.id in changed.orders:
                yield FollowedLine(
                    order.id, values(order_shape(cast(Any, desk), order)), _order_words(desk, order)
                )

    return read


def run_lines(desk: RestingDesk, changed: Changed) -> Iterator[FollowedLine]:
    """Lines of runs: of those changed, and of those with an order that was."""
    for run in reversed(desk.runs.of_today()):
        moved = run.number in changed.runs or not changed.orders.isdisjoint(run.order_ids)
        if changed.everything or moved:
            yield FollowedLine(run.number, values(run_shape(run)), _run_words(desk, run))


def _client(desk: RestingDesk, code: str) -> int:
    try:
        return desk.clients.find(code).id
    except NotShort:
        raise BadInput("client", code, "no client has this code or id") from None


def _order_words(desk: RestingDesk, order: "OrderView") -> str:
    at = wall_time(cast(Any, desk), order.updated_at)
    what = f"{order.side.value} {quantity(order.quantity)} {order.tradingsymbol} {order.product.value}"
    filled = f"filled {quantity(order.filled_quantity)} at {price(order.average_paise)}"
    state = " ".join((order.state.value, *order.flags))
    told = [f"{at}  order {order.id}", desk.clients.get(order.client_id).code, what, filled, state]
    return "  ".join((*told, *filter(None, [why_words(order)])))


def _run_words(desk: RestingDesk, run: "RunView") -> str:
    return f"{run_stamp(cast(Any, desk), run)}  run {run.number}  {run.title}  {run_words(run)}"


class Follower:
    """Reads what changed since the last look. Each change is told once."""

    def __init__(self, file: FileAtRest, read: Read) -> None:
        self._file = file
        self._read = read
        self._seen: dict[int, int] = {}
        self._version: int | None = None
        self._told: dict[int, dict[str, Any]] = {}

    def standing(self) -> list[FollowedLine]:
        """What stands as the following begins. Raises `BadInput` for books of another version."""
        self._version = commits_of_others(self._file)
        with of_one_moment(self._file):
            desk = _desk(self._file)
            self._seen = newest(self._file)
            return self._fresh(self._read(desk, Changed(everything=True)))

    def changes(self) -> list[FollowedLine]:
        """What was changed since, the newest of each once; nothing where nobody has committed."""
        version = commits_of_others(self._file)
        if version == self._version:
            return []
        self._version = version
        with of_one_moment(self._file):
            changed, self._seen = changed_since(self._file, self._seen)
            if not (changed.everything or changed.orders or changed.runs):
                return []
            return self._fresh(self._read(_desk(self._file), changed))

    def _fresh(self, lines: Iterable[FollowedLine]) -> list[FollowedLine]:
        fresh = [one for one in lines if self._told.get(one.number) != one.compared]
        self._told |= {one.number: one.compared for one in fresh}
        return fresh


def _desk(file: FileAtRest) -> RestingDesk:
    """So much of a desk as lines are made with. Raises `BadInput` for books that this program cannot read."""
    from tradedesk.socket.protocol import schema_of_program

    schema, day = file.execute(STANDING).fetchone()
    if schema != schema_of_program() or day is None:
        raise BadInput("home", "its books", "are of another version: `tradedesk doctor` opens them")
    return RestingDesk(file, RestingClock(SystemClock().now(), date.fromisoformat(day)))


def follow(home: Path, read: Read, as_json: bool) -> Exit:
    """Print what stands, then each change, until ctrl+c or until nobody reads on."""
    if books_address(home):
        raise BadInput("follow", "", "it reads a file; books on a server are followed on the screen")
    if not books_file(home).exists():
        raise BadInput("home", str(home), "has no books yet: `tradedesk init` prepares it")
    only_for("follow", Right.READ_CLIENTS)
    with suppress(KeyboardInterrupt), opened_to_follow(books_file(home)) as file:
        asyncio.run(_follow(Follower(file, read), as_json))
    return Exit.DONE


async def _follow(follower: Follower, as_json: bool) -> None:
    _tell(follower.standing(), as_json)
    while not reader_is_gone():
        await SystemClock().sleep(LOOK_EVERY_S)
        _tell(follower.changes(), as_json)


def _tell(lines: Iterable[FollowedLine], as_json: bool) -> None:
    for one in lines:
        if as_json:
            document_line(one.shape)
        else:
            line(one.words)
    pass_on()
