"""The one table of every command: its id, keys, action, and words for the key line, help and palette.

Screens and the app take their bindings from here, so that one letter has one meaning in the whole program
and help cannot go stale.
"""

from msgspec import Struct
from textual.binding import Binding


class Command(Struct, frozen=True):
    """One thing a trader can ask for.

    `words` stand in the key line, of which those of the lowest `rank` stay where it has no room for all (0 is
    never shown); `help` says it in full. `palette` says whether it means something without a row under the
    cursor. `priority` keys work above every field and dialog, `shared` ones stand together (`b s order`).
    """

    id: str
    keys: str
    action: str
    words: str
    help: str
    group: str
    rank: int = 0
    palette: bool = False
    priority: bool = False
    shared: bool = False


EMERGENCY = "Emergency"
"""The group of what halts the desk."""


def _table() -> tuple[Command, ...]:
    c = Command
    return (
        # Danger first: these stand at the top of the help.
        c(
            "halt.press",
            "f9,ctrl+g",
            "app.halt_press",
            "CANCEL ALL",
            "press twice: halt the desk and cancel every live order of every client",
            EMERGENCY,
            priority=True,
            palette=True,
        ),
        c(
            "halt.stand_down",
            "escape",
            "app.stand_down",
            "stand down",
            "stands down after the first F9",
            EMERGENCY,
            priority=True,
        ),
        c(
            "halt.firm",
            "ctrl+f",
            "app.halt_firm",
            "HALT THE FIRM",
            "after one F9, where desks share the books: halts all of them",
            EMERGENCY,
            priority=True,
        ),
        c(
            "halt.certificate",
            "",
            "app.certificate",
            "certificate",
            "the last halt's certificate; resume from there (:certificate)",
            EMERGENCY,
            palette=True,
        ),
        c("flatten", "f7,ctrl+r", "app.flatten", "flatten", "take positions flat", EMERGENCY, palette=True),
        # Orders
        c(
            "ticket.buy",
            "b",
            "ticket('BUY')",
            "order",
            "buy one symbol for one client",
            "Orders",
            3,
            True,
            shared=True,
        ),
        c(
            "ticket.sell",
            "s",
            "ticket('SELL')",
            "order",
            "sell one symbol for one client",
            "Orders",
            3,
            True,
            shared=True,
        ),
        c(
            "bulk.buy",
            "B",
            "bulk('BUY')",
            "bulk",
            "buy one symbol for many clients",
            "Orders",
            3,
            True,
            shared=True,
        ),
        c(
            "bulk.sell",
            "S",
            "bulk('SELL')",
            "bulk",
            "sell one symbol for many clients",
            "Orders",
            3,
            True,
            shared=True,
        ),
        c(
            "order.cancel",
            "x",
            "cancel_here",
            "cancel",
            "cancel what the cursor is on: an order, or a client's or a run's live orders; asks first",
            "Orders",
            2,
        ),
        c("order.cancel_marked", "X", "cancel_marked", "cancel marked", "cancel the marked; asks", "Orders"),
        c("order.modify", "e", "modify_here", "modify", "modify order, line, list, client", "Orders", 4),
        c(
            "order.modify_marked",
            "E",
            "modify_marked",
            "modify marked",
            "limits of the marked (orders, clients, a run's), or a chase; typed words",
            "Orders",
        ),
        c(
            "take_over",
            "v",
            "take_over",
            "adopt",
            "take over what the broker has: its order for one in doubt, its figures for a client; asks for "
            "a reason and a typed word",
            "Orders",
            4,
        ),
        c(
            "order.absent",
            "l",
            "never_arrived",
            "absent",
            "the order in doubt never reached the broker; asks for a reason and a typed word",
            "Orders",
            4,
        ),
        c("plan.drop", "d", "drop_line", "drop", "drop, restore a line; alert done; waive", "Orders", 6),
        c(
            "plan.affordable",
            "a",
            "affordable",
            "affordable",
            "take the quantity the client can afford",
            "Orders",
            6,
        ),
        c("plan.mtf", "m", "toggle_mtf", "MTF", "change between CNC and MTF", "Orders", 6),
        c(
            "plan.again",
            "A",
            "send_again",
            "again",
            "plan the lines too that were left out because the same was sent a moment ago",
            "Orders",
            6,
        ),
        c("intent.presets", "f5", "presets", "presets", "bring a saved wish back, or save it", "Orders", 8),
        c("plan.what_if", "w", "what_if", "what-if", "what the plan would leave behind", "Orders", 7),
        c(
            "run.repair",
            "r",
            "repair",
            "repair",
            "repair: plan what provably failed or was skipped; sign in red clients",
            "Orders",
            2,
        ),
        c(
            "run.pause",
            "p",
            "pause_run",
            "pause",
            "pause the run, an order's chase, or a client; what is paused asks for typed words to go on",
            "Orders",
            2,
        ),
        c(
            "intent.again",
            "full_stop",
            "app.again",
            "again",
            "bring back the last intent, or the ticket that Esc closed, in its form",
            "Orders",
            palette=True,
        ),
        c(
            "price.last",
            "at",
            "last_price",
            "LIMIT at last",
            "make it a LIMIT order at the last price",
            "Orders",
            7,
        ),
        c("review.yes", "y", "yes", "yes", "yes, in the review of one order and nowhere else", "Orders", 1),
        # Finding and moving
        c("find", "slash", "app.find", "find", "find a symbol, a client's name or code", "Finding", 2, True),
        c(
            "needs_me",
            "u",
            "app.needs_me",
            "needs me",
            "what needs attention: orders unknown, rejected, partial, stale; clients red and amber",
            "Finding",
            5,
            True,
        ),
        c("chart", "", "chart", "chart", "a symbol's candles (:chart SYMBOL)", "Finding", palette=True),
        c("audit.verify", "", "app.verify_audit", "verify audit", "check the audit", "Finding", palette=True),
        c("elsewhere", "", "app.show_elsewhere", "elsewhere", "orders of others", "Finding", palette=True),
        c("mtf", "", "app.mtf", "mtf", "clients on margin, nearest a call first", "Finding", palette=True),
        c("equity", "", "app.equity", "equity", "the day's equity and sectors", "Finding", palette=True),
        c("day.close", "Z", "app.close_day", "close", "close the day; asks", "Finding", 2, True),
        c("eod", "", "app.workspace('day')", "eod", "the day's figures", "Finding", palette=True),
        c("history", "", "app.history", "history", "equity by day, returns, risk", "Finding", palette=True),
        c("health", "f12", "app.health", "health", "brokers' calls, queues", "Finding", palette=True),
        c("groups", "", "app.groups", "groups", "groups of clients", "Finding", palette=True),
        c("alerts", "exclamation_mark", "app.alerts", "alerts", "what you were told", "Finding", 9, True),
        c("alert.later", "h", "put_off", "later", "put an alert off for ten minutes", "Finding", 6),
        c("alert.until", "H", "put_off_until", "until", "put an alert off; asks how long", "Finding", 6),
        c("filter", "f", "filter_here", "filter", "filter the rows here", "Finding", 7),
        c(
            "previous",
            "left_curly_bracket",
            "step(-1)",
            "previous",
            "previous watchlist, client, group or run",
            "Finding",
        ),
        c(
            "next",
            "right_curly_bracket",
            "step(1)",
            "next",
            "next watchlist, client, group or run",
            "Finding",
        ),
        c("pane.next", "tab", "next_pane(1)", "pane", "next pane, field or view", "Finding"),
        c("pane.previous", "shift+tab", "next_pane(-1)", "pane", "previous pane, field or view", "Finding"),
        c(
            "watch.add",
            "insert,plus",
            "add_here",
            "add",
            "add to the watchlist; a leg, a basket, a client, a group",
            "Finding",
            5,
        ),
        c("watch.remove", "delete", "remove_here", "take out", "take off; close a client", "Finding"),
        c("watch.up", "shift+up,alt+up", "move_row(-1)", "row up", "move the watchlist's row up", "Finding"),
        c("watch.down", "shift+down,alt+down", "move_row(1)", "row down", "move it down", "Finding"),
        c("watch.left", "shift+left,alt+left", "move_list(-1)", "list back", "move the list back", "Finding"),
        c("watch.right", "shift+right,alt+right", "move_list(1)", "list on", "move it on", "Finding"),
        c("close", "escape", "close", "back", "close, or go back", "Finding", 2),
        # Tables
        c("grid.open", "enter", "open", "open", "open the row under the cursor", "Tables", 1),
        c("grid.down", "down,j", "cursor_by(1)", "", "next row", "Tables"),
        c("grid.up", "up,k", "cursor_by(-1)", "", "previous row", "Tables"),
        c("grid.page_down", "pagedown", "cursor_page(1)", "", "a page down", "Tables"),
        c("grid.page_up", "pageup", "cursor_page(-1)", "", "a page up", "Tables"),
        c("grid.home", "home", "cursor_home", "", "first row", "Tables"),
        c("grid.end", "end", "cursor_end", "", "last row", "Tables"),
        c("grid.pan_right", "right", "pan(1)", "", "columns further to the right", "Tables"),
        c("grid.pan_left", "left", "pan(-1)", "", "columns further to the left", "Tables"),
        c("grid.mark", "space", "mark", "mark", "mark or unmark the row", "Tables"),
        c("grid.mark_all", "asterisk", "mark_all", "mark all", "mark all shown, or none", "Tables"),
        c("grid.invert_marks", "i", "invert_marks", "invert", "invert the marks", "Tables"),
        c(
            "grid.sort_previous",
            "left_square_bracket",
            "sort_by(-1)",
            "sort",
            "sort by the column before",
            "Tables",
        ),
        c(
            "grid.sort_next",
            "right_square_bracket",
            "sort_by(1)",
            "sort",
            "sort by the column after",
            "Tables",
        ),
        c("grid.flip_sort", "o", "flip_sort", "flip", "flip the order of the sort", "Tables"),
        c("look", "comma", "turn_look", "look", "turn cells, candles' span; columns", "Tables", 5),
        c("copy", "c", "copy_row", "copy", "copy the row, or the link", "Tables"),
        c(
            "file",
            "t",
            "table_file",
            "to file",
            "write the table to a CSV file in the exports folder",
            "Tables",
        ),
        c(
            "copy.text",
            "ctrl+c",
            "screen.copy_text",
            "copy text",
            "copy the text selected with the mouse",
            "Tables",
        ),
        c("note", "n", "note", "note", "a note on a client, an order or a run; the audit keeps it", "Tables"),
        c("import", "less_than_sign", "app.command_line('import ')", "import", "a list of clients", "Tables"),
        c("export", "greater_than_sign", "app.command_line('export ')", "export", "to a file", "Tables"),
        c("evidence", "V", "evidence", "evidence", "what proves an order, as a folder", "Tables"),
        # The program
        c("help", "question_mark,f1", "app.help", "keys", "help for what has the focus", "Program", 1, True),
        c("command_line", "colon", "app.command_line", "command", "command line", "Program", 8, True),
        c(
            "palette",
            "ctrl+p",
            "app.command_palette",
            "palette",
            "find a command by its name",
            "Program",
            priority=True,
        ),
        c("log", "", "app.log", "log", "log of what was done today, as commands", "Program", palette=True),
        c("go", "g", "app.go", "go to", "go to a workspace by its letter", "Program"),
        c("jump", "semicolon", "app.jump", "jump", "to a pane by its letter", "Program", palette=True),
        c("freeze", "z", "app.freeze", "freeze", "freeze painting, and go on", "Program", palette=True),
        c("privacy", "ctrl+o", "app.privacy", "privacy", "hide names, amounts", "Program", palette=True),
        c("theme", "", "app.pick_theme", "theme", "choose the colours (:theme)", "Program", palette=True),
        c("lock", "ctrl+l", "app.lock", "lock", "lock the screen; F9 works locked", "Program", palette=True),
        c("clock", "ctrl+n", "app.move_clock", "clock", "move a simulated day on", "Program", palette=True),
        c("redraw", "ctrl+t", "app.redraw", "redraw", "draw the whole screen again", "Program", palette=True),
        c(
            "picture",
            "ctrl+s",
            "app.picture",
            "picture",
            "save a picture of the screen",
            "Program",
            palette=True,
        ),
        c("quit", "ctrl+q", "app.quit", "quit", "quit; always asks", "Program", palette=True, priority=True),
        c("quit.letter", "q", "app.quit", "quit", "quit; always asks", "Program"),
        c("depth", "f6", "app.show_depth", "depth", "the depth of the symbol", "Program", palette=True),
        c("trades", "f8", "app.show_trades", "trades", "the day's trades", "Program", palette=True),
    )


COMMANDS: dict[str, Command] = {command.id: command for command in _table()}
"""Every command by its id, in the order the help shows them. Workspaces add theirs in the app."""


def rank_of(command_id: str | None) -> int:
    """When a key leaves a crowded key line, the highest first: a widget's own goes last."""
    named = COMMANDS.get(command_id or "")
    return (named.rank or COMMANDS["needs_me"].rank) if named else 0


def binding(command: Command, shown: bool | None = None) -> Binding:
    """A command as a binding, under its id so that a profile can move its keys; shown by rank unless told."""
    return Binding(
        command.keys,
        command.action,
        command.words,
        show=command.rank > 0 if shown is None else shown,
        priority=command.priority,
        tooltip=command.help,
        id=command.id,
        group=Binding.Group(command.words) if command.shared else None,
    )


def bindings(*ids: str) -> list[Binding]:
    """The bindings of these commands, for a screen's `BINDINGS`. Raises `KeyError` for an unknown id."""
    return [binding(COMMANDS[command_id]) for command_id in ids]
