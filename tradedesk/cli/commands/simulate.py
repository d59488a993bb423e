"""Brokers on this machine to rehearse a morning against, and everybody's sign-in there."""

import asyncio
import errno
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.clock import IST
from data.errors import BadInput
from data.money import amount_words, paise_from_text
from data.vocabulary import Right
from engine.words import formats
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import only_for, run
from tradedesk.compose.rehearsing.usual_ports import USUAL_PORTS

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww
    from brokers.simulators.kite.server import LocalKite
    from brokers.simulators.upstox.server import LocalUpstox
    from engine.desk import Desk

simulate_app = typer.Typer(help="Rehearse against a broker on this machine.", no_args_is_help=True)


EARLIEST, LATEST = time(6), time(9, 15)
"""When a rehearsed day may begin: a session of the day before ends at 06:00, trading opens at 09:15."""


OwnPort = Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Of 127.0.0.1.")]
OwnFolder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="FOLDER", help="Where it keeps its orders and money; one of its own."),
]
OwnBegin = Annotated[
    str | None,
    typer.Option("--begin", metavar="HH:MM", help="When its days begin, from 06:00 on; 09:15 if not given."),
]


OwnSwitches = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A switch of its doubtful facts; may be repeated."),
]


@simulate_app.command("kite")
def kite(
    port: OwnPort = USUAL_PORTS["kite"],
    folder: OwnFolder = None,
    begin: OwnBegin = None,
    sign_in_port: Annotated[
        int,
        typer.Option(metavar="PORT", min=0, max=65535, help="Where sign-ins lead to; 0 for its own page."),
    ] = 0,
) -> None:
    """Serve Kite's routes and stream on loopback, over a paper exchange of its own, until interrupted."""
    from brokers.simulators.kite.serving import serve
    from tradedesk.compose.home import local_kite_folder

    begins, place = _time_of_day(begin), _place(folder, local_kite_folder)
    redirect = f"http://127.0.0.1:{sign_in_port}/" if sign_in_port else ""

    def started(server: "LocalKite") -> None:
        line(f"a local Kite answers at {server.url}; its books are in {place}")
        settings = f"TRADEDESK_MARKET=kite TRADEDESK_KITE_URL={server.url}"
        _tell_how(place, settings + (f" TRADEDESK_SIGN_IN_PORT={sign_in_port}" if sign_in_port else ""))

    _run(serve(place, port, begins=begins, redirect=redirect, on_start=started), port)


@simulate_app.command("upstox")
def upstox(
    port: OwnPort = USUAL_PORTS["upstox"],
    folder: OwnFolder = None,
    begin: OwnBegin = None,
    switches: OwnSwitches = None,
) -> None:
    """Serve Upstox's routes and streams on loopback, over a paper exchange of its own, until interrupted."""
    from brokers.simulators.upstox.serving import serve
    from tradedesk.compose.home import local_upstox_folder

    wanted = dict(_switch(one) for one in switches or ())
    begins, place = _time_of_day(begin), _place(folder, local_upstox_folder)

    def started(server: "LocalUpstox") -> None:
        line(f"a local Upstox answers at {server.url}; its books are in {place}")
        _tell_how(place, f"TRADEDESK_MARKET=upstox TRADEDESK_UPSTOX_URL={server.url}")

    _run(serve(place, port, begins=begins, switches=wanted, on_start=started), port)


@simulate_app.command("groww")
def groww(
    port: OwnPort = USUAL_PORTS["groww"],
    folder: OwnFolder = None,
    begin: OwnBegin = None,
    switches: OwnSwitches = None,
) -> None:
    """Serve Groww's routes and feed on loopback, over a paper exchange of its own, until interrupted."""
    from brokers.simulators.groww.serving import serve
    from tradedesk.compose.home import local_groww_folder

    wanted = dict(_switch(one) for one in switches or ())
    begins, place = _time_of_day(begin), _place(folder, local_groww_folder)

    def started(server: "LocalGroww") -> None:
        line(f"a local Groww answers at {server.url}; its books are in {place}")
        _tell_how(place, f"TRADEDESK_MARKET=groww TRADEDESK_GROWW_URL={server.url}")

    _run(serve(place, port, begins=begins, switches=wanted, on_start=started), port)


def _port(broker: str) -> object:
    return typer.Option(metavar="PORT", min=0, max=65535, help=f"Of {broker}.")


@simulate_app.command("all")
def all_brokers(
    kite_port: Annotated[int, _port("Kite")] = USUAL_PORTS["kite"],
    upstox_port: Annotated[int, _port("Upstox")] = USUAL_PORTS["upstox"],
    groww_port: Annotated[int, _port("Groww")] = USUAL_PORTS["groww"],
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where they keep orders and money; one of its own.")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(metavar="HH:MM", help="When their days begin, from 06:00 on; 09:15 if not given."),
    ] = None,
) -> None:
    """Serve every broker over one market, so that their prices and days agree, until interrupted."""
    from tradedesk.compose.home import local_brokers_folder

    begins, place = _time_of_day(begin), _place(folder, local_brokers_folder)
    ports = {"Kite": kite_port, "Upstox": upstox_port, "Groww": groww_port}
    try:
        asyncio.run(_serve_all(place, ports, begins))
    except* BadInput as problems:
        raise _first(problems) from None


async def _serve_all(place: Path, ports: Mapping[str, int], begins: time | None) -> None:
    """Serve until interrupted. Raises an `ExceptionGroup` of `BadInput` where one of them cannot be."""
    from brokers.simulators.groww.serving import serve as serve_groww
    from brokers.simulators.kite.serving import serve as serve_kite
    from brokers.simulators.upstox.serving import serve as serve_upstox

    serving = {"Kite": serve_kite, "Upstox": serve_upstox, "Groww": serve_groww}
    served: dict[str, str] = {}

    def started(name: str, server: "LocalKite | LocalUpstox | LocalGroww") -> None:
        served[name] = server.url
        line(f"a local {name} answers at {server.url}")
        if len(served) == len(serving):
            line(f"their books are in {place}")
            _tell_how_at_all(place, served)

    async def served_at(name: str, port: int) -> None:
        try:
            await serving[name](place, port, begins=begins, on_start=partial(started, name))
        except OSError as problem:
            raise _not_served(problem, f"{name.casefold()}-port", port) from None

    async with asyncio.TaskGroup() as all_of_them:
        for name, port in ports.items():
            all_of_them.create_task(served_at(name, port))


def _first(problems: BaseExceptionGroup[BadInput]) -> BaseException:
    """The first of them; who serves several needs to mend one after the other."""
    return problems.exceptions[0]


def _run(serving: Coroutine[object, object, None], port: int) -> None:
    """Serve one broker until interrupted. Raises `BadInput` where it cannot."""
    try:
        asyncio.run(serving)
    except OSError as problem:
        raise _not_served(problem, "port", port) from problem


def _not_served(problem: OSError, option: str, port: int) -> BadInput:
    """What to give instead: a folder where a file was at fault, else a port."""
    words = problem.strerror or str(problem)
    if problem.filename is not None:
        return BadInput("folder", str(problem.filename), f"it cannot be written ({words}); give another")
    if problem.errno == errno.EADDRINUSE:
        said = "another program listens there, perhaps a `tradedesk simulate` that still runs: end it"
        return BadInput(option, port, f"{said}, or give --{option} another one and the desk its address")
    return BadInput(option, port, f"it cannot be served ({words}); give --{option} another one")


def _place(given: Path | None, own: Callable[[], Path]) -> Path:
    return given.expanduser().absolute() if given else own()


def _tell_how(place: Path, settings: str) -> None:
    """Tell a person how to rehearse against what has started, after the address that was printed."""
    _say_how(place, settings, "tradedesk init --demo", "it")


def _tell_how_at_all(place: Path, served: Mapping[str, str]) -> None:
    """The same of every broker; an address is named where it is not the one that a desk takes by itself."""
    from tradedesk.compose.brokers.at_brokers import CONNECTIONS

    elsewhere = {
        name: url for name, url in served.items() if not url.endswith(f":{USUAL_PORTS[name.lower()]}")
    }
    settings = " ".join(f"TRADEDESK_{name.upper()}_URL={url}" for name, url in elsewhere.items())
    _say_how(place, settings, f"tradedesk init --demo --brokers {','.join(CONNECTIONS)}", "them")


def _say_how(place: Path, settings: str, init: str, them: str) -> None:
    sys.stdout.flush()  # it serves on, and who started it by a pipe waits for the address
    home = f"TRADEDESK_HOME={place.parent / 'rehearsal'}"
    say(
        f"rehearse in another terminal, in a home of its own:\n  export {home} {settings}".rstrip() + "\n"
        f"  {init} && tradedesk simulate sign-in && tradedesk\n"
        f"ctrl+c ends {them}; what happened is found again"
    )


def _switch(text: str) -> tuple[str, object]:
    """A switch's name and its value, which is JSON, or a text as it stands. Raises `BadInput`."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadInput("set", text, "give NAME=VALUE, such as tick_in_paise=false")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _time_of_day(text: str | None) -> time | None:
    """When a rehearsed day begins; None where nothing is given. Raises `BadInput`."""
    if text is None:
        return None
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = time()
    if found.tzinfo is not None or not EARLIEST <= found <= LATEST:
        raise BadInput("begin", text, f"give a time from {EARLIEST:%H:%M} to {LATEST:%H:%M}, such as 08:30")
    return found


@simulate_app.command("clock")
def clock(
    time_given: Annotated[
        str | None,
        typer.Argument(metavar="[TIME]", help="Later on the market's day: 15:20, auction, close, tomorrow."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The same, as an option.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the simulated market's time, or move it on; at the close, 16:00, the next day begins."""
    from tradedesk.compose.rehearsing.market_clock import local_time, market_time

    if to is not None and time_given is not None:
        raise BadInput("to", to, f"the time was given already: {time_given}")
    wanted = time_given if to is None else to
    if wanted is not None:
        only_for("simulate.clock", Right.SET_UP)
    if local := _local_urls():
        _show_time(asyncio.run(local_time(local, wanted)), as_json)
        return

    async def work(desk: "Desk") -> Exit:
        _show_time(await market_time(desk, wanted), as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


def _local_urls() -> list[str]:
    """Where the settings say that brokers on this machine are, by which no desk need be opened."""
    from tradedesk.compose.foundation import prepare_home
    from tradedesk.compose.settings import load_settings

    settings = load_settings(prepare_home())
    urls = (settings.kite_url, settings.upstox_url, settings.groww_url)
    return [url.rstrip("/") for url in urls if url]


def _show_time(told: tuple[datetime, date], as_json: bool) -> None:
    at, day = told
    if as_json:
        document({"market_time": at.isoformat(), "trading_day": day.isoformat()})
    else:
        line(f"{at.astimezone(IST):%d %b %Y %H:%M:%S}")


@simulate_app.command("price", context_settings={"ignore_unknown_options": True})
def price(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A share, or an index: 'NIFTY 50'.")],
    to: Annotated[
        str, typer.Argument(metavar="RUPEES|PERCENT%|walks", help="A price, or -10.2% of the last close.")
    ],
    as_json: AsJson = False,
) -> None:
    """Hold a price of the simulated market still, or let it walk again; an index may halt all of it."""
    from tradedesk.compose.rehearsing.market_clock import hold_local_price, hold_price

    only_for("simulate.price", Right.SET_UP)

    def show(told: tuple[str, int]) -> None:
        if as_json:
            document({"symbol": told[0], "ltp_paise": told[1]})
        else:
            line(f"{told[0].partition(':')[2]} {formats.price(told[1])}")

    if local := _local_urls():
        show(asyncio.run(hold_local_price(local, symbol, to)))
        return

    async def work(desk: "Desk") -> Exit:
        show(await hold_price(desk, symbol, to))
        return Exit.DONE

    run(work, needs_secrets=False)


@simulate_app.command("pay")
def pay(
    client: Annotated[str, typer.Argument(metavar="CODE", help="The client's code or id.")],
    way: Annotated[str, typer.Argument(metavar="in|out", help="Paid in, or out.")],
    amount: Annotated[str, typer.Argument(metavar="RUPEES", help="How much.")],
    as_json: AsJson = False,
) -> None:
    """Have a client pay money in or out at the paper exchange; the desk meets it as it compares the books."""
    if way not in ("in", "out"):
        raise BadInput("way", way, "give in or out")
    paise = paise_from_text(amount, "amount")
    only_for("simulate.pay", Right.SET_UP)

    async def work(desk: "Desk") -> Exit:
        from brokers.simulators.exchange.accounts import pay as paid
        from tradedesk.compose.brokers.paper import exchange_of

        code, exchange = desk.clients.find(client).code, exchange_of(desk)
        with exchange.transaction():
            paid(exchange.books, code, paise if way == "in" else -paise)
        free = exchange.funds(code).available_paise
        if as_json:
            document({"code": code, "available_paise": free})
        else:
            line(f"{code} has {amount_words(free)} free at the paper exchange")
        return Exit.DONE

    run(work, needs_secrets=False)


@simulate_app.command("sign-in")
def sign_in(
    clients: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIENT]...", help="Codes or ids; else all who are due.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign clients in at the brokers on this machine, as their browsers would."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.compose.rehearsing.rehearsal import request_token

        wanted = [desk.clients.find(one) for one in clients] if clients else desk.sessions.due()
        done: list[str] = []
        failed: dict[str, str] = {}
        for client in wanted:
            try:
                await desk.sessions.sign_in(client.id, await request_token(desk, client))
                done.append(client.code)
            except BadInput as problem:
                failed[client.code] = str(problem)
        if as_json:
            document({"signed_in": done, "failed": failed})
        else:
            for code, words in failed.items():
                line(f"{code}  {words}")
            line(f"{counted(len(done), 'client')} signed in, {len(failed)} not")
        return Exit.PARTLY if failed else Exit.DONE

    run(work)
