"""What screens may ask of the app, and the program's own commands: every way that leads to another screen.

Screens are imported when they are first opened, so that the first frame waits for none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.vocabulary import FlattenWhat, HaltScope, Side, WatchColumn
from engine.colon.asked import UNASKED, AuditWish
from engine.colon.splitting import quoted
from engine.news import Page, Subject
from engine.planning.entry.leg_words import typed_symbol
from screens.frame.routes import View, WorkspaceName
from screens.frame.workspace import Framed, Here, Workspace
from tradedesk.app.list_in_view import keep_list_in_view
from tradedesk.app.preferences import FLASH_FRAMES
from tradedesk.app.telling import TellingApp
from tradedesk.app.typed.noted_lines import line_of_workspace
from tradedesk.app.workspaces import WORKSPACES

if TYPE_CHECKING:
    from engine.colon.asked import OfRun
    from engine.planning.intent import Intent
    from screens.bulk.screen import BulkScreen
    from screens.frame.draft import Draft
    from screens.matrix.screen import MatrixScreen
    from tradedesk.app.preferences import Preferences
    from tradedesk.app.theme.files import Themes


class ShellApp(TellingApp, inherit_bindings=False):
    """Carries out `Shell` of the frame; the app proper adds the desk, the frame clock and the keys."""

    def __init__(self) -> None:
        super().__init__()
        self._open = False
        self._failed = 0
        self._draft: Draft | None = None
        self.flash_frames = FLASH_FRAMES
        self.preferences: Preferences
        self.themes: Themes
        self.frozen = False
        self.revalued: set[int] = set()
        """Clients whose value moved in this frame, for the screen that shows them."""
        self._list_in_view = ""
        self.watch_columns: tuple[WatchColumn, ...] = ()
        self.strip_indices: tuple[str, ...] = ()

    @property
    def desk_is_open(self) -> bool:
        """Whether `desk` may be asked for."""
        return self._open

    @property
    def list_in_view(self) -> str:
        """The watchlist that was turned to last, in this start or the one before; empty where none was."""
        return self._list_in_view

    @list_in_view.setter
    def list_in_view(self, name: str) -> None:
        if name != self._list_in_view:
            self._list_in_view = name
            keep_list_in_view(self.desk.home, name)

    @property
    def is_opening(self) -> bool:
        """Whether a desk is on its way."""
        return self._desk is None and not self._failed

    def paint_strip(self) -> None:
        """Bring the strip of every open screen up to date."""

    @property
    def workspaces(self) -> Sequence[str]:
        """The workspaces that there are, each behind its digit."""
        return [f"{entry.digit} {entry.name.capitalize()}" for entry in WORKSPACES if entry.available]

    # What screens ask for

    def open_workspace(self, name: WorkspaceName, view: View | None = None) -> None:
        """Go to a workspace, leaving what was opened on top of it."""
        if self._desk is None:
            return
        self.note(line_of_workspace(name, view))
        self.switch_mode(name)
        while len(self.screen_stack) > 1 and not self.screen.is_modal:
            self.pop_screen()
        if view is not None and isinstance(self.screen, Workspace):
            self.screen.show_view(view)

    def open_sign_in(self, code: str) -> None:
        """The sign-in of one client by its code, or of all who are due."""
        from screens.clients.screen import ClientsScreen

        self.open_workspace(WorkspaceName.CLIENTS, None if code else View.SIGN_IN)
        if code and isinstance(self.screen, ClientsScreen):
            self.screen.call_later(self.screen.sign_in_by_code, code)

    def open_ticket(
        self,
        side: Side,
        key: str | None = None,
        client_id: int | None = None,
        key_proposed: bool = False,
        product: str | None = None,
        draft: Draft | None = None,
    ) -> None:
        """The ticket for one order, docked on the screen that is up, with a draft put back into it."""
        from screens.ticket.card import TicketCard

        if isinstance(self.screen, Framed):
            self.screen.open_card(TicketCard(side, key, client_id, key_proposed, product, draft))

    def remember(self, draft: Draft) -> None:
        """Keep what stood in a ticket."""
        self._draft = draft

    def open_bulk(
        self,
        side: Side,
        key: str | None = None,
        client_ids: Sequence[int] = (),
        intent: Intent | None = None,
        shown: Sequence[int] | None = None,
    ) -> None:
        """The bulk form; what has several legs goes to the matrix."""
        if intent is not None and intent.in_legs:
            self.open_basket(intent)
            return
        bulk, named = self._in_bulk(), tuple(client_ids)
        bulk.call_later(partial(bulk.begin, side, key=key, client_ids=named, intent=intent, shown=shown))

    def open_basket(self, intent: Intent) -> None:
        """An intent of several legs in the matrix, planned."""
        matrix = self.in_matrix()
        matrix.call_later(matrix.begin, intent)

    def in_matrix(self) -> MatrixScreen:
        """The matrix, turned to; what it is to do waits until it has been drawn."""
        from screens.matrix.screen import MatrixScreen

        self.open_workspace(WorkspaceName.MATRIX)
        matrix = self.screen_stack[0]
        assert isinstance(matrix, MatrixScreen)
        return matrix

    def _in_bulk(self) -> BulkScreen:
        """The bulk workspace, turned to; what it is to do waits until it has been drawn."""
        from screens.bulk.screen import BulkScreen

        self.open_workspace(WorkspaceName.BULK)
        bulk = self.screen_stack[0]  # a dialog of that workspace may still be on top
        assert isinstance(bulk, BulkScreen)
        return bulk

    def open_run(self, number: int, asks: OfRun | None = None) -> None:
        """A run in the bulk workspace, with the question of what is to be done with it."""
        self.note(f"run {number}")
        bulk = self._in_bulk()
        bulk.call_later(bulk.show_run, number, asks)

    def open_plan(self, number: int) -> None:
        """A stored plan in the bulk workspace."""
        self.note(f"plan {number}")
        bulk = self._in_bulk()
        bulk.call_later(bulk.show_plan, number)

    def open_client(self, client_id: int, among: Sequence[int] = (), margin: bool = False) -> None:
        """A client's page; with `margin` at its shares on margin."""
        from screens.clients.page import ClientScreen
        from screens.clients.page_views import PageView

        code = self.desk.clients.get(client_id).code
        self.note(f"mtf {code}" if margin else f"client {code}")
        view = PageView.MTF if margin else PageView.HOLDINGS
        self.push_screen(ClientScreen(client_id, tuple(among), view))

    def open_symbol(self, key: str) -> None:
        """A symbol's page."""
        from screens.desk.symbol import SymbolScreen

        self.note(f"symbol {typed_symbol(key)}")

        self.push_screen(SymbolScreen(key))

    def open_order(self, order_id: int) -> None:
        """An order's life."""
        from screens.orders.life import OrderScreen

        self.note(f"order {order_id}")

        self.push_screen(OrderScreen(order_id))

    def open_audit(self, wish: AuditWish = UNASKED) -> None:
        """The audit, and there what is looked for."""
        from screens.audit.screen import AuditScreen

        self.open_workspace(WorkspaceName.AUDIT)
        audit = self.screen_stack[0]  # a dialog of that workspace may still be on top
        assert isinstance(audit, AuditScreen)
        self.note(f"audit {wish.line}".strip())
        audit.look_for(wish)

    def open_audit_row(self, seq: int) -> None:
        """The story of a row of the audit."""
        from screens.audit.story import StoryScreen

        self.note(f"audit story {seq}")
        self.push_screen(StoryScreen(seq))

    def open_subject(self, subject: Subject) -> None:
        """What a line of the tape is about."""
        match subject.page:
            case Page.PLAN:
                self.open_plan(subject.number)
            case Page.RUN:
                self.open_run(subject.number)
            case Page.HALT:
                self.open_certificate(subject.number)
            case Page.FLATTEN:
                self.open_flatten(number=subject.number)
            case Page.ORDER:
                self.open_order(subject.number)

    def open_certificate(self, number: int | None = None, after: int = 0) -> None:
        """A halt's certificate, the latest, or the first later than `after`; one already open turns to it."""
        from screens.halt.screen import CertificateScreen

        if isinstance(self.screen, CertificateScreen):
            self.screen.turn_to(number, after)
        else:
            self.push_screen(CertificateScreen(number, after))

    def open_flatten(
        self,
        scope: HaltScope = HaltScope.EVERYTHING,
        value: str = "",
        what: FlattenWhat = FlattenWhat.MIS,
        number: int | None = None,
    ) -> None:
        """A flatten that is to be confirmed, or with a number one that was begun."""
        from screens.flatten.screen import FlattenScreen

        self.push_screen(FlattenScreen(scope, value, what, number))

    # Actions of the program

    def action_workspace(self, name: str) -> None:
        """Go to a workspace, and there to the whole of it."""
        self.open_workspace(WorkspaceName(name))
        if isinstance(self.screen, Workspace):
            self.screen.show_whole()

    def action_no_workspace(self, digit: str) -> None:
        """Say which workspaces there are behind a digit that has none."""
        ways = "  ".join(f"{entry.digit} {entry.name}" for entry in WORKSPACES if entry.available)
        self.say(f"no workspace {digit}; there are: {ways}", "warning")

    def action_find(self) -> None:
        """Find a symbol or a client."""
        from screens.desk.search import FindCard

        if isinstance(self.screen, Framed):
            self.screen.open_card(FindCard())

    def action_help(self) -> None:
        """Help for what has the focus."""
        from screens.frame.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_flatten(self) -> None:
        """The command line with a flatten of the group turned to, else of the client; nothing is sent."""
        here, card = Here(), None
        if isinstance(self.screen, Framed):
            card = self.screen.card
            here = self.screen.here() if card is None else card.here() or Here()
        if card is not None:  # that of the alerts alone has the key
            card.close()
        if here.group is not None:
            scope = f"group {quoted(here.group)}"
        elif here.client_id is not None:
            scope = f"client {self.desk.clients.get(here.client_id).code}"
        else:
            scope = "desk"
        self.action_command_line(f"flatten {scope} mis")

    def action_certificate(self) -> None:
        """The last halt's certificate."""
        self.open_certificate()

    def action_mtf(self) -> None:
        """The page of clients on margin."""
        from screens.mtf.screen import MtfScreen

        if not isinstance(self.screen, MtfScreen):
            self.push_screen(MtfScreen())

    def action_equity(self) -> None:
        """The page of the day's equity."""
        from screens.equity.screen import EquityScreen

        if not isinstance(self.screen, EquityScreen):
            self.push_screen(EquityScreen())

    def action_verify_audit(self) -> None:
        """Recompute the audit's whole chain aside, and say what came of it."""
        self.say("the whole audit is being verified")
        self.run_worker(self._verify_audit(), exclusive=True, exit_on_error=False, group="verify")

    async def _verify_audit(self) -> None:
        report = await self.desk.audit.examine(whole=True)
        words = f"the audit is {'verified' if report.ok else 'NOT VERIFIED'}: {report.message}"
        self.say(words, "information" if report.ok else "error")
        if isinstance(self.screen, Framed):
            self.screen.redraw()

    def action_groups(self) -> None:
        """The groups, at the bottom of the screen; one that is made begins with who is marked."""
        from screens.clients.groups_card import GroupsCard

        if isinstance(self.screen, Framed):
            self.screen.open_card(GroupsCard(self.screen.here().client_ids))

    def action_show_trades(self) -> None:
        """The day's trades, in Orders."""
        self.open_workspace(WorkspaceName.ORDERS, View.TRADES)

    def action_show_elsewhere(self) -> None:
        """The orders that other terminals sent today, in Orders."""
        self.open_workspace(WorkspaceName.ORDERS, View.ELSEWHERE)

    def action_show_depth(self) -> None:
        """The depth, on the Desk."""
        self.open_workspace(WorkspaceName.DESK, View.DEPTH)

    def action_again(self) -> None:
        """The last intent again: in a ticket where no run came after that of one, else in the bulk form."""
        draft, latest = self._draft, next((run.number for run in self.desk.runs.all()), 0)
        if draft is not None and draft.after_run >= latest and isinstance(self.screen, Framed):
            from screens.ticket.card import TicketCard

            card = TicketCard(draft.side, draft.key, draft.client_id, draft=draft)
            self.screen.open_card(card)
            return
        bulk = self._in_bulk()
        bulk.call_later(bulk.again)

    def action_freeze(self) -> None:
        """Stop painting, or go on; orders go on either way."""
        self.frozen = not self.frozen
        self.paint_strip()
        if not self.frozen and isinstance(self.screen, Framed):
            self.screen.redraw()

    def action_privacy(self) -> None:
        """Mask names and amounts, or show them."""
        if self.privacy:
            self.reveal()
        else:
            everyone = [*self.desk.clients.all(), *self.desk.clients.closed()]
            self.hide(client.name for client in everyone)
        self.paint_strip()
        self.redraw_all()

    def meaning(self, key: str) -> str:
        """The id of the command that a key stands for, empty where it is none's."""
        return self.preferences.keys.meaning(key)

    def action_pick_theme(self) -> None:
        """Choose the colours, seen at once."""
        self.preferences.pick_theme()

    def action_redraw(self) -> None:
        """Draw everything again, as after another program wrote into the terminal."""
        if isinstance(self.screen, Framed):
            self.screen.redraw()
        self.refresh(layout=True)

    def action_picture(self) -> None:
        """Save a picture of the screen to the exports folder."""
        from screens.frame.exports import exports_folder, short_path, stamp

        path = self.save_screenshot(f"screen-{stamp(self.desk)}.svg", str(exports_folder(self.desk)))
        self.say(f"picture saved: {short_path(self.desk, Path(path))}")
