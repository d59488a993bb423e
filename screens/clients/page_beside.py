"""What stands beside and below the views of a client's page: its orders, its day, its sectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from screens.desk.course import CoursePane
from screens.desk.sectors import SectorPane
from screens.desk.side import SidePane

if TYPE_CHECKING:
    from engine.events import Event
    from screens.frame.shell import Shell
    from screens.frame.workspace import Workspace


def compose_beside(shell: Shell, client_id: int) -> ComposeResult:
    """The depth of the symbol under the cursor, and of the client its orders, its day and its sectors."""
    yield SidePane(shell, all_orders=True)
    yield CoursePane(shell, client_id)
    yield SectorPane(shell, client_id)


def heard_beside(page: Workspace, event: Event) -> None:
    """Remember what an event changes."""
    page.query_one(SidePane).heard(event)
    page.query_one(SectorPane).heard(event)


def show_beside(page: Workspace, key: str | None, client_id: int) -> None:
    """Turn to this symbol and client, and paint what has moved since the frame before."""
    side, course, sectors = page.query_one(SidePane), page.query_one(CoursePane), page.query_one(SectorPane)
    side.show(key, client_id)
    course.show(client_id)
    sectors.show(client_id)
    for pane in (side, course, sectors):
        pane.on_frame()


def redraw_beside(page: Workspace) -> None:
    """Everything anew, as after privacy was turned on."""
    page.query_one(SidePane).redraw()
    page.query_one(CoursePane).paint()
    page.query_one(SectorPane).on_frame()
