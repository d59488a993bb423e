"""A firm rehearsed on this machine: up, traded, halted, proved and taken down again."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text, decimal_from_text
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table

if TYPE_CHECKING:
    from tradedesk.rehearsal.chaos import Chaos
    from tradedesk.rehearsal.measured import Rehearsed, Waited

firm_app = typer.Typer(
    help="A firm: several desks on one database, rehearsed on this machine.", no_args_is_help=True
)

ORDERS_A_CLIENT = 10
"""Orders a minute of each client, unless said."""

MOST = 1000


@firm_app.command("rehearse")
def rehearse(
    desks: Annotated[str, typer.Option(metavar="N", help="Desks, each a process.")] = "4",
    clients: Annotated[str, typer.Option(metavar="M", help="Clients of each desk.")] = "25",
    minutes: Annotated[str, typer.Option(metavar="T", help="How long they trade.")] = "2",
    orders: Annotated[
        str | None,
        typer.Option(metavar="N", help="Orders a minute of all desks; ten of each client if not given."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="D", help="An empty folder where homes and logs are kept.")
    ] = None,
    database: Annotated[
        str,
        typer.Option(
            metavar="URL", envvar="TRADEDESK_REHEARSE_DATABASE", help="An empty PostgreSQL database."
        ),
    ] = "",
    redis: Annotated[
        str,
        typer.Option(metavar="URL", envvar="TRADEDESK_REHEARSE_REDIS", help="A Redis that nobody else uses."),
    ] = "",
    seed: Annotated[str, typer.Option(metavar="N", help="Of all dice.")] = "1",
    writers: Annotated[
        str, typer.Option(metavar="N", help="Writers that are measured after the desks; 0 for none.")
    ] = "20",
    rounds: Annotated[
        str,
        typer.Option("--chaos", metavar="ROUNDS", help="Kill and freeze every process so often instead."),
    ] = "0",
    as_json: AsJson = False,
) -> None:
    """Rehearse a firm on this machine, and print what it came to: nothing of it is left afterwards.

    PostgreSQL and Redis come from wheels (the extra `rehearse`) unless addresses are given. The broker is a
    stand-in on loopback that takes as long as one does, rejects one order of a hundred, and answers nobody
    for a while. Ends with 8 where the books do not end as the broker's.

    With `--chaos` rounds are made of everything that may die: a desk and each process beside it is killed or
    frozen as the desks trade, PostgreSQL and Redis are restarted, frozen or emptied; the books are held to
    the broker's after each.
    """
    from tradedesk.rehearsal.chaos import Chaos, chaos
    from tradedesk.rehearsal.firm import Size
    from tradedesk.rehearsal.lines import Silent
    from tradedesk.rehearsal.rehearsal import Load, rehearse

    size = Size(
        _up_to(desks, "desks"), _up_to(clients, "clients"), count_from_text(seed, "seed"), database, redis
    )
    lasts = float(decimal_from_text(minutes, "minutes", "give minutes such as 2 or 0.5"))
    if not 0 < lasts <= MOST:
        raise BadInput("minutes", minutes, f"give minutes above 0 and up to {MOST}")
    a_minute = (
        ORDERS_A_CLIENT * size.desks * size.clients if orders is None else count_from_text(orders, "orders")
    )
    kept = None if folder is None else folder.expanduser().absolute()
    if kept is not None and kept.exists() and any(kept.iterdir()):
        raise BadInput("folder", str(kept), "give a folder that is empty or not there")

    load, times = Load(lasts, a_minute, count_from_text(writers, "writers")), count_from_text(rounds, "chaos")

    async def until_told() -> "Rehearsed | Chaos":
        work = chaos(size, load, times, kept, say) if times else rehearse(size, load, kept, say)
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        found = asyncio.run(until_told())
    except Silent as problem:
        say(f"tradedesk: the rehearsal was broken off: {problem}; --folder keeps what its processes said")
        raise typer.Exit(Exit.INTERNAL) from None
    except asyncio.CancelledError:
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        document(found)
    elif isinstance(found, Chaos):
        _show_chaos(found)
    else:
        _show(found)
    raise typer.Exit(Exit.DONE if found.holds else Exit.NOT_VERIFIED)


@firm_app.command("servers")
def servers(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where they keep what they have.")],
    as_json: AsJson = False,
) -> None:
    """A PostgreSQL and a Redis from wheels to try a firm on, until ctrl+c; what they have is found again.

    They listen on sockets of the folder alone, whose path is to be short, and ask for no password: whoever
    may enter the folder may do everything.
    """
    from tradedesk.rehearsal.servers import servers_in

    place = folder.expanduser().absolute()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    over = Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: over.set())
    with servers_in(place) as up:
        if as_json:
            document(up)
        else:
            line(f"PostgreSQL, as the owner of the books: {up.owner_url}")
            line(f"PostgreSQL, as a desk: {up.desk_url}")
            line(f"Redis: {up.redis_url}")
        sys.stdout.flush()  # they go on, and who started them by a pipe waits for the addresses
        over.wait()


def _up_to(text: str, field: str) -> int:
    """A number from 1. Raises `BadInput`."""
    found = count_from_text(text, field)
    if not 1 <= found <= MOST:
        raise BadInput(field, text, f"give 1 to {MOST}")
    return found


def _show(found: "Rehearsed") -> None:
    began, ended = found.load
    line(
        f"{counted(found.desks, 'desk')}, each a process, with {counted(found.clients, 'client')} on"
        f" {counted(found.cores, 'core')} for {found.minutes:g} min; load of the machine {began:.1f} to"
        f" {ended:.1f}"
    )
    table(("what", ">figure"), list(_rows(found)))
    if found.top:
        line()
        table(
            (">ms", ">calls", "statement"),
            [(f"{ms:.0f}", str(calls), text[:90]) for text, calls, ms in found.top],
        )
    line()
    proof = found.proof
    line(
        f"held to the broker: {proof.orders} orders, {proof.fills} fills; {proof.twice} twice,"
        f" {proof.unaccounted} unaccounted, {proof.paise} paise apart, {proof.in_doubt} in doubt;"
        f" {'every doctor well' if proof.holds else 'NOT WELL'}"
    )
    for words in proof.wrong:
        line(f"  {words}")
    if found.desks * 2 > found.cores:
        say(
            "these processes share the machine's cores; a larger one is rehearsed on by"
            " --desks 100 --clients 10 --minutes 15"
        )


def _show_chaos(found: "Chaos") -> None:
    happened = Counter(one.event for one in found.rounds)
    rows = [(event, str(count), str(found.well.get(event, 0))) for event, count in sorted(happened.items())]
    table(("what happened", ">rounds", ">well"), rows)
    last = found.rounds[-1].held
    line(f"{last.orders} orders, {last.fills} fills held to the broker after {len(found.rounds)} rounds")
    for words in last.wrong:
        line(f"  {words}")


def _rows(found: "Rehearsed") -> Iterator[tuple[str, str]]:
    yield "orders a minute", str(found.orders_a_minute)
    yield "key to reserved, p50 / p99", _waited(found.reserved)
    yield "key to broker, p50 / p99", _waited(found.at_broker)
    yield "broker to the owner's books, p50 / p99", _waited(found.booked)
    yield f"statements a commit, of {found.commits}", f"{found.statements_a_commit:.1f}"
    if (wrote := found.writers) is not None:
        whose = f"{counted(wrote.writers, 'writer')}, no screen, no broker"
        yield f"{whose}: orders a minute", str(wrote.orders_a_minute)
        yield (
            "  commits a second / statements a commit",
            f"{wrote.commits_a_second} / {wrote.statements_a_commit}",
        )
    halt = found.halt
    yield f"halt of the firm with {halt.live} live orders: all desks know", f"{halt.known_ms} ms"
    yield "  last cancel at the broker", f"{halt.last_cancel_ms} ms"
    yield f"  certificate, {counted(halt.unread, 'client')} unread", f"{halt.certificate_ms} ms"
    memory = found.memory_mb
    desks = [mb for name, mb in memory.items() if name.startswith("desk")]
    yield "memory of a desk, mean / most", f"{sum(desks) // max(1, len(desks))} / {max(desks, default=0)} MB"
    for name, mb in memory.items():
        if not name.startswith("desk"):
            yield f"memory of {name}", f"{mb} MB"


def _waited(what: "Waited") -> str:
    return f"{what.p50_ms} / {what.p99_ms} ms"
