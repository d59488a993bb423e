"""Short reads: commands that only look, answered from books at rest without opening a desk.

Where anything is not as it must be, nothing was printed and the desk is opened as ever; so is where a value
was typed that is to be refused.
"""

import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from data.clock import SystemClock
from data.engines.at_rest import FileAtRest, FileError, as_of_one_moment
from data.home import books_file, calendar_files, certificates_folder, paper_exchange_file, settings_file
from data.sign_in.at_rest import has_people, standing
from data.vocabulary import ClientStatus
from tradedesk.cli.printing.output import Printer, printer
from tradedesk.cli.resting import NotShort, RestingClock, RestingDesk
from tradedesk.compose.home import books_address

OPTIONS: dict[str, tuple[str, ...]] = {
    "orders": ("--client", "--run"),
    "funds": ("--client",),
    "transactions": ("--client",),
    "runs": ("--day",),
    "clients": ("--status", "--group", "--search"),
    "certificate": (),
}
"""The options of each short read that take a value; all know `--json`."""

STEP_S = 2
"""Seconds that the paper exchange's time moves at most when a desk opens (`LONGEST_STEP_US` there)."""

AT_REST = (
    "SELECT (SELECT version_num FROM alembic_version), "
    "(SELECT max(day) FROM trading_day WHERE state = 'open'), "
    "(SELECT identity FROM connection WHERE broker = 'paper'), "
    "NOT EXISTS (SELECT 1 FROM connection WHERE broker <> 'paper' OR kind <> 'paper') "
    "AND NOT EXISTS (SELECT 1 FROM client WHERE connection NOT IN (SELECT name FROM connection)) "
    "AND NOT EXISTS (SELECT 1 FROM orders WHERE state IN ('OPEN', 'RESERVED', 'SENDING', 'UNKNOWN')) "
    "AND NOT EXISTS (SELECT 1 FROM orders WHERE ended_at IS NULL "
    "AND trading_date >= (SELECT max(day) FROM trading_day WHERE state = 'open')) "
    "AND NOT EXISTS (SELECT 1 FROM run WHERE finished_at IS NULL)"
)
"""The schema, the day that is open, whose books these are, and whether paper alone carries all, at rest."""


def read_short(home: Path, words: Sequence[str]) -> int | None:
    """Print what a short read shows; returns its exit code, None where a desk has to be opened for it."""
    to = _HeldPrinter()
    before = printer.set(to)
    try:
        asked = _parsed(words)
        with _at_rest(home) as desk:
            code = int(_finished(asked(desk)))
    except (NotShort, FileError, OSError, ValueError, LookupError, RecursionError):
        return None
    finally:
        printer.reset(before)
    to.play(printer.get())
    return code


class _HeldPrinter(Printer):
    """Keeps what is printed until all of it is there."""

    def __init__(self) -> None:
        self._held: list[tuple[bool, str]] = []

    def out(self, text: str) -> None:
        self._held.append((True, text))

    def err(self, text: str) -> None:
        self._held.append((False, text))

    def play(self, to: Printer) -> None:
        """Print it."""
        for is_out, text in self._held:
            (to.out if is_out else to.err)(text)


Body = Callable[["RestingDesk"], Coroutine[Any, Any, Any]]


def _parsed(words: Sequence[str]) -> Body:
    """What to do, as the words say. Raises `NotShort` for all that is not plain."""
    from tradedesk.cli.printing import reads

    if not words or words[0] not in OPTIONS:
        raise NotShort
    command, values, as_json, numbers = words[0], dict[str, str](), False, list[str]()
    rest = iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in OPTIONS[command] and name not in values:
            values[name] = value if equals else next(rest, "")
        elif word == "--json":
            as_json = True
        elif command == "certificate" and word.isdecimal() and not numbers:
            numbers.append(word)
        else:
            raise NotShort
    if "" in values.values():
        raise NotShort
    client, run = values.get("--client"), values.get("--run")
    if command == "orders":
        number = None if run is None else _number(run)
        return lambda desk: reads.orders(cast(Any, desk), False, client, number, False, as_json)
    if command == "certificate":
        return lambda desk: reads.certificate(cast(Any, desk), int(numbers[0]) if numbers else None, as_json)
    if command == "runs":
        day = None if "--day" not in values else date.fromisoformat(values["--day"].strip())
        return lambda desk: reads.runs(cast(Any, desk), day, as_json)
    if command == "clients":
        status = None if "--status" not in values else ClientStatus(values["--status"].strip().lower())
        marks = status, values.get("--group"), values.get("--search")
        return lambda desk: reads.clients(cast(Any, desk), *marks, as_json)
    body = reads.funds if command == "funds" else reads.transactions
    return lambda desk: body(cast(Any, desk), client, as_json)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise NotShort
    return int(text)


def _finished(body: Coroutine[Any, Any, Any]) -> Any:
    """What a body returns that waits for nothing."""
    try:
        body.send(None)
    except StopIteration as ended:
        return ended.value
    finally:
        body.close()
    raise NotShort


@contextmanager
def _at_rest(home: Path) -> "Iterator[RestingDesk]":
    """The books of a home at rest, as of one moment. Raises `NotShort`, `FileError`, `ValueError`."""
    from tradedesk.socket.protocol import schema_of_program

    if not paper_exchange_file(home).exists() or calendar_files(home) or _is_elsewhere(home):
        raise NotShort
    if books_address(home):
        raise NotShort
    if any(certificates_folder(home).glob("unbooked-*")):
        raise NotShort
    with as_of_one_moment(books_file(home)) as books, as_of_one_moment(paper_exchange_file(home)) as exchange:
        schema, opened_day, exchange_id, at_rest = books.execute(AT_REST).fetchone()
        market_us, wall_us, day = exchange.execute(
            "SELECT market_us, wall_us, trading_day FROM state"
        ).fetchone()
        (identity,) = exchange.execute("SELECT id FROM identity").fetchone()
        if has_people(books) and not _may_read(home, books):
            raise NotShort
        if not at_rest or schema != schema_of_program() or opened_day != day or str(identity) != exchange_id:
            raise NotShort
        yield RestingDesk(books, _market(market_us, wall_us, day))


def _may_read(home: Path, books: FileAtRest) -> bool:
    """Whether who is signed in may see all that there is; the desk itself refuses everybody else."""
    from tradedesk.compose.seats import kept_token

    found = standing(books, kept_token(home), SystemClock().now())
    return found is not None and found.everybody


def _is_elsewhere(home: Path) -> bool:
    """Whether the settings name another venue. A look at the books depends on no other of them."""
    environment = {name.upper(): value for name, value in os.environ.items()}
    named: object = environment.get("TRADEDESK_MARKET") or None
    if named is None and settings_file(home).exists():
        import tomllib

        given = tomllib.loads(settings_file(home).read_bytes().decode("utf-8-sig"))
        named = {name.lower(): value for name, value in given.items()}.get("market")
    return named not in (None, "paper")


def _market(market_us: int, wall_us: int, day: str) -> "RestingClock":
    """The market's time as an opened desk would have it. Raises `NotShort` near a change of phase."""
    passed_us = int(SystemClock().now().timestamp() * 1_000_000) - wall_us
    step_us = min(max(0, passed_us), STEP_S * 1_000_000)
    minute_us = 60_000_000
    if market_us // minute_us != (market_us + STEP_S * 1_000_000) // minute_us:
        raise NotShort
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=market_us + step_us)
    return RestingClock(at, date.fromisoformat(day))
