"""Over a client's shares on margin: what the loan costs, and how far they may fall until a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.mtf import head_words, ladder_words, restoring_words
from screens.desk.rows import stale_words
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.mtf.ladder import Alone
    from engine.mtf.views import MtfView
    from screens.frame.shell import Shell


class MtfHead(SteadyStatic):
    """Two lines about a client on margin; nothing while another view is shown."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(id="client-mtf")
        self._shell = shell
        self._view: MtfView | None = None

    def show(self, client_id: int | None) -> None:
        """Show a client by the prices of now, or nothing."""
        self.display = client_id is not None
        self._view = None if client_id is None else self._shell.desk.mtf.of(client_id)
        if self._view is not None:
            self.update(Content("\n".join(plain(line) for line in self._lines(self._view))))

    def alone(self, security: str) -> Alone | None:
        """How far a stock of the client's may fall alone."""
        stocks = () if self._view is None else self._view.stocks
        return next((one.alone for one in stocks if one.security == security), None)

    def _lines(self, view: MtfView) -> list[str]:
        masked, desk = self._shell.privacy, self._shell.desk
        if not view.stocks and not view.loan_paise:
            return [f" MTF limit {MASK if masked else formats.rupees(view.limit_paise)}, nothing lent"]
        stale = stale_words(desk, [stock.key for stock in view.stocks])
        off = [] if masked else [f" {restoring_words(one)}" for one in desk.mtf.restoring(view.client_id)]
        money = MASK if masked else head_words(view)
        return [f" {ladder_words(view)} · estimate{stale}", f" {money}", *off]
