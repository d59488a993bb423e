"""Catches the browser after a sign-in: a web server on loopback that takes the redirected addresses.

The app's redirect URL at the developer console must then be `http://127.0.0.1:PORT/` (Kite Connect
documentation, user, login flow: loopback addresses are allowed).
"""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

from data.money import BadInput

LOOPBACK = "127.0.0.1"

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font-family: sans-serif; margin: 3em"><h1>{title}</h1><p>{words}</p></body></html>
"""


class RedirectListener:
    """Waits for redirects on loopback while it is entered; port 0 takes a free one.

    Addresses hold request tokens, so none is logged.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._addresses: asyncio.Queue[str] = asyncio.Queue()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address to register as the app's redirect URL."""
        return f"http://{LOOPBACK}:{self.port}/"

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
            raise BadInput("listen", self.port, f"give a port that is free ({problem.strerror})") from None
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
        if not request.query.keys() & {"request_token", "status"}:
            return _page(404, "Nothing here", "This address waits for the end of a sign-in.")
        self._addresses.put_nowait(f"{self.url.rstrip('/')}{request.rel_url}")
        if "request_token" not in request.query:
            return _page(200, "Not signed in", "The sign-in was not finished. Look at the terminal.")
        return _page(200, "Received", "The desk has it. You may close this page.")


def _page(status: int, title: str, words: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    text = _PAGE.format(title=title, words=words)
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
