"""One session of every command with `--json` on a seeded home, made so that it prints the same each time.

`python -m tests.tradedesk.golden_session` writes `tests/goldens/cli.json` anew.
"""

import asyncio
import itertools
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest.mock import patch

import keyring
from keyring.backends import fail

import tradedesk.compose.wiring
from brokers.contract import Accepted, Ambiguous, OrderRequest
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import ManualClock, SystemClock
from data.records import replace
from data.reference.phases import load_calendar
from data.vocabulary import OrderType, Product, Side
from engine.rules import Rules
from tests.books import empty_books
from tests.desks import MISSION_PINS, START, WAITS
from tests.tradedesk.cli_desk import Printed, Terminal
from tradedesk.compose.settings import Settings

GOLDENS = Path(__file__).parents[1] / "goldens" / "cli.json"

STEPS: dict[str, tuple[str, ...]] = {
    "init": ("init", "--demo", "--bare"),
    "connections": ("connections",),
    "connections add": ("connections", "add", "paper"),
    "clients": ("clients", "--search", "AM1042"),
    "clients of a group": ("clients", "--group", "Family", "--status", "pending"),
    "clients import template": ("clients", "import", "--template"),
    "clients import": ("clients", "import", "{home}/clients.csv"),
    "clients import preview": ("clients", "import", "{home}/clients.csv", "--preview", "--update"),
    "clients columns": ("clients", "columns"),
    "clients export": ("clients", "export", "--file", "{home}/out.csv"),
    "export": ("export", "funds", "--out", "{home}/funds.xlsx"),
    "clients set": ("clients", "set", "NEW1", "--status", "pending", "--reason", "papers"),
    "clients add": (
        "clients",
        "add",
        "NEW2",
        "--name",
        "Another",
        "--broker",
        "paper",
        "--user",
        "N2",
        "--capital",
        "100000",
        "--groups",
        "Fresh",
    ),
    "clients edit": ("clients", "edit", "NEW2", "--capital", "200000", "--multiplier", "2"),
    "clients pause": ("clients", "pause", "NEW2", "--reason", "on a plane", "--until", "2026-11-20"),
    "clients unpause": ("clients", "unpause", "NEW2"),
    "groups rule": ("groups", "rule", "large", "capital > 5L and not paused"),
    "groups add": ("groups", "add", "Fresh", "NEW1"),
    "groups show": ("groups", "show", "fresh"),
    "groups remove": ("groups", "remove", "Fresh", "NEW1"),
    "groups edit": ("groups", "edit", "Fresh", "--name", "Fresher", "--add", "NEW1,NEW2"),
    "groups edit back": ("groups", "edit", "Fresher", "--name", "Fresh", "--remove", "NEW1,NEW2"),
    "groups rename": ("groups", "rename", "Fresh", "Fresher"),
    "groups": ("groups",),
    "groups delete": ("groups", "delete", "Fresher"),
    "groups delete by rule": ("groups", "delete", "large"),
    "notes add": ("notes", "add", "client", "NEW2", "wants no tobacco"),
    "notes": ("notes", "--client", "NEW2"),
    "mtf import": ("mtf", "import", "{home}/mtf.csv"),
    "actions import": ("actions", "import", "{home}/actions.csv"),
    "actions": ("actions",),
    "actions book": ("actions", "book", "AM1042", "TCS", "2026-11-24"),
    "actions undo": ("actions", "undo", "AM1042", "TCS", "2026-11-24", "--reason", "put off"),
    "tradebook": ("tradebook", "AM1042", "{home}/tradebook.csv"),
    "tradebook take": ("tradebook", "AM1042", "{home}/tradebook.csv", "--take"),
    "ledger": ("ledger", "AM1042", "{home}/ledger.csv"),
    "contract-notes": ("contract-notes",),
    "contract-notes add": ("contract-notes", "add", "AM1042", "2026-11-18", "12.34"),
    "contract-notes from-broker": ("contract-notes", "from-broker"),
    "contract-notes import": ("contract-notes", "import", "{home}/notes.csv"),
    "mtf": ("mtf", "--client", "AM1042"),
    "mtf pledges": ("mtf", "pledges"),
    "statement": ("statement", "AM1042"),
    "clients close": ("clients", "close", "NEW2", "--reason", "left us"),
    "connections carry": ("connections", "carry", "NEW1", "paper"),
    "instruments import": ("instruments", "import", "{home}/dump.csv"),
    "instruments import-index": (
        "instruments",
        "import-index",
        "nifty50",
        "{home}/nifty.csv",
        "--as-of",
        "2026-09-30",
    ),
    "instruments accept": ("instruments", "accept", "INFY", "--reason", "nothing in doubt"),
    "instruments prices": ("instruments", "prices", "{home}/closes.csv"),
    "routes import template": ("routes", "import", "--template"),
    "routes import": ("routes", "import", "{home}/routes.csv"),
    "routes show": ("routes", "show"),
    "routes probe": ("routes", "probe"),
    "routes retry": ("routes", "retry", "AM1042"),
    "consents import template": ("consents", "import", "--template"),
    "consents import": ("consents", "import", "{home}/consents.csv"),
    "consents give": ("consents", "give", "AM1042", "phone", "tape 12", "--from", "2026-04-01"),
    "consents": ("consents",),
    "consents end": ("consents", "end", "AM1042", "1", "--reason", "withdrawn by mail"),
    "consents --missing": ("consents", "--missing"),
    "secrets": ("secrets",),
    "secrets set-key": ("secrets", "set-key", "abcd1234"),
    "secrets make-key": ("secrets", "make-key", "{home}/desk.key"),
    "secrets rewrap": ("secrets", "rewrap", "{home}/desk.key"),
    "gate": ("gate", "--red"),
    "gate waive": ("gate", "waive", "AM1042", "route", "--reason", "by telephone"),
    "kill-switch": ("kill-switch",),
    "kill-switch set": ("kill-switch", "set", "AM1042", "NSE_EQ"),
    "login links": ("login", "links"),
    "login client": ("login", "client", "AM1042", "token"),
    "simulate clock": ("simulate", "clock"),
    "simulate price": ("simulate", "price", "NIFTY 50", "-1.5%"),
    "simulate pay": ("simulate", "pay", "LK1020", "in", "10"),
    "simulate sign-in": ("simulate", "sign-in", "AM1042"),
    "status": ("status",),
    "search": ("search", "TCS"),
    "watch": ("watch", "--add", "INFY", "RELIANCE", "TCS"),
    "detail": ("detail", "TCS"),
    "plan": ("plan", "buy", "TCS", "--percent", "25", "--clients", "AM1042,RG1008,PS1015"),
    "plan saved": (
        "plan",
        "buy",
        "TCS",
        "--quantity",
        "1",
        "--clients",
        "AM1042",
        "--save",
        "One",
        "--what-if",
    ),
    "plan of a preset": ("plan", "--preset", "one"),
    "lists import": ("lists", "import", "{home}/own.csv", "--as", "own"),
    "lists": ("lists",),
    "lists show": ("lists", "show", "own"),
    "lists remove": ("lists", "remove", "own"),
    "limits show": ("limits", "show"),
    "limits set": ("limits", "set", "orders", "500", "--client", "AM1042"),
    "limits": ("limits",),
    "limits of a client": ("limits", "--client", "AM1042"),
    "limits remove": ("limits", "remove", "orders", "--client", "AM1042"),
    "guards set": ("guards", "set", "AM1042", "mis", "--loss", "2%"),
    "guards": ("guards",),
    "guards off": ("guards", "off", "AM1042", "mis"),
    "calendar": ("calendar", "--date", "2026-11-24"),
    "calendar import": ("calendar", "import", "{home}/holidays.csv", "--source", "NSE/CMTR/1"),
    "presets": ("presets",),
    "presets remove": ("presets", "remove", "One"),
    "clients terms": ("clients", "set", "NEW1", "--multiplier", "1.5", "--discretionary", "no"),
    "plan of nothing": ("plan", "sell", "TCS", "--percent", "50", "--clients", "AM1042"),
    "bulk unconfirmed": ("bulk", "buy", "TCS", "--quantity", "2", "--clients", "AM1042"),
    "bulk": ("bulk", "buy", "TCS", "--quantity", "2", "--clients", "AM1042", "--yes"),
    "bulk again": ("bulk", "buy", "TCS", "--quantity", "2", "--clients", "AM1042", "--yes"),
    "order resting": ("order", "AM1042", "buy", "INFY", "2", "--limit", "1400", "--yes"),
    "order sold": ("order", "AM1042", "sell", "TCS", "1", "--yes"),
    "order refused": ("order", "AM1042", "sell", "TCS", "5", "--yes"),
    "modify unconfirmed": ("modify", "2", "--limit", "1410"),
    "modify": ("modify", "2", "--limit", "1410", "--yes"),
    "modify many unconfirmed": ("modify", "2", "--ticks", "2"),
    "modify many": ("modify", "--client", "AM1042", "--to", "1412", "--yes"),
    "modify chase": ("modify", "2", "--chase", "1415", "--yes"),
    "orders": ("orders", "--client", "AM1042"),
    "orders show": ("orders", "show", "1"),
    "positions": ("positions", "--client", "AM1042"),
    "funds": ("funds", "--client", "AM1042"),
    "transactions": ("transactions", "--client", "AM1042"),
    "tax": ("tax", "AM1042", "--year", "2026-27"),
    "cancel": ("cancel", "2", "--yes"),
    "bulk paused": ("bulk", "buy", "HDFCBANK", "--quantity", "1", "--clients", "AM1042", "--yes"),
    "run": ("run", "4"),
    "run resume shown": ("run", "4", "resume"),
    "run stop unconfirmed": ("run", "4", "stop"),
    "run stop": ("run", "4", "stop", "--yes"),
    "run cancel unconfirmed": ("run", "2", "cancel"),
    "run cancel": ("run", "4", "cancel", "--yes"),
    "runs": ("runs",),
    "runs of a day": ("runs", "--day", "2026-11-17"),
    "order in doubt": ("order", "RG1008", "buy", "TCS", "1", "--limit", "2300", "--yes", "--wait", "1"),
    "unknown": ("unknown",),
    "unknown adopt": ("unknown", "adopt", "5", "2611180000000000001", "--reason", "seen"),
    "unknown absent": ("unknown", "absent", "5", "--reason", "never came"),
    "reconcile": ("reconcile", "AP1022"),
    "reconcile adopted": ("reconcile", "AP1022", "--adopt", "--reason", "by phone"),
    "order to cancel": ("order", "AM1042", "buy", "INFY", "1", "--limit", "1401", "--yes"),
    "cancel-all unconfirmed": ("cancel-all",),
    "cancel-all": ("cancel-all", "--yes", "--scope", "client", "--value", "AM1042"),
    "certificate": ("certificate",),
    "resume": ("resume", "--yes"),
    "broker orders": ("broker", "orders", "--client", "AM1042"),
    "broker charges": ("broker", "charges", "--client", "AM1042"),
    "broker trades": ("broker", "trades", "--client", "AM1042"),
    "compare": ("compare", "{home}/trades.csv", "--client", "AM1042"),
    "audit show": ("audit", "show", "--order", "1"),
    "audit search": ("audit", "search", "action:run_started", "run:1"),
    "audit story": ("audit", "story", "5", "--limit", "1"),
    "audit verify": ("audit", "verify"),
    "audit state": ("audit", "state"),
    "audit accept": ("audit", "accept", "--reason", "nothing is wrong", "--word", "accept"),
    "doctor": ("doctor",),
    "client": ("client", "AM1042"),
    "tape": ("tape", "--limit", "3"),
    "log": ("log", "--limit", "200"),
    "baskets save": ("baskets", "save", "Two", "buy", "TCS:1", "INFY:5%@1400"),
    "baskets show": ("baskets", "show", "two"),
    "baskets": ("baskets",),
    "basket plan": ("basket", "--saved", "Two", "--clients", "AP1022,RG1008", "--plan"),
    "basket": ("basket", "buy", "TCS:1", "INFY:2", "--clients", "AP1022", "--yes"),
    "run repair": ("run", "7", "repair"),
    "run reverse": ("run", "7", "reverse"),
    "baskets rename": ("baskets", "rename", "Two", "Both"),
    "baskets remove": ("baskets", "remove", "Both"),
    "models import": ("models", "import", "{home}/balanced.csv", "--to", "target"),
    "models rules": ("models", "rules", "balanced", "--band", "2"),
    "models except": ("models", "except", "balanced", "AM1042", "INFY", "keep"),
    "models show": ("models", "show", "balanced"),
    "models": ("models",),
    "rebalance": ("rebalance", "balanced", "--clients", "RG1008"),
    "models retire": ("models", "retire", "balanced"),
    "order intraday": ("order", "PS1015", "buy", "TCS", "3", "--product", "MIS", "--yes"),
    "alerts": ("alerts",),
    "matrix": ("matrix",),
    "matrix, sectors": ("matrix", "--sectors"),
    "eod preview": ("eod", "--preview"),
    "risk": ("risk", "AM1042"),
    "dispersion": ("dispersion", "1"),
    "dispersion of the day": ("dispersion",),
    "flows": ("flows",),
    "flows class": ("flows", "class", "1", "pay-in"),
    "history": ("history", "AM1042"),
    "report": ("report", "AM1042", "--out", "{home}/am1042.pdf"),
    "config": ("config",),
    "config set": ("config", "set", "density", "compact"),
    "keys": ("keys",),
    "convert unconfirmed": ("convert", "PS1015", "TCS", "mis", "cnc"),
    "convert": ("convert", "PS1015", "TCS", "mis", "cnc", "--quantity", "1", "--yes"),
    "convert several unconfirmed": ("convert", "PS1015,RG1008", "all", "mis", "cnc"),
    "convert too many": ("convert", "PS1015", "TCS", "mis", "cnc", "--quantity", "3", "--yes"),
    "flatten unconfirmed": ("flatten", "client", "PS1015", "mis"),
    "flatten": ("flatten", "client", "PS1015", "mis", "--yes"),
    "flatten again": ("flatten", "client", "PS1015", "mis"),
    "flatten show": ("flatten", "show"),
    "flatten stop": ("flatten", "stop", "1"),
    "search by words": ("search", "infy", "index:nifty50", "sector:it", "chg>0.5"),
    "watchlist make": ("watchlist", "make", "Large caps", "TCS", "INFY"),
    "watchlist add": ("watchlist", "add", "large caps", "SBIN"),
    "watchlist remove": ("watchlist", "remove", "large caps", "TCS"),
    "watchlist place": ("watchlist", "place", "large caps", "SBIN", "1"),
    "watchlist rename": ("watchlist", "rename", "large caps", "Big"),
    "watchlist move": ("watchlist", "move", "Big", "1"),
    "watchlist": ("watchlist",),
    "watchlist export": ("watchlist", "export", "Big", "--file", "{home}/big.csv"),
    "watchlist import": ("watchlist", "import", "{home}/big.csv", "--list", "Copy"),
    "watchlist columns": ("watchlist", "columns", "ltp", "bid", "ask"),
    "watchlist delete": ("watchlist", "delete", "Big"),
    "evidence": ("evidence", "1", "--out", "{home}/evidence"),
    "jobs ask": ("jobs", "ask", "export", "--table", "funds"),
    "jobs show": ("jobs", "show", "1"),
    "jobs ask for a check": ("jobs", "ask", "backup_check"),
    "jobs retry": ("jobs", "retry", "2"),
    "jobs cancel": ("jobs", "cancel", "2"),
    "jobs": ("jobs",),
    "prune": ("prune", "--older-than", "30d"),
    "backup": ("backup",),
    "restore": ("restore", "{home}/trades.csv"),
    "db upgrade": ("db", "upgrade"),
    "db grant": ("db", "grant", "desk"),
    "db copy": ("db", "copy"),
    "leases": ("leases",),
    "leases take": ("leases", "take", "free"),
    "leases release": ("leases", "release", "free"),
    "leases hand-over": ("leases", "hand-over", "free", "--to", "1"),
    "usage": ("plan", "buy"),
}
"""What is run, in this order, each under a name of its own; all with `--json`."""

FILES = {
    "own.csv": "Symbol,Reason\nTCS,results on Thursday\n",
    "clients.csv": "code,name,broker,broker_user_id,status,capital,available\n"
    "NEW1,New Client,zerodha,ZNEW1,active,100000,100000\n",
    "holidays.csv": 'Sr. No,Date,Day,Description\n"1","26-Jan-2027","Tuesday","Republic Day"\n',
    "mtf.csv": "Symbol,ISIN,Margin (%)\nSBIN,INE062A01020,25\nTCS,,20\nINFY,,20\nRELIANCE,,50\n",
    "actions.csv": "Symbol,Purpose,Ex-Date\nTCS,Amalgamation,24-Nov-2026\nNONE,Bonus 1:1,25-Nov-2026\n",
    "tradebook.csv": "symbol,isin,trade_date,exchange,trade_type,quantity,price,trade_id\n"
    "INFY,INE009A01021,2025-11-03,NSE,buy,3.000000,1400.000000,31\n",
    "ledger.csv": "particulars,posting_date,voucher_type,debit,credit,net_balance\n"
    "Opening Balance,,,,,0.000000\nFunds added using UPI,2025-11-03,Bank Receipts,0,100.00,100.000000\n",
    "notes.csv": "code,day,total\nAM1042,2026-11-18,12.34\nNONE,2026-11-18,1\n",
    "nifty.csv": "Company Name,Industry,Symbol,Series,ISIN Code\n"
    "Reliance Industries Ltd.,Oil Gas & Consumable Fuels,RELIANCE,EQ,INE002A01018\n"
    "New Ltd.,Services,NEWONE,EQ,INE999Z01010\n",
    "dump.csv": "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
    "lot_size,instrument_type,segment,exchange\n"
    "408065,1594,INFY,INFOSYS,0,,0,0.1,1,EQ,NSE,NSE\n"
    "5,2,NIFTY26NOVFUT,NIFTY,0,2026-11-26,0,0.05,75,FUT,NFO-FUT,NFO\n",
    "trades.csv": "symbol,side,quantity,price,trade\nTCS,BUY,2,2400.00,77\n",
    "closes.csv": "symbol,close\nINFY,1491.00\n",
    "balanced.csv": "sector,target,symbol,weight\nIT,30,INFY,100\nBanks,30,HDFCBANK,100\n",
    "consents.csv": "code,kind,reference,until\nAM1042,trading,POA 2026-041,2027-03-31\n",
    "routes.csv": "code,kind,api_key,egress_ip\nAM1042,own,abcd1234,203.0.113.7\n",
}


Runner = Callable[[Terminal, Sequence[str]], Printed]
"""How a step's command line is run."""


def at_its_own_desk(at: Terminal, words: Sequence[str]) -> Printed:
    """As where no app is open."""
    return at.run(*words)


def session(home: Path, run: Runner = at_its_own_desk, steps: int | None = None) -> dict[str, dict[str, Any]]:
    """Run the first `steps`, or all, in a home of its own; returns exit code and document of each."""
    at, done = Terminal(home), dict[str, dict[str, Any]]()
    with _deterministic(home):
        for name, args in itertools.islice(STEPS.items(), steps):
            _before(name, at)
            with _weather(name):
                printed = run(at, [*(word.format(home=home) for word in args), "--json"])
            document = json.loads(printed.out) if printed.out else None
            done[name] = {"args": list(args), "code": printed.code, "document": _equal(document, home)}
    return done


@contextmanager
def _deterministic(home: Path) -> Iterator[None]:
    """Open every desk with a clock moved by hand, pinned prices, no latency and a seed of its own."""
    clock, seeds, really = ManualClock(START), itertools.count(7), tradedesk.compose.wiring.compose_desk

    @asynccontextmanager
    async def opened(*given: Any, **named: Any) -> AsyncIterator[Any]:
        named |= {"clock": clock, "waits": WAITS, "latency": (0.0, 0.0), "seed": next(seeds)}
        async with really(*given, **named) as desk:
            running = asyncio.create_task(_run_on(clock))
            try:
                yield desk
            finally:
                running.cancel()

    empty_books(home)
    for name, text in FILES.items():
        (home / name).write_text(text)
    with (
        patch.object(tradedesk.compose.wiring, "compose_desk", opened),
        patch.object(keyring, "get_keyring", fail.Keyring),
    ):
        yield


async def _run_on(clock: ManualClock) -> None:
    """Let time pass as fast as the threads of store and exchange keep up."""
    while True:
        await SystemClock().sleep(0.001)
        await clock.advance(0.05)


def _before(name: str, at: Terminal) -> None:
    """What happens at the exchange before a step."""
    if name == "clients":
        exchange = _exchange(at.home)
        for symbol, (last, previous) in MISSION_PINS.items():
            exchange.pin(symbol, last, previous)
        exchange.close()
    if name == "reconcile":
        exchange = _exchange(at.home)
        bought = OrderRequest(
            "NSE", "INFY", Side.BUY, 2, Product.CNC, OrderType.MARKET, "", protection_bps=200
        )
        assert isinstance(exchange.place("AP1022", bought), Accepted)
        exchange.close()


def _exchange(home: Path) -> PaperExchange:
    return PaperExchange(home / "paper.db", ManualClock(START), load_calendar())


@contextmanager
def _weather(name: str) -> Iterator[None]:
    """What goes wrong during a step."""

    async def lost(self: PaperBroker, *given: Any) -> Ambiguous:
        return Ambiguous("connection reset")

    rules_of = tradedesk.compose.wiring.rules_of
    if name == "order in doubt":
        with patch.object(PaperBroker, "place", lost):
            yield
    elif name == "bulk paused":

        def hasty(settings: Settings) -> Rules:
            return replace(rules_of(settings), send_at_least_s=0.0, send_at_most_s=0.0)

        with patch.object(tradedesk.compose.wiring, "rules_of", hasty):
            yield
    else:
        yield


# --- made equal -------------------------------------------------------------------------------------------

_WORDS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"), "TIME"),
    (re.compile(r"\b\d{8}T\d{6}Z\b"), "STAMP"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "CLOCK"),
    (re.compile(r"\bconfirmed \d+ s ago\b"), "confirmed N s ago"),
    (re.compile(r"\b\d+ rows verified\b"), "N rows verified"),
    (re.compile(r"\bhead [0-9a-f]{12}\b"), "head DIGEST"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "PROOF"),
)
"""What differs within words between two sessions, and what stands for it."""

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def _equal(value: Any, home: Path) -> Any:
    """A document without what differs between two sessions: times, durations, digests, tags, the home."""
    text = json.dumps(value)
    names = [*_DIGEST.findall(text), *_tags(value)]
    for place, name in enumerate(dict.fromkeys(names), 1):
        text = text.replace(name, f"random-{place}").replace(name[:8], f"random-{place}")
    return _plain(json.loads(text.replace(str(home), "HOME")))


def _tags(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "tag" and item:
                yield item
            yield from _tags(item)
    elif isinstance(value, list):
        for item in value:
            yield from _tags(item)


def _plain(value: Any, key: str = "", audited: bool = False) -> Any:
    if key == "heads" and audited and isinstance(value, dict):
        return {chain: ["rows", head] for chain, (_, head) in cast(dict[str, list[str]], value).items()}
    if isinstance(value, dict):
        return {
            name: _plain(item, name, not value.keys().isdisjoint(("last_seq", "verified_to")))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item, key) for item in value]
    if isinstance(value, float) and key.endswith("_s"):
        return "seconds"
    if key in ("rows", "last_seq", "verified_to") and audited:
        return "rows"
    if key in ("bytes", "audit_rows"):
        return key
    if isinstance(value, str):
        for pattern, word in _WORDS:
            value = pattern.sub(word, value)
    return value


def main() -> None:
    """Write the goldens anew."""
    with TemporaryDirectory() as folder:
        found = session(Path(folder) / "home")
    GOLDENS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    sys.stderr.write(f"{len(found)} steps written to {GOLDENS}\n")


if __name__ == "__main__":
    main()
