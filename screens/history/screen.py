"""The page of what days have brought: the equity's line, returns and risk in words, and the months below."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.colon.records.asked import OfWhom
from engine.history.returns import Month
from engine.history.views import HistoryView
from engine.risk.views import RiskView
from engine.words import formats
from engine.words.day.history import UNCLASSED, drawdown_words, return_lines, risk_lines, sources_words
from engine.words.formats import DASH, MASK
from engine.words.refusals import refusal_words
from screens.desk.rows import direction
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import Record, percent, rupees
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from screens.history.whose import ids_of, name_of
from widgets.livegrid import Column, LiveGrid
from widgets.sparks import DotLine, blocks
from widgets.steady import SteadyStatic
from widgets.text import plain

EVERYBODY = OfWhom()

READ_EVERY_S = 30.0
"""Seconds between two readings of the days; only today's moves."""

DAYS_CELLS = 31


class HistoryScreen(Workspace):
    """How the days have gone, for the desk, a group or one client."""

    CSS_PATH = Path(__file__).with_name("history.tcss")
    AUTO_FOCUS = "#months"
    TITLE_WORDS = "History"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close", "previous", "next")]

    def __init__(self, whom: OfWhom = EVERYBODY) -> None:
        """Of the whole desk, unless a client or a group is named."""
        super().__init__()
        self._whom = whom
        self._view: HistoryView | None = None
        self._of = whom
        """Whose `_view` is: until another's days are read, the page stays that of before."""
        self._risk: RiskView | None = None
        self._months: dict[str, Month] = {}
        self._read_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """The line above, words and months below."""
        with Pane("history-line"):
            yield DotLine("the days are being read", self._words)
        with Pane("history-risk"):
            yield SteadyStatic(id="history-words")
        with Pane("history-months", hint="{ } another group or client  :history the desk"):
            yield LiveGrid(
                self._columns(),
                monotonic=self.shell.monotonic,
                markable=False,
                hint="no day of before: tradedesk history --import FILE takes them",
                id="months",
            )

    def _columns(self) -> list[Column]:
        def of(key: str) -> Month:
            return self._months[key]

        def style(key: str) -> str | None:
            return None if self.shell.privacy else direction(of(key).net_paise)

        def net(key: str) -> str:
            return MASK if self.shell.privacy else formats.signed(of(key).net_paise)

        def days(key: str) -> str:
            return blocks(list(of(key).nets.values()), DAYS_CELLS)

        return [
            Column("month", "month", 8, lambda key: key),
            Column("days", "days", 4, lambda key: str(len(of(key).nets)), "right", priority=2),
            Column("net", "net", 11, net, "right", style=style, sort=lambda key: of(key).net_paise),
            Column("twr", "TWR %", 8, lambda key: self._twr(of(key)), "right", style=style),
            Column("course", "net by day", DAYS_CELLS, days, style=style, priority=3, flex=True),
        ]

    def _twr(self, month: Month) -> str:
        unclassed = self._view is not None and bool(self._view.unclassed)
        return DASH if unclassed or month.twr_bps is None else formats.signed_percent(month.twr_bps)

    def _words(self, paise: int) -> str:
        return MASK if self.shell.privacy else formats.rupees(paise)

    def on_mount(self) -> None:
        """Read at once."""
        self._read()

    def on_frame(self) -> None:
        """Read anew every half minute."""
        if self.shell.monotonic() - self._read_at >= READ_EVERY_S:
            self._read()

    def _read(self) -> None:
        self._read_at = self.shell.monotonic()
        self.run_worker(self._read_days(self._whom), exclusive=True, exit_on_error=False)

    async def _read_days(self, whom: OfWhom) -> None:
        try:
            await self._read_of(whom)
        except Exception as problem:
            if self.is_mounted and whom == self._whom:
                whose = name_of(self.desk, whom, private=True)
                words = f"the days of {whose} cannot be told: {refusal_words(problem)}"
                self.query_one("#history-words", SteadyStatic).update(Content(plain(words)))

    async def _read_of(self, whom: OfWhom) -> None:
        desk = self.desk
        ids = ids_of(desk, whom)
        view = await desk.history.of(ids, name_of(desk, whom, private=True))
        if whom != self._whom:
            return
        self._view, self._of = view, whom
        self.redraw()
        risk = await desk.risk.of(ids)
        if whom == self._whom:
            self._risk = risk
            self.redraw()

    def redraw(self) -> None:
        """Everything anew, as it was read last."""
        view = self._view
        if not self.is_mounted or view is None:
            return
        whose = name_of(self.desk, self._of, self.shell.privacy)
        values = [one.portfolio_paise for one in view.days]
        self.query_one(DotLine).show(values, values[0] if values else 0)
        since = [f"since {one.day:%d %b %Y}" for one in view.days[:1]]
        self.query_one("#history-line", Pane).set_title(f"Equity by day · {whose}", since)
        self.query_one("#history-months", Pane).set_title("Months")
        figures = [UNCLASSED] if view.unclassed else []
        self.query_one("#history-risk", Pane).set_title("Returns and risk", figures)
        lines = [*return_lines(view), drawdown_words(view)]
        if self._risk is not None and not self.shell.privacy:
            lines += risk_lines(self._risk, self._code)
        if words := sources_words(view):
            lines.append(words)
        if view.unclassed:
            lines.append(f"{UNCLASSED}: {len(view.unclassed)}; flows class N KIND says what one was")
        self.query_one("#history-words", SteadyStatic).update(Content("\n").join(map(plain, lines)))
        self._months = {f"{one.year}-{one.month:02d}": one for one in view.months}
        grid = self.query_one("#months", LiveGrid)
        grid.set_rows({key: key for key in self._months})
        grid.apply(set(self._months))

    def _code(self, client_id: int) -> str:
        return self.desk.clients.get(client_id).code

    def here(self) -> Here:
        """The client that it is of."""
        return Here(client_id=self._of.client_id)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The months."""
        keys = tuple(grid.shown_keys)
        return Table(
            *("months", tuple(grid.columns), keys, grid.cursor_key),
            self._record,
        )

    def _record(self, key: str) -> Record:
        month, told = self._months[key], self._view is not None and not self._view.unclassed
        return {
            "month": key,
            "days": str(len(month.nets)),
            "net": rupees(month.net_paise),
            "TWR %": percent(month.twr_bps) if told else "",
        }

    def action_step(self, step: int) -> None:
        """The next group, then the next client, behind the desk as a whole."""
        groups = [OfWhom(group=one.name) for one in self.desk.groups.all() if one.client_ids]
        clients = [OfWhom(client_id=one.id) for one in self.desk.clients.all()]
        among = [EVERYBODY, *groups, *clients]
        place = among.index(self._whom) if self._whom in among else 0
        self.turn_to(among[(place + step) % len(among)])

    def turn_to(self, whom: OfWhom) -> None:
        """Show another client or group, or the desk."""
        self._whom = whom
        self._risk = None
        self._read()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
