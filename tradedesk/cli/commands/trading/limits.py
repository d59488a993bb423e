"""Limits before the order from the command line: shown with what is used of them, set, taken away."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.vocabulary import LimitKind, LimitScope, LimitStrength
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.risk.limits import limit_shape

if TYPE_CHECKING:
    from engine.book.watched.limit_views import LimitView
    from engine.desk import Desk
    from engine.planning.limits.service import LimitUse
    from engine.planning.limits.typed import LimitWish

limits_app = typer.Typer(
    help="Limits before the order, per client, group and desk; the strictest of those over a client holds.",
    invoke_without_command=True,
)

OfClient = Annotated[str | None, typer.Option("--client", metavar="CODE", help="Of one client.")]
OfGroup = Annotated[str | None, typer.Option("--group", metavar="NAME", help="Of the clients of a group.")]
OfDesk = Annotated[bool, typer.Option("--desk", help="Of every client.")]
OfList = Annotated[str, typer.Option("--list", metavar="NAME", help="Of `list`: which list of shares.")]
KindWord = Annotated[str, typer.Argument(metavar="KIND", help=", ".join(kind.word for kind in LimitKind))]
Soft = Annotated[bool, typer.Option("--soft", help="It holds unless a reason is typed; else it is hard.")]


@limits_app.callback()
def show_limits(
    ctx: typer.Context,
    client: OfClient = None,
    group: OfGroup = None,
    desk_wide: OfDesk = False,
    as_json: AsJson = False,
) -> None:
    """Show the limits; of a client those over it, what is used of each, and which of them decide."""
    ctx.obj = (client, group, desk_wide)
    if ctx.invoked_subcommand is None:
        _show(client, group, desk_wide, as_json)


@limits_app.command("show")
def show_again(
    ctx: typer.Context,
    client: OfClient = None,
    group: OfGroup = None,
    desk_wide: OfDesk = False,
    as_json: AsJson = False,
) -> None:
    """The same as `limits` alone."""
    before = ctx.obj or (None, None, False)
    _show(client or before[0], group or before[1], desk_wide or before[2], as_json)


@limits_app.command("set")
def set_limit(
    ctx: typer.Context,
    kind: KindWord,
    figure: Annotated[
        str | None, typer.Argument(metavar="FIGURE", help="Rupees, percent or a count, as the kind has it.")
    ] = None,
    client: OfClient = None,
    group: OfGroup = None,
    desk_wide: OfDesk = False,
    list_name: OfList = "",
    soft: Soft = False,
    off: Annotated[bool, typer.Option("--off", help="The desk does not look for it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set a limit, in the place of one of the same strength. A trader tightens, an admin loosens too."""
    if soft and off:
        raise BadInput("off", "--soft", "give one of both")
    strength = LimitStrength.OFF if off else LimitStrength.SOFT if soft else LimitStrength.HARD
    wish = wish_from(_whose(ctx, client, group, desk_wide), kind, figure, strength, list_name)

    async def work(desk: "Desk") -> Exit:
        made = await desk.limits.set(wish)
        if as_json:
            document(limit_shape(made, desk.limits.whose_words(made)))
        else:
            line(_told(desk, made))
        return Exit.DONE

    run(work, needs_secrets=False)


@limits_app.command("remove")
def remove_limit(
    ctx: typer.Context,
    kind: KindWord,
    client: OfClient = None,
    group: OfGroup = None,
    desk_wide: OfDesk = False,
    list_name: OfList = "",
    soft: Soft = False,
    as_json: AsJson = False,
) -> None:
    """Take a limit away, the hard one unless --soft is given."""
    strength = LimitStrength.SOFT if soft else LimitStrength.HARD
    wish = wish_from(_whose(ctx, client, group, desk_wide), kind, None, strength, list_name)

    async def work(desk: "Desk") -> Exit:
        await desk.limits.remove(wish)
        if as_json:
            document([limit_shape(one, desk.limits.whose_words(one)) for one in desk.limits.all()])
        else:
            line("taken away")
        return Exit.DONE

    run(work, needs_secrets=False)


Whose = tuple[LimitScope, str]


def _whose(ctx: typer.Context, client: str | None, group: str | None, desk_wide: bool) -> Whose:
    """Whose limit it is, before or behind the word for what is done. Raises `BadInput` but for one."""
    before = ctx.obj or (None, None, False)
    found: list[Whose] = []
    if (named := client or before[0]) is not None:
        found.append((LimitScope.CLIENT, named))
    if (named := group or before[1]) is not None:
        found.append((LimitScope.GROUP, named))
    if desk_wide or before[2]:
        found.append((LimitScope.DESK, ""))
    if len(found) != 1:
        raise BadInput("limit", "", "give one of --client CODE, --group NAME, --desk")
    return found[0]


def wish_from(
    whose: Whose, kind_word: str, figure: str | None, strength: LimitStrength, list_name: str
) -> "LimitWish":
    """The limit that was typed. Raises `BadInput`."""
    from engine.planning.limits.typed import LimitWish, figure_from, kind_from

    kind, amount = kind_from(kind_word), None
    if figure is not None:
        kind, amount = figure_from(kind, figure)
    return LimitWish(*whose, kind, strength, amount, list_name.strip().casefold())


def _show(client: str | None, group: str | None, desk_wide: bool, as_json: bool) -> None:
    async def work(desk: "Desk") -> Exit:
        if client is not None:
            return await _show_client(desk, client, as_json)
        found = desk.limits.all()
        if group is not None:
            name = desk.groups.find(group).name
            found = [one for one in found if (one.scope, one.whose) == (LimitScope.GROUP, name)]
        elif desk_wide:
            found = [one for one in found if one.scope is LimitScope.DESK]
        if as_json:
            document([limit_shape(one, desk.limits.whose_words(one)) for one in found])
            return Exit.DONE
        rows = [_cells(desk, one) for one in found]
        table(("of", "limit", ">figure", "", "set by"), rows)
        if not found:
            say("no limit: `tradedesk limits set order-value 5,00,000 --desk`")
        return Exit.DONE

    run(work, needs_secrets=False)


async def _show_client(desk: "Desk", client: str, as_json: bool) -> Exit:
    found = desk.clients.find(client)
    uses = await desk.limits.over(found.id)
    if as_json:
        document([limit_shape(one.limit, desk.limits.whose_words(one.limit), one) for one in uses])
        return Exit.DONE
    rows = [(*_cells(desk, one.limit)[:4], *_used(one)) for one in uses]
    table(("of", "limit", ">figure", "", ">used", ">used %", "decides"), rows)
    return Exit.DONE


def _used(use: "LimitUse") -> tuple[str, str, str]:
    from engine.words.trading.limits import figure_words

    used = "" if use.used is None else figure_words(use.limit.kind, use.used)
    part = "" if use.used_bps is None else f"{use.used_bps / 100:.0f} %"
    return used, part, "yes" if use.decides else ""


def _cells(desk: "Desk", limit: "LimitView") -> tuple[str, str, str, str, str]:
    from engine.words.trading.limits import figure_words, kind_words, place_words

    by = "the desk itself" if not limit.by else limit.by
    return (
        place_words(limit.scope, desk.limits.whose_words(limit)),
        kind_words(limit.kind, limit.list_name),
        figure_words(limit.kind, limit.figure),
        limit.strength.value,
        by,
    )


def _told(desk: "Desk", limit: "LimitView") -> str:
    """A limit in one line: `PS1015: order value ₹5,00,000, hard`."""
    of, what, figure, strength, _ = _cells(desk, limit)
    return f"{of}: {what} {figure}".rstrip() + f", {strength}"
