"""Catches the browser after a sign-in: a web server on loopback that takes the redirected addresses.

The app's redirect URL at the broker's developer console must then be `http://127.0.0.1:PORT/` (Kite Connect
documentation, user, login flow: loopback addresses are allowed).
"""

import asyncio
import errno
from types import TracebackType
from typing import Self

from aiohttp import web

from data.errors import BadInput

LOOPBACK = "127.0.0.1"

MOST_WAITING = 100
"""Addresses that have come and are not taken yet; more are turned away."""

_TOKENS = frozenset({"request_token", "code"})
"""What an address has by which a session is made: of Kite, of Upstox."""

_ENDS = frozenset({"status", "error"})
"""What an address has at a sign-in's end, good or bad."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font-family: sans-serif; margin: 3em"><h1>{title}</h1><p>{words}</p></body></html>
"""


class RedirectListener:
    """Waits for redirects on loopback while it is entered; port 0 takes a free one.

    Addresses hold request tokens, so none is logged.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._addresses: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address to register as the app's redirect URL."""
        return f"http://{LOOPBACK}:{self.port}/"

    @property
    def listening(self) -> bool:
        """Whether a redirect would be heard."""
        return self._runner is not None

    async def __aenter__(self) -> Self:
        """Listen. Raises `BadInput` where the port is taken."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, self.port)
        try:
            await site.start()
        except OSError as problem:
            await runner.cleanup()
            taken = problem.errno == errno.EADDRINUSE
            why = "another program listens there, perhaps a tradedesk" if taken else problem.strerror
            words = f"{why}: end that, or give another port (the setting sign_in_port, or --listen)"
            raise BadInput("port of sign-ins", self.port, words) from None
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def address(self) -> str:
        """The next redirected address, whole, in the order in which they came."""
        return await self._addresses.get()

    async def _take(self, request: web.Request) -> web.Response:
        if not _is_redirect(request, self.port):
            return _page(403, "Not taken", "Only a browser that was sent here after its sign-in is heard.")
        if not request.query.keys() & {*_TOKENS, *_ENDS}:
            return _page(404, "Nothing here", "This address waits for the end of a sign-in.")
        try:
            self._addresses.put_nowait(f"{self.url.rstrip('/')}{request.rel_url}")
        except asyncio.QueueFull:
            return _page(503, "Too many at once", "Sign in again.")
        if not request.query.keys() & _TOKENS:
            return _page(200, "Not signed in", "The sign-in was not finished. Look at the terminal.")
        return _page(200, "Received", "The desk has it. You may close this page.")


def _is_redirect(request: web.Request, port: int) -> bool:
    """Whether this is a browser's own way here, and not a call by a page that is open in it."""
    headers = request.headers
    if "Origin" in headers or headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
        return False
    return (
        headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and headers.get("Sec-Fetch-Dest", "document") == "document"
    )


def _page(status: int, title: str, words: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    text = _PAGE.format(title=title, words=words)
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
