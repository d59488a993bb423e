"""The command line: what may be typed after `:`, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import HaltScope
from engine.conversion.asked import product_from
from engine.flatten.asked import flatten_from
from screens.frame.routes import WorkspaceName
from tradedesk.app.themes import THEMES

if TYPE_CHECKING:
    from tradedesk.app.shell import ShellApp


class ColonLine(Protocol):
    """One command of the command line."""

    def __call__(self, app: ShellApp, argument: str) -> None:
        """Carry it out with what stood behind its name."""
        ...


def _quit(app: ShellApp, argument: str) -> None:
    app.call_later(app.action_quit)


def _certificate(app: ShellApp, argument: str) -> None:
    app.open_certificate(count_from_text(argument, "halt") if argument else None)


def _flatten(app: ShellApp, argument: str) -> None:
    asked = flatten_from(argument.split())
    if isinstance(asked, int):
        app.open_flatten(number=asked)
        return
    value = asked.value
    if asked.scope is HaltScope.CLIENT:
        value = str(app.desk.clients.find(value).id)
    app.open_flatten(asked.scope, app.desk.halt.check_scope(asked.scope, value), asked.what)


def _convert(app: ShellApp, argument: str) -> None:
    code, symbol, of, to = _words(argument, "convert", "CODE SYMBOL mis|mtf cnc")
    client_id, key = app.desk.clients.find(code).id, app.desk.market.index.resolve(symbol).key
    app.open_conversion(client_id, key, (product_from(of), product_from(to)))


def _words(argument: str, name: str, form: str) -> list[str]:
    """The words behind a command, as many as its form has. Raises `BadInput`."""
    words = argument.split()
    if len(words) != len(form.split()):
        raise BadInput(name, argument, f"give {form}")
    return words


def _reverse(app: ShellApp, argument: str) -> None:
    number = count_from_text(argument, "reverse")

    async def reverse() -> None:
        try:
            intent = await app.desk.runs.reverse_intent(number)
        except LookupError:
            app.say(f"there is no run {number}", "warning")
            return
        if intent is None:
            app.say(f"run {number} filled nothing that could be reversed", "warning")
        else:
            app.open_bulk(intent.side, intent.key, (), intent)

    app.run_worker(reverse(), exit_on_error=False)


def _basket(app: ShellApp, argument: str) -> None:
    matrix = app.in_matrix()
    matrix.call_later(matrix.begin_typed, argument)


def _run(app: ShellApp, argument: str) -> None:
    app.open_run(count_from_text(argument, "run"))


def _plan(app: ShellApp, argument: str) -> None:
    app.open_plan(count_from_text(argument, "plan"))


def _watch(app: ShellApp, argument: str) -> None:
    instrument = app.desk.market.index.resolve(argument)
    name = app.desk.watchlist.names()[0]
    app.run_worker(app.desk.watchlist.add(instrument.key, name), exit_on_error=False)
    of = "" if name == "Watchlist" else f" {name}"
    app.say(f"{instrument.tradingsymbol} is on the watchlist{of}")


def _sign(app: ShellApp, argument: str) -> None:
    word, _, code = argument.partition(" ")
    if word.casefold() not in ("in", ""):
        raise BadInput("sign", argument, "say sign in, or sign in CODE")
    app.open_sign_in(code.strip())


def _gate(app: ShellApp, argument: str) -> None:
    app.open_workspace(WorkspaceName.CLIENTS)


def _help(app: ShellApp, argument: str) -> None:
    app.action_help()


def _theme(app: ShellApp, argument: str) -> None:
    names = [theme.name for theme in THEMES]
    if argument not in names:
        raise BadInput("theme", argument, f"choose one of {', '.join(names)}")
    app.theme = argument


LINES: dict[str, tuple[ColonLine, str]] = {
    "resume": (_certificate, "open the halt's certificate, where typed words resume"),
    "certificate": (_certificate, "the certificate of a halt, the latest without a number"),
    "flatten": (_flatten, "client CODE, group NAME or desk [mis|today|mtf|all]: take positions flat; asks"),
    "convert": (_convert, "CODE SYMBOL mis|mtf cnc: make a position the client's own; asks"),
    "reverse": (_reverse, "NUMBER: plan the opposite of what a run filled"),
    "basket": (_basket, "LEGS: plan several legs, such as buy RELIANCE:15% TCS:20%"),
    "run": (_run, "NUMBER: a run"),
    "plan": (_plan, "NUMBER: a stored plan"),
    "watch": (_watch, "SYMBOL: put a symbol on the first watchlist"),
    "gate": (_gate, "the clients at the morning gate"),
    "sign": (_sign, "in [CODE]: sign in whoever is due, or one client"),
    "help": (_help, "the keys that work here"),
    "theme": (_theme, "dark, light, high-contrast or colour-blind"),
    "quit": (_quit, "quit; asks"),
}
"""Commands by name, with what the command line says of them."""


def run_line(app: ShellApp, text: str) -> None:
    """Carry out a line; what is wrong with it is said in a toast."""
    name, _, argument = text.strip().lstrip(":").partition(" ")
    line = LINES.get(name.casefold())
    if line is None:
        app.say(f"no command {name!r}; there are {', '.join(LINES)}", "warning")
        return
    try:
        line[0](app, argument.strip())
    except (BadInput, LookupError) as problem:
        app.say(str(problem), "warning")
