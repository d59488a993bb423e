"""Models and rebalancing from the command line: kept by version, looked at, carried out in one plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.records import replace
from engine.words.formats import rupees
from engine.words.trading.baskets import kept_back_words
from engine.words.trading.rebalancing import (
    EXCEPTION_WORDS,
    buys_words,
    model_words,
    percent,
    proposal_words,
    rules_words,
    sells_words,
    whole_words,
)
from tradedesk.cli import arguments as choices
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Brokers, Clients, Groups, Override, Ref, Wait, Yes
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.sending import send, show_plan
from tradedesk.cli.session import run, seconds_from
from tradedesk.cli.views.models import model_shape, rebalance_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.rebalancing.model import Model
    from engine.rebalancing.service import Rebalance

ModelWord = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
BandWord = Annotated[
    str | None, typer.Option("--band", metavar="PERCENT", help="How far a sector or stock may be off.")
]
ToWord = Annotated[
    str | None, typer.Option("--to", metavar="edge|target", help="How far what is outside is brought back.")
]
LeastWord = Annotated[
    str | None, typer.Option("--min-trade", metavar="RUPEES", help="The least worth of a trade.")
]
CostWord = Annotated[
    str | None,
    typer.Option("--max-cost", metavar="PERCENT", help="The most a trade may cost of itself."),
]
CashWord = Annotated[
    str | None, typer.Option("--cash", metavar="PERCENT", help="What of each portfolio stays in cash.")
]
AvoidWord = Annotated[
    bool | None, typer.Option("--avoid-short/--take-short", help="Sell nothing at a short-term gain, or do.")
]
LossesWord = Annotated[
    bool | None, typer.Option("--losses-first/--pro-rata", help="Take a sector's sales from losses first.")
]

models_app = typer.Typer(
    invoke_without_command=True, help="Model portfolios: targets by sector and by stock within, by version."
)


@models_app.callback()
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the models with their rules."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.models.all()
        if as_json:
            document([model_shape(one) for one in found])
        else:
            table(
                ("model", ">version", ">stocks", "rules", ">exceptions", "saved by"),
                [
                    (
                        one.name,
                        str(one.version),
                        str(len(one.targets)),
                        rules_words(one.rules),
                        str(len(one.exceptions) or ""),
                        one.saved_by,
                    )
                    for one in found
                ],
            )
        return Exit.DONE

    run(work, needs_secrets=False)


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: sector,target,symbol,weight.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The model's name; left out, the file's.")
    ] = None,
    band: BandWord = None,
    to: ToWord = None,
    min_trade: LeastWord = None,
    max_cost: CostWord = None,
    cash: CashWord = None,
    avoid_short: AvoidWord = None,
    losses_first: LossesWord = None,
    as_json: AsJson = False,
) -> None:
    """Keep a CSV file's targets as a model's newest version; of a file with a bad row nothing is taken."""
    called = name or file.stem
    from engine.rebalancing.asked import RulesTyped

    given = RulesTyped(band, to, min_trade, max_cost, cash, avoid_short, losses_first).values

    async def work(desk: "Desk") -> Exit:
        from engine.rebalancing.model import ModelRules

        known = [one for one in await desk.models.all() if one.name.casefold() == called.strip().casefold()]
        rules = replace(known[0].rules if known else ModelRules(), **given)
        return _tell(await desk.models.import_file(readable(file), called, rules), as_json, desk)

    run(work, needs_secrets=False)


@models_app.command("show")
def show_model(
    name: ModelWord,
    versions: Annotated[bool, typer.Option("--versions", help="All its versions, the newest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a model's targets, rules and exceptions."""

    async def work(desk: "Desk") -> Exit:
        if versions:
            found = await desk.models.versions(name)
            if as_json:
                document([model_shape(one) for one in found])
            else:
                rows = [(one.title, one.saved_by, rules_words(one.rules)) for one in found]
                table(("version", "saved by", "rules"), rows)
            return Exit.DONE
        return _tell(await desk.models.get(name), as_json, desk)

    run(work, needs_secrets=False)


@models_app.command("rules")
def set_rules(
    name: ModelWord,
    band: BandWord = None,
    to: ToWord = None,
    min_trade: LeastWord = None,
    max_cost: CostWord = None,
    cash: CashWord = None,
    avoid_short: AvoidWord = None,
    losses_first: LossesWord = None,
    as_json: AsJson = False,
) -> None:
    """Have a model be kept by other rules, as its next version; what is left out stays."""
    from engine.rebalancing.asked import RulesTyped

    given = RulesTyped(band, to, min_trade, max_cost, cash, avoid_short, losses_first).values

    async def work(desk: "Desk") -> Exit:
        before = await desk.models.get(name)
        return _tell(await desk.models.set_rules(name, replace(before.rules, **given)), as_json, desk)

    run(work, needs_secrets=False)


@models_app.command("except")
def set_exception(
    name: ModelWord,
    client: Annotated[str, typer.Argument(metavar="CLIENT")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    does: Annotated[str, typer.Argument(metavar="keep|no-buy|no-sell|none")],
    as_json: AsJson = False,
) -> None:
    """Say what a model does not do for one client in one stock; none takes that back."""
    from engine.rebalancing.asked import exception_from

    wanted = exception_from(does)

    async def work(desk: "Desk") -> Exit:
        whose, key = desk.clients.find(client).id, desk.market.index.resolve(symbol).key
        return _tell(await desk.models.set_exception(whose, name, key, wanted), as_json, desk)

    run(work, needs_secrets=False)


@models_app.command("retire")
def retire_model(name: ModelWord, as_json: AsJson = False) -> None:
    """Use a model no more; its versions stay for what was done by them."""

    async def work(desk: "Desk") -> Exit:
        found = await desk.models.get(name)
        await desk.models.retire(name)
        if as_json:
            document(model_shape(found))
        else:
            line(f"{found.title} is retired")
        return Exit.DONE

    run(work, needs_secrets=False)


def rebalance(
    name: ModelWord,
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    raise_cash: Annotated[
        str | None, typer.Option("--raise", metavar="RUPEES", help="Have each client have so much more cash.")
    ] = None,
    invest: Annotated[
        bool, typer.Option("--invest", help="Invest what is idle, inside the bands too.")
    ] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Freeze and print the plan, send nothing.")
    ] = False,
    override: Override = "",
    ref: Ref = "",
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Show what brings each client to a model; with --yes sell, then buy by what the sales brought."""
    from engine.rebalancing.asked import wish_from

    patience, wish = seconds_from(wait), wish_from(raise_cash, invest)

    async def work(desk: "Desk") -> Exit:
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        model = await desk.models.get(name)
        whose = [client.id for client in desk.plans.select(chosen)]
        looked = await desk.rebalancing.look(whose, model, wish)
        if not as_json:
            print_rebalance(looked)
        intent = looked.intent
        if intent is None or not (yes or plan_only):
            if as_json:
                document({"rebalance": rebalance_shape(looked), "plan": None, "run": None})
            elif intent is not None:
                say("nothing was sent: add --plan to freeze it, --yes to send it")
            return Exit.DONE if intent is not None or not looked.proposals else Exit.NOTHING_SENT
        made = await desk.plans.freeze(choices.with_entry(intent, ref, override=override))
        if plan_only:
            return show_plan(made, as_json)
        return await send(desk, made, yes, patience, as_json)

    run(work)


def print_rebalance(looked: "Rebalance") -> None:
    """Print what brings clients to a model: before, after and why, client by client."""
    line(model_words(looked.model))
    line(whole_words(looked))
    back = kept_back_words(looked.preview)
    table(
        ("code", "client", ">drift", ">after", "sells", "buys (+later)", ">cash", ">tax", "verdict"),
        [
            (
                made.code,
                made.name,
                percent(made.drift_before_bps),
                percent(made.drift_after_bps),
                sells_words(made),
                buys_words(made),
                rupees(made.cash_after_paise),
                rupees(made.tax_paise) if made.tax_paise else "",
                " · ".join(filter(None, (back.get(made.client_id), proposal_words(made)))),
            )
            for made in looked.proposals
        ],
    )


def _tell(model: "Model", as_json: bool, desk: "Desk") -> Exit:
    if as_json:
        document(model_shape(model))
        return Exit.DONE
    line(model_words(model))
    table(
        ("sector", ">sector %", "symbol", ">of sector %", ">target %"),
        [
            (
                target.sector,
                percent(target.sector_bps, 2),
                target.key,
                percent(target.within_bps, 2),
                percent(target.weight_bps, 2),
            )
            for target in model.targets
        ],
    )
    for one in model.exceptions:
        line(f"{desk.clients.code_of(one.client_id)} {one.key}: {EXCEPTION_WORDS[one.does]}")
    return Exit.DONE
