"""Backups of the home and what is put back from one; old files removed; books on a server."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.home import books_file
from data.vocabulary import Prunable
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Yes
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import confirmed, run

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from data.engines.postgres import PostgresBooks
    from engine.desk import Desk
    from engine.keeping.service import Prune


db_app = typer.Typer(help="Books on a PostgreSQL (database_url): upgraded, filled from a home.")


def backup(
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; without it the home's backups.")
    ] = None,
    with_secrets: Annotated[
        bool,
        typer.Option("--with-secrets", help="With the file of encrypted secrets, which is left out else."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the books of the home and what belongs to them into one file, put it back for a trial, verify it.

    Trading goes on meanwhile. Not in it: exports, recordings, logs, secrets that the system's keyring keeps.
    """

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.keeping import backup_shape

        made = await desk.keeping.back_up(to, with_secrets)
        if as_json:
            document(backup_shape(made))
        else:
            line(f"{made.file}  {size_words(made.bytes)}")
            line(f"audit: {made.manifest.audit_rows} rows, head {made.manifest.audit_head}")
            line(f"sha256 {made.sha256}")
        held = made.manifest.with_secrets
        say("secrets are in it, encrypted" if held else "no secrets are in it: api secrets, tokens, sessions")
        for words in made.manifest.found:
            say(f"wrong in the books themselves: {words}")
        return Exit.NOT_VERIFIED if made.manifest.found else Exit.DONE

    run(work, needs_secrets=False)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty home (TRADEDESK_HOME), whole or not at all.

    A home with a broker other than its own paper exchange comes back halted: what it sent after the backup
    is not in its books. Clients sign in again.
    """
    from data.clock import SystemClock
    from engine.keeping.restoring import comes_back_halted, restore_home
    from tradedesk.cli.views.keeping import restored_shape
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    home = home_folder()
    made = restore_home(file, home, SystemClock(), load_settings(home).trader)
    if as_json:
        document(restored_shape(made))
    else:
        line(f"{made.home} is as it was at {made.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
        line(f"audit: {made.seen.audit_rows} rows, head {made.seen.audit_head}")
    for words in made.seen.found:
        say(f"wrong in the books themselves: {words}")
    if load_settings(made.home).database_url:
        say(
            "its settings name a database (database_url), where other books stand: take that out to go on "
            "with these, or name an empty one and `tradedesk db copy` them"
        )
    if comes_back_halted(made.manifest):
        say("it is HALTED: read the brokers' orders first, then `tradedesk resume --word resume`")
    raise typer.Exit(Exit.NOT_VERIFIED if made.seen.found else Exit.DONE)


def prune(
    older_than: Annotated[
        str | None,
        typer.Option(metavar="DAYS", help="Such as 90d; without it as long as the settings keep each kind."),
    ] = None,
    only: Annotated[
        list[Prunable] | None,
        typer.Option("--only", metavar="KIND", help="Of this kind alone."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show which old exports, backups, recordings, replays, copies, logs may go; remove them with --yes.

    Never removed: the audit, the ledger, orders, plans, alerts, certificates, the three newest backups.
    """
    days = None if older_than is None else days_from(older_than)

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.keeping import prune_shape

        old = await desk.keeping.find_old(days, only or ())
        if not as_json:
            _print_old(desk, old)
        if not old:
            if as_json:
                document(prune_shape(old, removed=False))
            return Exit.DONE
        what = f"{desk.mode}  remove {_counts_words(old)}"
        then = ["prune", "--yes", *([f"--older-than={older_than}"] if older_than else ())]
        then += [f"--only={kind}" for kind in only or ()]
        if not await confirmed("remove", what, yes, "add --yes to remove them", then):
            if as_json:
                document(prune_shape(old, removed=False))
            return Exit.DONE
        made = await desk.keeping.remove(old)
        if as_json:
            document(prune_shape(made, removed=True))
        else:
            line(f"removed: {_counts_words(made)}")
        return Exit.DONE

    run(work, needs_secrets=False)


def days_from(text: str) -> int:
    """Days as typed: `90d`, or `90`. Raises `BadInput`."""
    digits = text.strip().lower().removesuffix("d")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= 36_500:
        raise BadInput("older-than", text, "give days, such as 90d")
    return int(digits)


def size_words(number: int) -> str:
    """A file's size as people read it."""
    if number < 1_000_000:
        return f"{number / 1000:.1f} kB"
    return f"{number / 1_000_000:.1f} MB"


def _counts_words(old: "Prune") -> str:
    by_kind = Counter(one.kind for one in old.files)
    words = [f"{number} {kind}" for kind, number in by_kind.items()]
    if old.deliveries:
        words.append(f"{old.deliveries} {Prunable.DELIVERIES}")
    return ", ".join(words) + (f" ({size_words(old.bytes)})" if old.files else "") if words else "nothing"


def _print_old(desk: "Desk", old: "Prune") -> None:
    rows = [
        (one.kind.value, wall_time(desk, one.changed_at), size_words(one.bytes), str(one.path))
        for one in old.files
    ]
    if old.deliveries:
        before = wall_time(desk, old.before[Prunable.DELIVERIES])
        rows.append((Prunable.DELIVERIES.value, f"before {before}", "", counted(old.deliveries, "row")))
    if rows:
        table(("kind", "changed", ">size", "file"), rows)
    else:
        say("nothing is that old")


# --- books on a server --------------------------------------------------------------------------------------


@db_app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the tables of the database that database_url names to this version; an empty one gets them.

    In one transaction: it is done whole or not at all. No desk does it by itself.
    """
    from data.schema import HEAD
    from data.server.schema import upgrade as bring
    from tradedesk.cli.views.keeping import UpgradedShape

    books = _server()
    before = bring(books)
    if as_json:
        document(UpgradedShape(database=books.name, before=before, version=HEAD))
    elif before == HEAD:
        line(f"{books.name} is of version {HEAD} already")
    else:
        line(f"{books.name} was brought to version {HEAD}; before it {_was(before)}")


def _was(before: str | None) -> str:
    return "was empty" if before is None else f"was of version {before}"


@db_app.command()
def grant(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role of the server that may sign in.")],
    signs: Annotated[
        bool, typer.Option("--signs/--signs-not", help="Whether it signs people in, or a service does.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Let a role of the server do what a desk does, and no more: append-only tables grow alone.

    As the role that owns the tables, which no desk signs in by then. `db upgrade` grants again by itself.
    """
    from data.server.grants import grant as let
    from data.server.schema import check_ready
    from tradedesk.cli.views.keeping import GrantedShape

    books = _server()
    check_ready(books)
    growing = let(books, role, signs)
    if as_json:
        document(GrantedShape(database=books.name, role=role, append_only=list(growing)))
    else:
        line(f"{role} may do in {books.name} what a desk does; {len(growing)} tables only grow by its hand")


@db_app.command()
def copy(as_json: AsJson = False) -> None:
    """Copy this home's own books to the empty database that database_url names; every cell is compared.

    Nobody may be at work on the home. Both must be sound by `tradedesk doctor`, else nothing is kept there.
    The home's file is left as it is.
    """
    from data.server.copying import copy_books
    from data.server.schema import check_ready
    from tradedesk.cli.views.keeping import CopiedShape
    from tradedesk.compose.home import home_folder

    books = _server()
    check_ready(books)
    file = books_file(home_folder())
    made = copy_books(file, books, _wrong)
    if as_json:
        rows = sum(made.rows.values())
        shape = CopiedShape(
            file=str(file),
            database=books.name,
            rows=rows,
            tables=made.rows,
            audit_rows=made.audit_rows,
            audit_head=made.audit_head,
        )
        document(shape)
    else:
        line(f"{sum(made.rows.values())} rows of {len(made.rows)} tables were copied to {books.name}")
        line(f"audit: {made.audit_rows} rows, head {made.audit_head}")
    say(
        f"from now on open this home with database_url alone (`tradedesk config set database_url`): {file} "
        "knows nothing of what is done there"
    )


def _server() -> "PostgresBooks":
    """The database that the settings name. Raises `BadInput`."""
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.server import FORM, server_at
    from tradedesk.compose.settings import load_settings

    address = load_settings(home_folder()).database_url
    if not address:
        expected = f"set it, or TRADEDESK_DATABASE_URL, to {FORM}"
        raise BadInput("database_url", "", expected)
    return server_at(address)


def _wrong(connection: "Connection") -> list[str]:
    from engine.review.doctor import examine

    return [f"{check.name}: {check.detail}" for check in examine(connection) if not check.ok]
