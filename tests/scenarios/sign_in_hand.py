"""A hand at the sign-in of workspace 7: pastes, presses keys, counts both, and sees what the pane copies."""

import asyncio
from collections import Counter
from collections.abc import Callable

from textual.events import Key, Paste

from data.clock import SystemClock
from screens.clients.screen import ClientsScreen
from screens.clients.sign_in import SignInScreen
from tradedesk.app.application import TradedeskApp
from tradedesk.testing import shown_lines
from widgets.livegrid import LiveGrid
from widgets.tokenfield import TokenField

_CLOCK = SystemClock()


def address(request_token: str, status: str = "success") -> str:
    """Where Kite sends the browser after a sign-in."""
    return f"http://127.0.0.1:5010/?action=login&type=login&status={status}&request_token={request_token}"


class Hand:
    """Sends to the app what a terminal would, and keeps the links that go to the clipboard."""

    def __init__(self, app: TradedeskApp) -> None:
        self.app = app
        self.links: list[str] = []
        self.bells = 0
        self.did: Counter[str] = Counter()
        """How often what was pressed; `paste` is one event, whatever its length."""
        self._at = 1_000.0
        app.copy_to_clipboard = self.links.append  # type: ignore[method-assign]
        app.bell = self._ring  # type: ignore[method-assign]

    def _ring(self) -> None:
        self.bells += 1

    @property
    def pane(self) -> SignInScreen:
        screen = self.app.screen
        assert isinstance(screen, SignInScreen)
        return screen

    @property
    def field_has_focus(self) -> bool:
        return isinstance(self.app.focused, TokenField)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(shown_lines(self.app))

    @property
    def results(self) -> list[str]:
        """The lines of the results, from the top, blanks pressed together."""
        x, y, width, height = self.app.screen.query_one(LiveGrid).region
        rows = [line[x + 1 : x + width] for line in self.text.splitlines()[y + 1 : y + height]]
        return [" ".join(row.split()) for row in rows if row.strip()]

    async def until(self, holds: Callable[[], object]) -> None:
        """Let the app, the sockets and the threads work until something holds."""
        try:
            async with asyncio.timeout(30):
                while not holds():
                    await _CLOCK.sleep(0.001)
        except TimeoutError:
            raise AssertionError(f"it did not come to that\n{self.text}") from None

    async def shows(self, words: str) -> None:
        """Wait until the screen has these words."""

        def look() -> bool:
            self.app.frame()
            return words in self.text

        await self.until(look)

    def press(self, key: str) -> None:
        """Press one key, a second after the one before."""
        self.did[key] += 1
        event = Key(key, key if len(key) == 1 else None)
        self._at += 1
        event.time = self._at
        self.app.post_message(event)

    def paste(self, text: str) -> None:
        """Paste as a terminal does between brackets, and press Enter."""
        self.did["paste"] += 1
        self.app.post_message(Paste(text))
        self.press("enter")

    async def open(self) -> None:
        """Go to workspace 7 and begin to sign in whoever is due; the first link is copied."""
        await self.until(lambda: self.app.desk_is_open and self.app.screen.is_mounted)
        self.press("7")
        await self.until(lambda: isinstance(self.app.screen, ClientsScreen))
        self.press("r")
        await self.until(lambda: self.links)

    async def give(self, text: str) -> None:
        """Paste for the client in the field and wait until a link is copied, the next one's or its own."""
        known = len(self.links)
        self.paste(text)
        await self.until(lambda: len(self.links) > known)
