"""The audit: looked through, a row's story, the state of its chain, verified, accepted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from engine.words.formats import DASH, counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import clock_words, market_stamp, wall_time
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import at_terminal, run, typed

if TYPE_CHECKING:
    from engine.book.audit_views import AuditPage, AuditRecord
    from engine.desk import Desk

audit_app = typer.Typer(
    help="The audit: look through it, a row's story, verify its chain.", no_args_is_help=True
)

Most = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="So many rows.")]


@audit_app.command("search")
def audit_search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS",
            help="action:halt client:CODE order:N run:N plan:N by:NAME via:app on:DAY from:TIME to:TIME, "
            "and words that must occur.",
        ),
    ] = None,
    most: Most = 200,
    before: Annotated[
        str | None, typer.Option(metavar="ROW", help="Rows older than this one: the next page.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all that is found to this file, as CSV.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rows of the audit that have all of this, the newest first. Days and times are the market's.

    Rows that only keep hashes, `ROWS_CHANGED`, are left out: `action:all` finds them too.
    """
    start = None if before is None else count_from_text(before, "before")

    async def work(desk: "Desk") -> Exit:
        from engine.colon.searches import search_from

        search = await desk.audit.search(search_from(words or (), desk.known()))
        if out is not None:
            from screens.frame.exports import write_audit

            written = await write_audit(desk, search, out)
            if as_json:
                document({"file": str(out), "rows": written})
            else:
                line(f"{counted(written, 'row')} written to {out}")
            return Exit.DONE
        page = await search.page(start, most)
        if as_json:
            _print_json(desk, page)
        else:
            line(clock_words(desk, "stamps below are the market's"))
            _print_rows(desk, page.rows)
            if page.before is not None:
                say(f"older rows: --before {page.before}")
            elif not page.rows:
                say("no row of the audit has all of this")
        return Exit.DONE

    run(work, needs_secrets=False)


def _print_json(desk: "Desk", page: "AuditPage") -> None:
    from tradedesk.cli.views.audit import AuditPageShape, audit_shape

    document(AuditPageShape([audit_shape(desk, row) for row in page.rows], page.before))


def _print_rows(desk: "Desk", rows: "tuple[AuditRecord, ...]", marked: int | None = None) -> None:
    from engine.words.audit import about_words, told_words

    for row in rows:
        about = about_words(row, desk.clients.code_of(row.client_id))
        mark = "> " if row.seq == marked else "  " if marked is not None else ""
        what = f"{mark}{row.seq}  {market_stamp(desk, row.at)}  {row.actor}  {row.action}"
        line("  ".join(words for words in (what, about, told_words(row)) if words))


@audit_app.command("story")
def audit_story(
    number: Annotated[str, typer.Argument(metavar="ROW", help="A row's number.")],
    most: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Rows before it, and as many behind it.")
    ] = 200,
    as_json: AsJson = False,
) -> None:
    """One row in full, and the rows of what it belongs to (order, halt, person, client…), in their order."""
    seq = count_from_text(number, "row")

    async def work(desk: "Desk") -> Exit:
        from engine.words.audit import chapter_words, row_lines
        from tradedesk.cli.views.audit import StoryShape, audit_shape, chapter_shape

        try:
            story = await desk.audit.story(seq)
        except LookupError as problem:
            raise BadInput("row", number, str(problem)) from None
        chapters = [await desk.audit.chapter(subject, seq, most) for subject in story.subjects]
        if as_json:
            document(StoryShape(audit_shape(desk, story.row), [chapter_shape(desk, one) for one in chapters]))
            return Exit.DONE
        line(clock_words(desk, "stamps below are the market's"))
        code = desk.clients.code_of(story.row.client_id)
        for name, told in row_lines(story.row, code, desk.shown_at(story.row.at)):
            line(f"{name:<14} {told}")
        for chapter in chapters:
            line()
            whole = "" if not (chapter.more_before or chapter.more_after) else " around it"
            line(f"{chapter_words(chapter.subject, code)}: {counted(len(chapter.rows), 'row')}{whole}")
            _print_rows(desk, chapter.rows, seq)
        return Exit.DONE

    run(work, needs_secrets=False)


@audit_app.command("state")
def audit_state(as_json: AsJson = False) -> None:
    """How the chain stands: up to which row it was found good, when and by whom. It recomputes nothing."""

    async def work(desk: "Desk") -> Exit:
        from engine.words.audit import chain_words

        state = await desk.audit.chain_state()
        if as_json:
            document(state)
        else:
            by = f" by {state.verified_by}" if state.verified_by else ""
            line(f"{counted(state.rows, 'row')}; {chain_words(state, desk.clock.now())}{by}")
            for words in state.against:
                line(f"  {words}")
            line(f"head {state.head}")
        return Exit.DONE if not state.against else Exit.NOT_VERIFIED

    run(work, needs_secrets=False)


@audit_app.command("show")
def audit_show(
    action: Annotated[str | None, typer.Option(metavar="WORD", help="Such as RUN_STARTED.")] = None,
    client: Annotated[str | None, typer.Option(help="A client's code or id.")] = None,
    order: Annotated[str | None, typer.Option(metavar="ORDER_ID", help="One order.")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Rows of the audit, oldest first."""
    order_id = None if order is None else count_from_text(order, "order")

    async def work(desk: "Desk") -> Exit:
        client_id = None if client is None else desk.clients.find(client).id
        rows = await desk.audit.rows(most, action, client_id, order_id)
        if as_json:
            document(rows)
            return Exit.DONE
        line(clock_words(desk))
        from engine.words.audit import about_words, detail_words

        for row in rows:
            about = about_words(row, desk.clients.code_of(row.client_id))
            what = f"{row.seq}  {wall_time(desk, row.at)}  {row.actor}  {row.action}"
            line("  ".join(words for words in (what, about, detail_words(row.details)) if words))
        return Exit.DONE

    run(work)


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head kept outside that must be in the chain.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the whole chain, hold it against heads kept beside and outside it and against the rows."""
    if head is not None and (len(head) != 64 or any(letter not in "0123456789abcdef" for letter in head)):
        raise BadInput("head", head, "give the 64 hex digits of a head")

    async def work(desk: "Desk") -> Exit:
        # A head that was given may be mistyped: what it alone speaks against stops nothing.
        report = await (desk.audit.examine(whole=True) if head is None else desk.audit.verify(head))
        if as_json:
            document(report)
        else:
            line(f"{'ok' if report.ok else 'NOT VERIFIED'}: {report.message}")
            for words in report.found[1:]:
                line(f"  {words}")
            for one in report.breaks:
                when = DASH if one.at is None else wall_time(desk, one.at)
                line(f"BROKEN before row {one.seq}, accepted {when} by {one.actor}: {one.reason}")
                for words in one.found:
                    line(f"  {words}")
            line(f"head {report.head}")
        return Exit.DONE if report.ok else Exit.NOT_VERIFIED

    run(work)


def evidence(
    order: Annotated[str, typer.Argument(metavar="ORDER_ID", help="An order's number.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="One that is not there yet; else a folder of the exports."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what proves an order into a folder that anybody verifies with Python alone (verify.py)."""
    order_id = count_from_text(order, "order")

    async def work(desk: "Desk") -> Exit:
        made = await desk.evidence.write(order_id, out)
        if as_json:
            document(made)
        else:
            line(
                f"{made.folder}: {counted(len(made.files), 'file')}, {counted(made.rows, 'row')} of the audit"
            )
            line(f"seal {made.seal}")
        return Exit.DONE

    run(work, needs_secrets=False)


@audit_app.command("accept")
def audit_accept(
    reason: Annotated[str, typer.Option(help="Why trading may go on; kept in the audit.")],
    word: Annotated[str | None, typer.Option(metavar="accept", help="The typed word.")] = None,
    as_json: AsJson = False,
) -> None:
    """End a stop of trading by books that something else changed; the audit shows for ever what was found."""

    async def work(desk: "Desk") -> Exit:
        report = await desk.audit.verify()
        for words in await desk.audit.wrong():
            say(words)
        answer = word
        if answer is None and at_terminal():
            what = f"{desk.mode}  trade on these books: {report.message}"
            answer = "accept" if await typed("accept", what, ()) else None
        if answer is None or answer.strip().casefold() != "accept":
            say("nothing was done: add --word accept")
            if as_json:
                document(report)
            return Exit.NOTHING_SENT
        made = await desk.audit.accept(reason)
        if as_json:
            document(made)
        else:
            line(f"{'accepted' if made.ok else 'NOT VERIFIED'}: {made.message}")
        return Exit.DONE if made.ok else Exit.NOT_VERIFIED

    run(work)
