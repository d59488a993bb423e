"""Options that several commands share."""

from datetime import date
from typing import Annotated

import typer

from data.clock import day_from_text
from data.errors import BadInput

Follow = Annotated[
    bool,
    typer.Option("--follow", help="Print what stands, then a line for each change, until ctrl+c."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Template = Annotated[bool, typer.Option("--template", help="Print a file to begin with, and exit.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Stands for the typed words.")]
Wait = Annotated[str, typer.Option("--wait", metavar="SECONDS", help="How long to wait for the outcome.")]

_SIZING = "How much (give one)"
Percent = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Percent of each client's capital for a buy, of its position for a sell.",
        rich_help_panel=_SIZING,
    ),
]
OfAvailable = Annotated[
    str | None, typer.Option(metavar="N", help="Percent of available cash.", rich_help_panel=_SIZING)
]
Amount = Annotated[
    str | None, typer.Option(metavar="RUPEES", help="Rupees for each client.", rich_help_panel=_SIZING)
]
Quantity = Annotated[
    str | None, typer.Option(metavar="N", help="Shares for each client.", rich_help_panel=_SIZING)
]
OfPosition = Annotated[
    str | None,
    typer.Option(metavar="N", help="Percent of the position held, for a sell.", rich_help_panel=_SIZING),
]
OfPortfolio = Annotated[
    str | None,
    typer.Option(metavar="N", help="Percent of all that the client has.", rich_help_panel=_SIZING),
]
ToWeight = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="As much as brings the position to that percent of all that the client has, or down to it.",
        rich_help_panel=_SIZING,
    ),
]
Ref = Annotated[
    str,
    typer.Option(
        metavar="TEXT", help="The client's instruction, such as `call 09:12`; kept 15 minutes a client."
    ),
]
Override = Annotated[
    str,
    typer.Option(
        "--override", metavar="REASON", help="Go beyond soft limits for this reason, which the plan keeps."
    ),
]
Disclosed = Annotated[
    str | None,
    typer.Option(metavar="N", help="Shares of each LIMIT order that the market sees, a tenth at least."),
]
Limit = Annotated[
    str | None, typer.Option(metavar="RUPEES", help="A limit price; without it the order is MARKET.")
]
Trigger = Annotated[
    str | None,
    typer.Option(
        metavar="RUPEES",
        help="A stop order that waits for this price: SL with --limit, SL-M without.",
    ),
]
ProductWord = Annotated[
    str | None,
    typer.Option("--product", metavar="CNC|MTF|MIS", help="Buys start at CNC, sells at the product held."),
]
ValidityWord = Annotated[
    str,
    typer.Option(
        "--validity",
        metavar="DAY|IOC|AMO",
        help="For the day; at once or not at all; or waiting at the broker for the next session.",
    ),
]
DriftWord = Annotated[
    str,
    typer.Option(
        "--drift",
        metavar="none",
        help="No drift limit: started and sent however far the price has moved; else that of the settings.",
    ),
]
_WHO = "Which clients (all, unless narrowed)"
Clients = Annotated[
    str | None,
    typer.Option(metavar="CODES,IDS", help="Codes or ids, by commas, or all.", rich_help_panel=_WHO),
]
Groups = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="NAME", help="A group; may be repeated.", rich_help_panel=_WHO),
]
Brokers = Annotated[
    list[str] | None,
    typer.Option("--broker", metavar="NAME", help="A broker; may be repeated.", rich_help_panel=_WHO),
]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="HASH", help="Send the stored plan with this hash, plan nothing."),
]
Again = Annotated[
    bool, typer.Option("--again", help="Send even though the same was sent within the last minute.")
]


def given(**options: str | None) -> list[str]:
    """Options that were given, as they are typed; what was left out is left out."""
    return [f"--{name}={value}" for name, value in options.items() if value is not None]


def nothing_beside(ctx: typer.Context, what: str, *allowed: str) -> None:
    """Hold that nothing is given that the command would leave unread for `what` it was told to do.

    `allowed` are the names of parameters that it reads. Raises `BadInput`, which names the first other one.
    """
    for one in ctx.command.params:
        name = str(one.name)
        source = ctx.get_parameter_source(name)
        if name not in allowed and source is not None and source.name == "COMMANDLINE":
            field, typed = name, ctx.params[name]
            if one.param_type_name == "option":
                typed = max(one.opts, key=len)
                field = typed.lstrip("-")
            raise BadInput(field, typed, f"it changes nothing of {what}: leave it out")


def nothing_beside_hash(ctx: typer.Context) -> None:
    """Hold that nothing is given beside `--confirm` that would change the stored plan. Raises `BadInput`."""
    nothing_beside(ctx, "a stored plan, which is sent as it stands", "confirm", "yes", "wait", "as_json")


MOST_NUMBER = 999_999_999_999
"""Beyond every number that the books give out."""


def day_from(name: str, text: str) -> date:
    """The day that the option `name` says. Raises `BadInput`."""
    return day_from_text(text, name)


def json_too(as_json: bool) -> list[str]:
    """`--json` where it was given."""
    return ["--json"] if as_json else []


ClientWord = Annotated[str, typer.Argument(metavar="CLIENT", help="A client's code or id.")]
