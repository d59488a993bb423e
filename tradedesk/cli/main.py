"""The command line: what the screens do, for scripts and for a second terminal."""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from data.errors import BadInput
from tradedesk.cli.asked import tell_request
from tradedesk.cli.commands import (
    audit,
    config,
    connections,
    elsewhere,
    exporting,
    keeping,
    keys,
    launch,
    leases,
    mcp,
    mtf,
    overview,
    replaying,
    safety,
    setup,
    simulate,
)
from tradedesk.cli.commands import queries as show
from tradedesk.cli.commands import repairs as mend
from tradedesk.cli.commands.alerting import alerts, health
from tradedesk.cli.commands.day import actions, console, contract_notes, eod, history, report
from tradedesk.cli.commands.day import risk as risks
from tradedesk.cli.commands.firm import auth, feed, jobs, rehearsing, workers
from tradedesk.cli.commands.firm.over_all import firm_bulk_app
from tradedesk.cli.commands.market import calendar, phases, watchlists
from tradedesk.cli.commands.morning import gate, kill_switch, login, secrets
from tradedesk.cli.commands.people import client_lists, clients, consents, groups, notes, page, tax
from tradedesk.cli.commands.roles import approving, persons, signing
from tradedesk.cli.commands.trading import (
    amend,
    baskets,
    convert,
    flatten,
    guards,
    limits,
    lists,
    models,
    presets,
    runs,
    trade,
)
from tradedesk.cli.exits import Exit, explain, log_file
from tradedesk.cli.printing.output import document, say

log = logging.getLogger(__name__)


class DeskGroup(TyperGroup):
    """The root command: turns whatever stops a command into one line, one document and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and leave with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            _check_text(given)
            ended = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except (SystemExit, typer.Abort):
            raise
        except KeyboardInterrupt:
            say("interrupted; what was sent stays at the broker")
            sys.exit(Exit.INTERRUPTED)
        except Exception as problem:
            sys.exit(tell(problem, given))
        sys.exit(ended if isinstance(ended, int) else Exit.DONE)


def tell(problem: Exception, words: Sequence[str]) -> Exit:
    """Say what stopped a command line, in one line and, where wanted, one document; returns how it ended."""
    told = explain(problem)
    if told.exit is Exit.INTERNAL and log_file():
        log.error("a command ended unexpectedly", exc_info=problem)
    say(f"tradedesk: {told.message}")
    if _wants_json(words):
        document({"error": told.to_json()})
    return told.exit


def _check_text(args: Sequence[str]) -> None:
    """Refuse bytes that are no text: they could be stored nowhere. Raises `BadInput`."""
    for arg in args:
        if any("\ud800" <= sign <= "\udfff" for sign in arg):
            raise BadInput("argument", arg.encode("utf-8", "replace").decode(), "type it in UTF-8")


def _wants_json(args: Sequence[str]) -> bool:
    options = args[: args.index("--")] if "--" in args else args
    return "--json" in options


app = typer.Typer(
    cls=DeskGroup,
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 done, 1 unexpected, 2 bad input, 3 nothing sent, 4 some orders failed or are not "
    "filled, 5 an order is UNKNOWN, 6 halted, 7 the home cannot be used, 8 not verified.",
)


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    request: Annotated[
        str | None,
        typer.Option(
            "--request", metavar="ID", help="Tell what the open app did when it was asked under this id."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --request: one JSON document.")] = False,
) -> None:
    """A workstation for trading many client accounts. Without a command it opens the screen."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tradedesk {installed('tradedesk-workstation')}")
        raise typer.Exit
    if request is not None:
        raise typer.Exit(tell_request(request, as_json))
    if ctx.invoked_subcommand is None:
        launch.open_app()


_START, _TRADE, _LOOK, _SAFETY = "Set up", "Trade", "Look", "Safety and proof"

app.command(rich_help_panel=_START)(launch.demo)
app.command(rich_help_panel=_START)(setup.init)
app.command(rich_help_panel=_START)(replaying.replay)
app.add_typer(config.config_app, name="config", rich_help_panel=_START)
app.add_typer(keys.keys_app, name="keys", rich_help_panel=_START)
app.add_typer(connections.connections_app, name="connections", rich_help_panel=_START)
app.add_typer(leases.leases_app, name="leases", rich_help_panel=_START)
app.command("keep", rich_help_panel=_START)(leases.keep)
clients.clients_app.add_typer(client_lists.lists_app)
app.add_typer(clients.clients_app, name="clients", rich_help_panel=_START)
app.add_typer(groups.groups_app, name="groups", rich_help_panel=_START)
app.add_typer(setup.instruments_app, name="instruments", rich_help_panel=_START)
app.add_typer(gate.routes_app, name="routes", rich_help_panel=_START)
app.add_typer(consents.consents_app, name="consents", rich_help_panel=_START)
app.add_typer(secrets.secrets_app, name="secrets", rich_help_panel=_START)
app.add_typer(gate.gate_app, name="gate", rich_help_panel=_START)
app.add_typer(kill_switch.kill_switch_app, name="kill-switch", rich_help_panel=_START)
app.add_typer(login.login_app, name="login", rich_help_panel=_START)
app.add_typer(persons.people_app, name="people", rich_help_panel=_START)
app.command("sign-in", rich_help_panel=_START)(signing.sign_in)
app.command("sign-out", rich_help_panel=_START)(signing.sign_out)
app.command("whoami", rich_help_panel=_START)(signing.whoami)
app.add_typer(auth.sessions_app, name="sessions", rich_help_panel=_START)
app.add_typer(auth.auth_app, name="auth", rich_help_panel=_START)
app.command("password", rich_help_panel=_START)(signing.change_password)
app.add_typer(simulate.simulate_app, name="simulate", rich_help_panel=_START)
app.command(rich_help_panel=_TRADE)(trade.plan)
app.command(rich_help_panel=_TRADE)(trade.bulk)
app.command(rich_help_panel=_TRADE)(approving.approve)
app.command(rich_help_panel=_TRADE)(baskets.basket)
app.add_typer(baskets.baskets_app, name="baskets", rich_help_panel=_TRADE)
app.command(rich_help_panel=_TRADE)(models.rebalance)
app.add_typer(models.models_app, name="models", rich_help_panel=_TRADE)
app.add_typer(presets.presets_app, name="presets", rich_help_panel=_TRADE)
app.command(rich_help_panel=_TRADE)(trade.order)
app.command(rich_help_panel=_TRADE)(amend.modify)
app.command(rich_help_panel=_TRADE)(amend.cancel)
app.command("run", rich_help_panel=_TRADE)(runs.one_run)
app.command(rich_help_panel=_TRADE)(convert.convert)
app.add_typer(elsewhere.broker_app, name="broker", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(elsewhere.compare)
app.command(rich_help_panel=_LOOK)(exporting.export)
app.command("mcp", rich_help_panel=_LOOK)(mcp.mcp)
app.command(rich_help_panel=_LOOK, context_settings={"ignore_unknown_options": True})(alerts.alerts)
app.command(rich_help_panel=_LOOK)(health.health)
app.command(rich_help_panel=_LOOK)(overview.status)
app.command(rich_help_panel=_LOOK)(overview.tape)
app.command(rich_help_panel=_LOOK)(page.client)
app.command(rich_help_panel=_LOOK)(page.statement)
app.command(rich_help_panel=_LOOK)(tax.tax)
app.add_typer(mtf.mtf_app, name="mtf", rich_help_panel=_LOOK)
app.add_typer(actions.actions_app, name="actions", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(eod.eod)
app.add_typer(contract_notes.contract_notes_app, name="contract-notes", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(risks.risk)
app.command(rich_help_panel=_LOOK)(risks.dispersion)
app.command(rich_help_panel=_LOOK)(history.history)
app.add_typer(history.flows_app, name="flows", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(report.report)
app.command(rich_help_panel=_START)(workers.worker)
app.command(rich_help_panel=_START)(workers.beat)
rehearsing.firm_app.add_typer(firm_bulk_app, name="bulk")
app.add_typer(rehearsing.firm_app, name="firm", rich_help_panel=_START)
app.command(rich_help_panel=_START)(feed.feed)
app.add_typer(jobs.jobs_app, name="jobs", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(console.tradebook)
app.command(rich_help_panel=_LOOK)(console.ledger)
app.command(rich_help_panel=_LOOK)(overview.matrix)
app.command(rich_help_panel=_LOOK)(overview.log)
app.add_typer(calendar.calendar_app, name="calendar", rich_help_panel=_LOOK)
app.add_typer(notes.notes_app, name="notes", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(show.search)
app.command(rich_help_panel=_LOOK)(show.watch)
app.add_typer(watchlists.watchlist_app, name="watchlist", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(show.detail)
app.add_typer(show.orders_app, name="orders", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(show.runs)
app.command(rich_help_panel=_LOOK)(show.positions)
app.command(rich_help_panel=_LOOK)(show.funds)
app.command(rich_help_panel=_LOOK)(show.transactions)
app.command(rich_help_panel=_SAFETY)(flatten.flatten)
app.add_typer(lists.lists_app, name="lists", rich_help_panel=_SAFETY)
app.add_typer(limits.limits_app, name="limits", rich_help_panel=_SAFETY)
app.command(rich_help_panel=_SAFETY)(guards.guards)
app.add_typer(mend.unknown_app, name="unknown", rich_help_panel=_SAFETY)
app.command(rich_help_panel=_SAFETY)(mend.reconcile)
app.command("cancel-all", rich_help_panel=_SAFETY)(safety.cancel_all)
app.command(rich_help_panel=_SAFETY)(safety.resume)
app.command(rich_help_panel=_SAFETY)(safety.certificate)
app.add_typer(phases.market_app, name="market", rich_help_panel=_SAFETY)
app.add_typer(audit.audit_app, name="audit", rich_help_panel=_SAFETY)
app.command(rich_help_panel=_SAFETY)(audit.evidence)
app.command(rich_help_panel=_SAFETY)(safety.doctor)
app.command(rich_help_panel=_SAFETY)(keeping.backup)
app.command(rich_help_panel=_SAFETY)(keeping.restore)
app.command(rich_help_panel=_SAFETY)(keeping.prune)
app.add_typer(keeping.db_app, name="db", rich_help_panel=_SAFETY)
