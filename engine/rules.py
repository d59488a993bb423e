"""The desk's rules of risk and every wait of its protocols, in two objects."""

from collections.abc import Mapping
from datetime import time, timedelta

from msgspec import Struct

from data.money import BPS
from data.vocabulary import Policy, Prunable
from engine.book.access_views import ConsentNeeds
from engine.quiet import QuietHours

SHOWN_DIGITS = 8
"""How many hex digits of a plan's hash are shown, and the fewest by which it may be confirmed."""

THROUGH_MARKET_BPS = 100
"""A limit further than this through the last price is told before it is sent; our own rule of 30 Nov 2026."""


class Rules(Struct, frozen=True):
    """What the trader has set: reservation policy, limits and tolerances."""

    policy: Policy = Policy.WORST
    protection_bps: int = 200
    """Market protection that is sent and reserved for, in basis points of the price."""
    price_age_limit_s: float = 3.0
    """A price whose feed has been silent for longer is no input for a plan."""
    drift_limit_bps: int = 50
    """How far the price may move between the frozen plan and its start."""
    plan_valid_s: float = 60.0
    confirmed_valid_s: float = 900.0
    """The same of a plan that somebody else has to confirm first, at another terminal."""
    send_at_least_s: float = 60.0
    """A run's unsent orders may leave for so long, for longer where the brokers' budgets need it."""
    send_at_most_s: float = 900.0
    """However long they need, the rest then waits for the trader."""
    duplicate_window_s: float = 60.0
    """The same client, symbol, side and sizing within this time is refused unless said again."""
    mtf_most_stocks: int = 10
    """More stocks of a client on margin than that are more than one keeps an eye on."""
    consents: ConsentNeeds = ConsentNeeds()
    """Which consents are asked of whom, and which of them keep orders back."""
    halt_deletes_conditionals: bool = False
    """Whether a cancel-all also deletes GTTs and alerts that place orders."""
    desk_clients: str = ""
    """Whom this desk takes of those that several desks share, as `engine.leasing.wanted` reads it."""
    stands_by_for_all: bool = False
    """Whether who stands by does so for the desks of every home: it reads sessions of all their clients."""
    looks_only: bool = False
    """Whether this desk only looks: what sends, modifies and cancels is not built."""
    quiet_hours: QuietHours = QuietHours()
    """In which alerts that are not urgent wait."""
    record_bytes: int = 0
    """How large the recording of a day may become; 0 records none."""
    keep_days: Mapping[Prunable, int] = {}
    """For how many days what may be removed is kept; for ever what is not named, or named with 0."""
    sell_credit_bps: int = BPS
    """Share of the proceeds of settled stock that is available at once."""

    def send_within_s(self, sending_s: int) -> int:
        """How long a run's orders may still leave after its confirmation: half as long again as they need."""
        return round(min(max(self.send_at_least_s, 1.5 * sending_s + 15), self.send_at_most_s))


class Waits(Struct, frozen=True):
    """Every time-out and interval of the order path, in seconds of the injected clock."""

    send_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    """For the reads of one client's books; some of it may pass waiting for the turn of an api key."""
    margin_s: float = 3.0
    """How long a plan waits for the margins that a broker is asked for; the answer may come later."""
    margin_again_s: float = 10.0
    """How soon a broker that told no margins is asked again."""
    slow_call_s: float = 1.0
    """After which a call that still hangs no longer keeps other clients' orders from being sent."""
    silent_pause_s: float = 15.0
    """How long a client's orders wait after its broker has twice running not answered."""
    silent_broker_s: float = 3.0
    """How long a plan waits for the first answer of a broker whose clients' books are not read yet."""
    claim_valid_s: float = 1.0
    """How long after its claim an order's bytes may still leave."""
    modify_valid_s: float = 60.0
    """How long after the trader's word a modify's bytes may still leave."""
    gather_s: float = 0.04
    """How long facts may gather before they are booked while many calls are under way."""
    limits_again_s: float = 0.05
    """Before orders are looked at again whose limits were changed while they were claimed."""
    not_sent_pause_s: float = 1.0
    """Before an order that provably never reached the broker is claimed again."""
    resolve_after_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 191.0)
    """When the order book is read for an UNKNOWN order, counted from its send; later at `live_poll_s`."""
    absent_reads: int = 3
    """Complete reads without an order that prove its absence, of which the first and the last are no sooner
    after the deadline of its send than the next two say; placements 90 s late have been seen."""
    absent_first_s: float = 15.0
    absent_last_s: float = 180.0
    trader_after_s: float = 240.0
    """After which an order that is still UNKNOWN goes to the trader."""
    live_poll_s: float = 5.0
    """How often the book of a client with live orders is read."""
    look_poll_s: float = 10.0
    """How often a desk that only looks reads an order book; no other way shows it what others send."""
    idle_poll_s: float = 60.0
    """How often the books of every other client are read."""
    down_after_s: float = 40.0
    """For how long a broker that is down has answered nobody, from the first read to the latest."""
    quiet_s: float = 3.0
    """How long a client's orders must have stood still before its figures are compared with the broker's."""
    drain_poll_s: float = 0.5
    """How soon trades are read when a status is ahead of them."""
    burst_quiet_s: float = 10.0
    """How long after its last order changed a client's figures are compared again."""
    compare_every_s: float = 300.0
    """How often they are compared when nothing happens."""
    position_valid_s: float = 60.0
    """How old a client's last comparison may be for orders that leave under a halt since they reduce."""
    exit_read_valid_s: float = 5.0
    """How long after a client's position was read an order of a flatten may be claimed against it."""
    flatten_poll_s: float = 1.0
    """How often a flatten looks again at a client of whom nothing was told meanwhile."""
    reprice_s: float = 3.0
    """How long an order of a flatten, or one that follows the market, stands before it is priced anew."""
    chase_poll_s: float = 1.0
    """How often an order that follows the market is looked at."""
    flatten_deadline_s: float = 120.0
    """After which a flatten cancels what is not filled, and names it as left."""
    flatten_end_s: float = 15.0
    """How long it then waits for those cancels."""
    cancel_repeat_s: float = 1.0
    halt_readback_s: float = 0.5
    halt_deadline_s: float = 30.0
    halt_doubt_s: float = 5.0
    """After which a certificate does not wait for orders in doubt any more; they are cancelled on sight."""
    job_claim_s: float = 60.0
    """For how long a job is claimed; whoever works at it renews that four times as often."""
    job_look_s: float = 10.0
    """How often jobs are looked for that are due and that nobody has claimed."""
    write_lock_wait_s: float = 0.5
    heartbeat_s: float = 1.0
    frozen_after_s: float = 15.0
    """How old an engine's heartbeat is that counts as frozen; it may wait ten for another's lock."""

    @property
    def conversion_late_s(self) -> float:
        """How long after it was asked for a conversion's call may still arrive at the broker."""
        return self.modify_valid_s + self.send_timeout_s + self.absent_last_s


BUYS_WAIT_TOLD = timedelta(minutes=2)
"""How long buys of a run wait for its sales or for cash before the trader is told; sales take seconds."""

WORKERS = 64
"""Calls to brokers under way at once."""

CANCEL_WORKERS = 96
"""Further calls that only cancels may use: an emergency waits for nothing but its brokers."""

READERS = 32
"""Clients whose books are read at once on schedule; a cancel-all reads beside them."""

SQUARE_OFF_TOLD_AT = time(14, 45)
"""When, in India, the trader is told of intraday positions that are still open."""

SQUARE_OFF_AHEAD = timedelta(minutes=15)
"""How long before brokers end them that is at the latest, as on a day of other hours."""

MOST_REPRICES = 20
"""How often an order of a flatten, or one that follows the market, is priced anew; Kite takes 25 changes."""

PER_CLIENT = 4
"""Placements of one client under way at once, so that a slow client delays nobody else."""
