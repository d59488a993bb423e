"""Signing clients in at their brokers, one or all of them one after another."""

import asyncio
import sys
import threading
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from data.errors import BadInput
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.access.sign_in_queue import Redirects, SignInQueue
    from engine.desk import Desk


class LoginGroup(TyperGroup):
    """`login CLIENT TOKEN` is short for `login client CLIENT TOKEN`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named, or `client` for any other word."""
        short = bool(args) and args[0] not in self.commands
        return super().resolve_command(ctx, ["client", *args] if short else args)


login_app = typer.Typer(cls=LoginGroup, help="Sign clients in at their brokers.", no_args_is_help=True)


Qr = Annotated[bool, typer.Option("--qr", help="Show each link as a QR code too, for the client's phone.")]


def _show_qr(link: str) -> None:
    """A link as a code, dark on light where the terminal takes colours."""
    from widgets.qr import qr_lines

    begin, end = ("\x1b[30;107m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
    for row in qr_lines(link):
        print(f"  {begin}{row}{end}", file=sys.stderr)


@login_app.command("links")
def links(qr: Qr = False, as_json: AsJson = False) -> None:
    """Where each client that is due signs in, red ones first, at whichever broker."""

    async def work(desk: "Desk") -> Exit:
        rows: list[dict[str, Any]] = []
        for client in desk.sessions.due():
            url, problem = "", ""
            try:
                url = await desk.sessions.login_url(client.id)
            except BadInput as bad:
                problem = bad.expected
            rows.append(
                {
                    "client_id": client.id,
                    "code": client.code,
                    "broker": client.broker,
                    "broker_user_id": client.broker_user_id,
                    "session": client.session,
                    "url": url or None,
                    "problem": problem or None,
                }
            )
        if as_json:
            document(rows)
        else:
            for row in rows:
                asked = desk.sessions.form(row["client_id"]) is not None
                stored = "what is stored with its key signs it in: `tradedesk login next`"
                nothing = stored if asked else "no sign-in needed: `tradedesk login CLIENT ok`"
                said = row["url"] or row["problem"] or nothing
                line(f"{row['code']}  {row['broker_user_id']}  {said}")
                if qr and row["url"]:
                    _show_qr(row["url"])
        say(f"{counted(len(rows), 'client')} to sign in")
        return Exit.DONE

    run(work)


@login_app.command("client")
def login_client(
    client: ClientWord,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOKEN_OR_ADDRESS]...",
            help="One for each thing that the broker asks for; what is left out is read from stdin.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign one client in with the request token, or the whole address the browser was sent to.

    Where its broker asks for more than one thing, these are given in the order in which it asks.
    """
    given = text or [sys.stdin.readline()]

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        form = desk.sessions.form(found.id)
        for field in () if form is None else form.fields[len(given) :]:
            say(f"then {field.label}")
            given.append(await asyncio.to_thread(sys.stdin.readline))
        session = await desk.sessions.sign_in(found.id, *given)
        if as_json:
            document(
                {
                    "client_id": found.id,
                    "code": found.code,
                    "user_name": session.user_name,
                    "login_at": session.login_at,
                    "expires_at": session.expires_at,
                }
            )
        else:
            line(f"{found.code} {found.name} is signed in as {session.user_name}{_until(session.expires_at)}")
        return Exit.DONE

    run(work)


def _until(at: Any) -> str:
    from data.clock import IST

    return f" until {at.astimezone(IST):%d %b %H:%M} IST" if at else ""


@login_app.command("next")
def login_next(
    listen: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Catch redirects on 127.0.0.1:PORT.",
        ),
    ] = None,
    qr: Qr = False,
) -> None:
    """Sign in everybody who is due, one after another: shows a link, takes a line, checks it beside."""

    async def work(desk: "Desk") -> Exit:
        queue = desk.sessions.queue()
        async with AsyncExitStack() as stack:
            listener, opened = None, desk.sessions.redirects
            if listen is not None:
                from brokers.wire.listener import RedirectListener

                opened = partial(RedirectListener, listen)
            if opened is not None:
                listener = await stack.enter_async_context(opened())
                say(f"listening on {listener.url}: register it as the apps' redirect URL")
            pasted = _Pasted(queue, listener)
            stack.callback(pasted.close)
            await _sign_in_all(queue, pasted, _show_qr if qr else None)
        await queue.settled()
        at = queue.progress()
        for one in queue.entries:
            line(f"{one.code}  {one.state.value}{f': {one.words}' if one.words else ''}")
        say(f"{at.done} of {at.total} signed in, {at.red} red, {at.waiting} not asked, {at.spent_s:.0f} s")
        return Exit.DONE if at.done == at.total else Exit.PARTLY

    run(work)


class _Pasted:
    """What comes in: lines of stdin, and redirects where a listener catches them. None ends it.

    Lines are read on a thread of their own that nobody has to wait for.
    """

    def __init__(self, queue: "SignInQueue", listener: "Redirects | None") -> None:
        self._queue = queue
        self._come: asyncio.Queue[str | None] = asyncio.Queue()
        self._caught = None if listener is None else asyncio.create_task(self._catch(listener))
        source, loop = sys.stdin, asyncio.get_running_loop()

        def read() -> None:
            try:
                for text in iter(source.readline, ""):
                    loop.call_soon_threadsafe(self._come.put_nowait, text)
                if listener is None:
                    loop.call_soon_threadsafe(self._come.put_nowait, None)
            except (RuntimeError, ValueError):  # the loop or the input was closed: nobody listens any more
                return

        threading.Thread(target=read, name="stdin", daemon=True).start()

    async def _catch(self, listener: "Redirects") -> None:
        while True:
            address = await listener.address()
            if self._queue.awaits(address):
                self._come.put_nowait(address)
            else:
                say("an address came back that is not of this sign-in: dropped")

    async def next(self) -> str | None:
        """The next line or address."""
        return await self._come.get()

    def close(self) -> None:
        """Take no more redirects."""
        if self._caught is not None:
            self._caught.cancel()


async def _sign_in_all(
    queue: "SignInQueue", pasted: _Pasted, show: "Callable[[str], None] | None" = None
) -> None:
    shown = asked = None
    while (client := queue.current) is not None:
        if shown != client.id:
            at = queue.progress()
            left = f" · about {at.left_s:.0f} s left" if at.left_s is not None else ""
            say(f"{at.done}/{at.total} signed in · red {at.red} · {at.spent_s:.0f} s gone{left}")
            try:
                link = await queue.link()
                if not link and queue.field is not None:
                    queue.submit("")
                    say(f"{client.code}: what is stored with its key signs it in")
                    continue
            except BadInput as bad:
                say(f"{client.code}: {bad.expected}")
                queue.skip()
                continue
            link = link or "no sign-in needed: any word will do"
            broker = client.broker.capitalize()
            say(f"{client.code} {client.name} {client.broker_user_id} at {broker}\n  {link}")
            if show is not None and "://" in link:
                show(link)
            shown, asked = client.id, None
        if (field := queue.field) is not None and field != asked:
            asked = field
            say(f"paste {field.label}; empty shows the link again, `skip` goes on")
        text = await pasted.next()
        if text is None:
            return
        if not text.strip():
            shown = None
        elif text.strip().lower() == "skip":
            queue.skip()
        else:
            try:
                queue.submit(text)
            except BadInput as bad:
                say(str(bad))
