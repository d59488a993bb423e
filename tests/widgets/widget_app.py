"""A small app with the theme variables the program defines, and a grid of made-up clients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from engine.words import formats
from widgets.columns import Column

VARIABLES = {
    "pnl-up": "#5fd787",
    "pnl-down": "#ff8787",
    "side-buy": "#5fafff",
    "side-sell": "#ffaf5f",
    "stale": "#8a8a8a",
    "armed": "#ff5f5f",
    "live-mode": "#ffaf00",
}


class Ticker:
    """Seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Kept:
    """A message hook for `run_test` that keeps each message of some kinds once."""

    def __init__(self, *kinds: type[Message]) -> None:
        self._kinds = kinds
        self.messages: list[Any] = []

    def __call__(self, message: Message) -> None:
        if isinstance(message, self._kinds) and not any(message is kept for kept in self.messages):
            self.messages.append(message)


class WidgetApp(App[None]):
    """Shows the widgets given; a subclass's bindings may call `note`."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *shown: Widget) -> None:
        super().__init__()
        self._shown = shown
        self.noted: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        yield from self._shown

    def action_note(self, what: str) -> None:
        self.noted.append(what)


@dataclass
class Client:
    """A row of the demo grid, money in paise."""

    code: str
    name: str
    gate: str = "ok"
    capital: int | None = 1_11_111_00
    available: int | None = 84_123_45
    blocked: int = 0
    mtf_bps: int | None = 0
    pnl: int | None = 0
    live: int = 0


def _pnl_style(client: Client) -> str | None:
    if client.pnl is None:
        return "dim"
    return "up" if client.pnl > 0 else "down" if client.pnl < 0 else None


def client_columns(on_cell: Callable[[Client], None] = lambda client: None) -> list[Column]:
    """Columns like those of the client grid; `on_cell` is told of every row that is drawn."""

    def code(client: Client) -> str:
        on_cell(client)
        return client.code

    return [
        Column("code", "code", 6, code, sort=lambda c: c.code),
        Column("client", "client", 12, lambda c: c.name, flex=True, sort=lambda c: c.name),
        Column("gate", "gate", 5, lambda c: c.gate, style=lambda c: None if c.gate == "ok" else "warn"),
        Column(
            *("capital", "capital", 7, lambda c: formats.short(c.capital), "right"),
            sort=lambda c: c.capital,
            priority=3,
        ),
        Column(
            *("available", "available", 9, lambda c: formats.rupees(c.available), "right"),
            sort=lambda c: c.available,
            priority=1,
        ),
        Column("blocked", "blocked", 8, lambda c: formats.rupees(c.blocked), "right", priority=4),
        Column("mtf", "mtf", 4, lambda c: _mtf(c.mtf_bps), "right", priority=5),
        Column(
            *("pnl", "day P&L", 10, lambda c: formats.signed(c.pnl), "right", _pnl_style),
            sort=lambda c: c.pnl,
        ),
        Column("live", "liv", 3, lambda c: str(c.live), "right", priority=2),
    ]


def _mtf(bps: int | None) -> str:
    return formats.DASH if bps is None else f"{formats.percent(bps)}%"


def clients(count: int) -> dict[str, Client]:
    """Made-up clients by code, every tenth without a P&L."""
    names = ["Aarav Mehta", "Priya Sharma", "Sunil Kapoor", "Deepa Rao", "[b]Client B[/b]", "ராம் குமார்"]
    return {
        f"C{n:04d}": Client(
            code=f"C{n:04d}",
            name=names[n % len(names)],
            gate="sess" if n % 7 == 3 else "ok",
            capital=(n * 7919 % 900 + 100) * 1_000_00,
            available=(n * 6007 % 800 + 20) * 500_25,
            blocked=25_000_00 if n % 5 == 1 else 0,
            mtf_bps=None if n % 4 == 2 else n % 30 * 100,
            pnl=None if n % 10 == 9 else (n * 104_729 % 40_001 - 20_000) * 100,
            live=n % 3,
        )
        for n in range(count)
    }
