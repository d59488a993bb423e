"""Cancel-all, resume, certificates and the doctor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import HaltScope, HaltStrength, Right
from engine.words.certificates import strength_words
from engine.words.formats import counted, rupees
from tradedesk.cli.exits import CANCEL_ALL_FAILED, Exit, explain
from tradedesk.cli.options import AsJson, Yes, day_from, given, json_too
from tradedesk.cli.printing import reads
from tradedesk.cli.printing.certificates import print_certificate, scope_words
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import asked_as, at_terminal, confirmed, run, run_emergency, typed
from tradedesk.cli.views import values
from tradedesk.cli.views.halts import certificate_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.halt.certificate import Certificate
    from engine.halt.views import Unwritten
    from engine.review.doctor import Check

MINE = "mine"
SCOPES = {MINE: HaltScope.DESK, "firm": HaltScope.EVERYTHING, "everything": HaltScope.EVERYTHING}
"""What is halted whole: all that this desk has, or every desk that shares its books has."""

PARTS = (HaltScope.BROKER, HaltScope.GROUP, HaltScope.CLIENT, HaltScope.SYMBOL)
"""What is halted in part, by a value."""

HaltNumber = Annotated[str | None, typer.Argument(metavar="[NUMBER]", help="A halt's number.")]


def cancel_all(
    yes: Yes = False,
    scope: Annotated[
        str,
        typer.Option(
            metavar="mine|firm|broker|group|client|symbol",
            help="What to halt: all that this desk has, every desk on its books, or a part.",
        ),
    ] = MINE,
    value: Annotated[str, typer.Option(help="The broker, group, client or symbol.")] = "",
    reduce_only: Annotated[
        bool, typer.Option("--reduce-only", help="Let orders leave afterwards that make a position smaller.")
    ] = False,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who does it, for the audit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Halt first, cancel every live order, read back until nothing is live, and certify.

    Works beside a running app, and when its screen is dead.
    """
    wanted = _scope_from(scope)
    whole = wanted in (HaltScope.EVERYTHING, HaltScope.DESK)
    if whole != (value == ""):
        raise BadInput("value", value, "give --value with every scope but mine and firm")

    from data.store import StoreError

    strength = HaltStrength.REDUCE if reduce_only else HaltStrength.ALL
    named = given(scope=scope, value=value or None, by=by)
    named = [*named, "--reduce-only"] if reduce_only else named

    async def work(desk: "Desk") -> Exit:
        whom, meant = _meant(desk, wanted, value)
        if not yes:
            found = desk.halt.exposure(whom, meant)
            what = (
                f"{desk.mode}  halt {scope_words(whom, value or meant)}{strength_words(strength)} and cancel "
                f"{counted(found.orders, 'order')}: {found.live} live {found.unsent} unsent "
                f"{found.unknown} unknown · {counted(found.clients, 'client')} · "
                f"₹{rupees(found.blocked_paise)} blocked"
            )
            then = ["cancel-all", "--yes", *named, *json_too(as_json)]
            if not await confirmed("cancel all", what, False, "add --yes to halt and cancel", then):
                if as_json:
                    document({"exposure": found, "orders": found.orders, "certificate": None})
                return Exit.NOTHING_SENT
        try:
            made = await _fired_once(desk, by or desk.actor, whom, meant, strength)
        except StoreError as problem:
            if desk.halt.unwritten is None:
                raise
            return _print_unwritten(desk, desk.halt.unwritten, problem, as_json)
        if as_json:
            document(certificate_shape(made))
        else:
            print_certificate(desk, made)
        say(f"halt {made.number} stands; `tradedesk resume {made.number}` ends it")
        return _certificate_exit(made)

    if yes and whole and not reduce_only:
        run_emergency(work, by)
    run(work, migrates=False)


async def _fired_once(
    desk: "Desk", by: str, scope: HaltScope, value: str, strength: HaltStrength
) -> "Certificate":
    """Fire a halt, or follow the one that the open app fired when it was asked for it and fell silent."""
    request_id = asked_as.get()
    if request_id is None:
        return await desk.halt.fire(by, scope, value, strength)
    from data.writing.asked import Asked, CommandKnown, asked_now

    asked_now.set(Asked(request_id, "cancel-all", by))
    try:
        return await desk.halt.fire(by, scope, value, strength)
    except CommandKnown as known:
        asked_now.set(None)
        halts = known.did.get("halts")
        if halts:
            return await desk.halt.follow(halts[-1])
        return await desk.halt.fire(by, scope, value, strength)


def _print_unwritten(desk: "Desk", unwritten: "Unwritten", problem: Exception, as_json: bool) -> Exit:
    """What a cancel-all came to whose halt the books did not take."""
    made = unwritten.certificate
    problem.add_note(CANCEL_ALL_FAILED)
    told = explain(problem)
    if as_json:
        document({**values(certificate_shape(made)), "error": told.to_json()})
    else:
        print_certificate(desk, made, kept=unwritten.kept)
    say(told.message)
    return told.exit


def _certificate_exit(made: "Certificate") -> Exit:
    if made.unbooked:
        return Exit.STORE
    if made.unread:
        return Exit.PARTLY
    if made.unknown:
        return Exit.UNKNOWN
    return Exit.DONE if made.ended else Exit.PARTLY


def _scope_from(text: str) -> HaltScope:
    word = text.strip().lower()
    try:
        return SCOPES.get(word) or HaltScope(word)
    except ValueError:
        raise BadInput("scope", text, f"give one of {', '.join((*SCOPES, *PARTS))}") from None


def _meant(desk: "Desk", scope: HaltScope, value: str) -> tuple[HaltScope, str]:
    """What is to be halted on this desk: its own, where the firm was meant by who may not halt that."""
    if scope is HaltScope.DESK:
        return desk.halt.own_scope
    if scope is HaltScope.EVERYTHING and desk.halt.shared and not desk.who.may(Right.HALT_FIRM):
        say("you may not halt the firm: this desk is halted instead, and the others go on")
        return desk.halt.own_scope
    if scope is HaltScope.CLIENT:
        return scope, str(desk.clients.find(value).id)
    if scope is HaltScope.SYMBOL:
        return scope, desk.market.index.resolve(value).key
    return scope, desk.halt.check_scope(scope, value)


def resume(
    number: HaltNumber = None,
    word: Annotated[str | None, typer.Option(metavar="resume", help="The typed word.")] = None,
    yes: Yes = False,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who does it, for the audit.")] = None,
    as_json: AsJson = False,
) -> None:
    """End a halt, so that orders may be sent again. Takes the typed word `resume`."""
    wanted = None if number is None else count_from_text(number, "halt")

    async def work(desk: "Desk") -> Exit:
        standing = desk.halt.active()
        if wanted is None and len(standing) != 1:
            numbers = ", ".join(str(halt.number) for halt in standing)
            expected = f"give the number; standing are {numbers}" if standing else "no halt stands"
            raise BadInput("halt", "", expected)
        chosen = wanted if wanted is not None else standing[0].number
        answer = word or ("resume" if yes else None)
        if answer is None and at_terminal():
            name = f"halt {chosen}" if chosen else "the halt of the HALT file"
            what = f"{desk.mode}  end {name}: orders may be sent again"
            then = ["resume", str(chosen), "--word", "resume", *given(by=by), *json_too(as_json)]
            answer = "resume" if await typed("resume", what, then) else None
        if answer is None:
            say("nothing was done: add --word resume")
            if as_json:
                document({"resumed": None, "standing": standing})
            return Exit.NOTHING_SENT
        ended = await desk.halt.resume(chosen, answer, by or desk.actor)
        left = desk.halt.active()
        if as_json:
            document({"resumed": ended, "standing": left})
        else:
            rest = f"; still standing: {', '.join(str(halt.number) for halt in left)}" if left else ""
            line(f"halt {ended} resumed{rest}")
        return Exit.DONE

    run(work)


def certificate(number: HaltNumber = None, as_json: AsJson = False) -> None:
    """The certificate of a halt, the latest without a number."""
    wanted = None if number is None else count_from_text(number, "halt")

    run(lambda desk: reads.certificate(desk, wanted, as_json))


def doctor(
    since: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD",
            help="Look only at what changed since that day, and say what was not looked at.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Re-derive every balance, check the chain and the database, and say what was found."""
    day = None if since is None else day_from("since", since)

    def report(checks: "list[Check]") -> Exit:
        ok = all(check.ok for check in checks)
        if as_json:
            document({"ok": ok, "checks": checks})
        else:
            for check in checks:
                line(f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.detail}")
        return Exit.DONE if ok else Exit.NOT_VERIFIED

    async def work(desk: "Desk") -> Exit:
        made = report(await desk.doctor.run(day))
        if desk.trading_disabled:
            say(f"trading is stopped: {desk.trading_disabled}")
        return made

    def unopened(home: Path, why: Exception) -> Exit:
        from data.engines.sqlite import SqliteFile
        from engine.review.doctor import examine_books
        from tradedesk.compose.server import books_at

        books = books_at(home)
        books = SqliteFile(books) if isinstance(books, Path) else books
        return report(examine_books(books, why, day))

    run(work, needs_secrets=False, unopened=unopened)
