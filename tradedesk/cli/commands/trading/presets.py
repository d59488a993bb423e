"""Presets from the command line: the list of saved wishes, and forgetting one."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.trading.plans import product_words, sizing_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import run
from tradedesk.cli.views.plans import preset_shape

if TYPE_CHECKING:
    from engine.desk import Desk

presets_app = typer.Typer(
    invoke_without_command=True,
    help="Presets: wishes under a name; `plan … --save NAME` keeps one, `plan --preset NAME` plans it.",
)


@presets_app.callback()
def list_presets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the presets."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.presets.all()
        if as_json:
            document([preset_shape(one) for one in found])
        else:
            rows = [
                (
                    one.name,
                    one.intent.side.value,
                    one.intent.key,
                    sizing_words(one.intent.sizing),
                    product_words(one.intent),
                    one.intent.selection.title,
                    one.saved_by,
                )
                for one in found
            ]
            table(("preset", "", "symbol", "size", "", "clients", "saved by"), rows)
        return Exit.DONE

    run(work, needs_secrets=False)


@presets_app.command("remove")
def remove_preset(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The preset's name.")], as_json: AsJson = False
) -> None:
    """Forget a preset."""

    async def work(desk: "Desk") -> Exit:
        found = await desk.presets.get(name)
        await desk.presets.remove(found.name)
        if as_json:
            document(preset_shape(found))
        else:
            line(f"{found.name} is forgotten")
        return Exit.DONE

    run(work, needs_secrets=False)
