"""What of Upstox's behaviour is doubtful, contradicted or known from third parties alone: each a switch.

`DOUBTS` is the one table of them, with both positions of each; the rest of the switches steer a rehearsal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brokers.simulators.serving.switchboard import DoubtfulFact, Switchboard, check_doubt
from brokers.simulators.upstox.answers import BOTH, CAMEL, SNAKE
from data.errors import BadInput

WRONG_IP_ANSWERS = ("403 UDAPI1154", "401 UDAPI100050")
"""How an order from a wrong address has been seen to be refused."""

ISO, SPELLED = "2026-11-18 09:15:00", "18-Nov-2026 09:15:00"
"""Order times as the webhook's sample has them, and as the OpenAPI's examples do."""


DOUBTS = (
    DoubtfulFact(
        "tick_in_paise", (True, False), "the instruments file tells ticks in paise or in rupees", "U"
    ),
    DoubtfulFact("index_names", ("short", "long"), "an index trades as `NIFTY` or as `Nifty 50`", "U"),
    DoubtfulFact(
        "market_info_first", (True, False), "the market stream begins with the state of segments", "T"
    ),
    DoubtfulFact(
        "snapshot_type", ("initial_feed", "live_feed"), "what the stream's snapshot calls itself", "U"
    ),
    DoubtfulFact("market_sockets", (1, 5), "market sockets of one user and app at once", "U"),
    DoubtfulFact(
        "portfolio_rows", (True, False), "holding and position messages hold rows or only a hint", "U"
    ),
    DoubtfulFact(
        "every_step", (True, False), "each status is streamed, or fills, ends and changes alone", "U"
    ),
    DoubtfulFact(
        "twin_names", (True, False), "stream messages carry `userId` and `instrument_token` too", "U"
    ),
    DoubtfulFact("order_times", (ISO, SPELLED), "how order times are written", "U"),
    DoubtfulFact("null_numbers", (False, True), "numbers that are not known yet are null instead of 0", "U"),
    DoubtfulFact("capital_statuses", (False, True), "statuses begin with a capital letter", "U"),
    DoubtfulFact(
        "tag_history_at_once", (True, False), "a history by tag shows an order at once, or 2 s later", "U"
    ),
    DoubtfulFact("candles_of_today", (False, True), "the route of days that are over has today's too", "U"),
    DoubtfulFact("protection_for_all", (True, False), "protection is taken with delivery and SL-M too", "U"),
    DoubtfulFact("bare_market_orders", (False, True), "a market order without protection is taken", "U"),
    DoubtfulFact(
        "protected_as_limit", (True, False), "the book shows a protected order as a limit order", "U"
    ),
    DoubtfulFact("amo_by_session", (True, False), "`is_amo` is ignored for the session's state", "U"),
    DoubtfulFact("t1_in_quantity", (False, True), "a holding's quantity counts what is on its way", "U"),
    DoubtfulFact("sold_in_quantity", (True, False), "a holding's quantity counts what was sold today", "U"),
    DoubtfulFact("mtf_in_holdings", (False, True), "shares on margin are listed with the holdings", "U"),
    DoubtfulFact("pledge_total", (False, True), "funds tell the total that pledges leave", "T"),
    DoubtfulFact("funds_hours", (True, False), "funds answer 423 from 00:00 to 05:30", "T"),
    DoubtfulFact("order_hours", (True, False), "orders are refused from 00:00 to 05:30", "T"),
    DoubtfulFact("wrong_ip_as", WRONG_IP_ANSWERS, "how a wrong address is told", "T"),
    DoubtfulFact("refuse_bare_agents", (False, True), "the front refuses a library's own User-Agent", "T"),
    DoubtfulFact("shared_order_budget", (True, False), "orders, changes and cancels share a budget", "U"),
    DoubtfulFact("error_names", (BOTH, SNAKE, CAMEL), "spelling of the fields of an error", "U"),
    DoubtfulFact("known_codes", (True, False), "errors carry the codes that are listed, or one of none", "T"),
    DoubtfulFact("jwt_tokens", (True, False), "access tokens are JWTs", "T"),
    DoubtfulFact("older_token_ends", (True, False), "signing in again ends the older token", "U"),
    DoubtfulFact("margin_refusal_at_post", (False, True), "an order without money is refused at once", "U"),
)
"""Every doubtful fact."""


@dataclass(slots=True)
class UpstoxSwitches(Switchboard):
    """One local Upstox's switches, changed while it runs."""

    tick_in_paise: bool = True
    index_names: str = "short"
    market_info_first: bool = True
    snapshot_type: str = "initial_feed"
    market_sockets: int = 1
    portfolio_rows: bool = True
    every_step: bool = True
    twin_names: bool = True
    order_times: str = ISO
    null_numbers: bool = False
    capital_statuses: bool = False
    tag_history_at_once: bool = True
    candles_of_today: bool = False
    protection_for_all: bool = True
    bare_market_orders: bool = False
    protected_as_limit: bool = True
    amo_by_session: bool = True
    t1_in_quantity: bool = False
    sold_in_quantity: bool = True
    mtf_in_holdings: bool = False
    pledge_total: bool = False
    funds_hours: bool = True
    order_hours: bool = True
    wrong_ip_as: str = WRONG_IP_ANSWERS[0]
    refuse_bare_agents: bool = False
    shared_order_budget: bool = True
    error_names: str = BOTH
    known_codes: bool = True
    jwt_tokens: bool = True
    older_token_ends: bool = True
    margin_refusal_at_post: bool = False

    rate_limits: bool = True
    """Whether calls are counted."""
    split_frames: bool = False
    """Whether every message of a stream leaves in frames of one byte."""
    static_ips: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Addresses that a user's orders may come from: none with an empty list, and a user who is not listed is
    not checked."""
    without_poa: list[str] = field(default_factory=list[str])
    """Users without a power of attorney or DDPI, whose own shares are not sold by this API."""
    algo_names: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Algos approved of an app: one that is listed must name one of them with every order."""
    freeze_quantities: dict[str, int] = field(default_factory=dict[str, int])
    """Most shares of one order by `EXCHANGE:SYMBOL`, below what the exchange takes of any."""

    def check(self, name: str, value: Any) -> None:
        """Hold doubts to their positions, and look at the entries of tables."""
        check_doubt(DOUBTS, name, value)
        if isinstance(getattr(self, name), dict):
            self._check_table(name, value)

    def _check_table(self, name: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            fits = value is None or (
                type(value) is int and value > 0 if name == "freeze_quantities" else isinstance(value, list)
            )
            if not fits:
                raise BadInput(f"switch {name} of {key}", value, "see the switch's own words")

    def wrong_address(self) -> tuple[int, str]:
        """The status and the code of `wrong_ip_as`."""
        status, _, code = self.wrong_ip_as.partition(" ")
        return int(status), code
