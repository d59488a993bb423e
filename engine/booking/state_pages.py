"""The page `docs/order_states.md`, made from the state table, so that what is read is what runs.

`python -m engine.booking.state_pages` writes it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from brokers.contract import BrokerStatus
from brokers.kite.statuses import KITE_STATUSES
from data.vocabulary import TERMINAL_STATES, OrderState
from engine.booking.states import EVENT_OF_STATUS, TABLE, Cell, Flag, OrderEvent

PAGE = Path(__file__).parents[2] / "docs" / "order_states.md"

_MEANING: Mapping[OrderState, tuple[str, str]] = {
    OrderState.DENIED: (
        "our own checks turned it down, under a reason code; it never left",
        "none is blocked",
    ),
    OrderState.RESERVED: (
        "committed together with its reservation; nothing has been sent",
        "blocked for the whole order; given back when it is cancelled before it is claimed",
    ),
    OrderState.SENDING: (
        "an attempt with its tag is committed; bytes may have left",
        "stays blocked; proof that nothing was placed frees it or lets the order be claimed again",
    ),
    OrderState.UNKNOWN: (
        "the call ended in doubt and no id of the broker's is known; it is never sent again",
        "stays blocked, for however long: the broker's word, a proof of absence or the trader ends the doubt",
    ),
    OrderState.OPEN: (
        "the broker has it: on its way to the exchange, waiting for its trigger, resting, or filled in part",
        "blocked for what is still open; each trade is paid from the block, which shrinks to the rest's need",
    ),
    OrderState.FILLED: (
        "all of it has traded",
        "paid; what is left of the block is free. A fill that costs more takes from what is available, "
        "then becomes shortfall",
    ),
    OrderState.CANCELLED: (
        "taken back, at the broker (perhaps filled in part) or here before it was sent",
        "the rest is free, once every trade that the broker counts is booked",
    ),
    OrderState.REJECTED: (
        "broker or exchange turned it down",
        "free, after the same wait for trades if some of it was filled",
    ),
    OrderState.EXPIRED: (
        "its day or its validity ended",
        "the rest is free, once every trade that the broker counts is booked",
    ),
    OrderState.NOT_RECEIVED: (
        "proven never to have reached the broker",
        "free, with the proof as evidence; if the order turns up after all, what the client's money allows "
        "is blocked again",
    ),
}
"""What a state says of an order, and what of its money or shares."""

_EVENTS: Mapping[OrderEvent, str] = {
    OrderEvent.CLAIM: "command: the dispatcher takes it to send it",
    OrderEvent.FREE: "command: end it before it was sent (cancel, halt, stopped run, end of its day)",
    OrderEvent.DENY: "command: its run goes on, and it may not: its client may not trade or cannot pay now",
    OrderEvent.NOT_SENT: "the call provably never reached the broker, or was turned away at its gate",
    OrderEvent.REFUSED: "the answer to the call: provably not placed",
    OrderEvent.ACCEPTED: "the answer to the call: placed, with the broker's id",
    OrderEvent.AMBIGUOUS: "the call ended without saying which; so does a program that dies in between",
    OrderEvent.PROVEN_ABSENT: "enough complete order books without it, late enough; or the trader says so",
    OrderEvent.SEEN_LIVE: "the broker's book or stream shows it live",
    OrderEvent.SEEN_FILLED: "the same, filled",
    OrderEvent.SEEN_CANCELLED: "the same, cancelled",
    OrderEvent.SEEN_REJECTED: "the same, rejected",
    OrderEvent.SEEN_EXPIRED: "the same, expired",
}

_HEAD = """\
# The states of an order

Made from `engine/booking/states.py` by `python -m engine.booking.state_pages`; a test compares the two. A
state says what the broker has of an order. A wish to cancel or to modify is a request beside it, since a fill
may arrive while it is open. Commands are ours and may be refused; facts are the broker's and never are."""

_PICTURE = """\
## The ways through

Drawn are the moves of an order that nothing is odd about; what is flagged stands in the table below."""

_MONEY = """\
## What happens to the money

Of a sale it is the shares. Money is freed on proof only: every release names its evidence."""

_CELLS = f"""\
## Every state with every event

`=` stays, `✗` refuses the command, `!` flags {Flag.ANOMALY} (nothing of ours can have led there), `↺` flags
{Flag.RESURRECTED} (the broker corrects an end that it told or that we had proven)."""

_STATUSES = f"""\
## From a broker's status to an event

A status that ends an order counts once the trades it speaks of are booked; until then the order is
{OrderState.OPEN} and its trades are read. Since updates overtake each other, a live status brings an ended
order back only with a later stamp. A status that an adapter does not know ends nothing and is flagged
{Flag.UNRECOGNISED_STATUS}."""


def page(adapters: Mapping[str, Mapping[str, BrokerStatus]]) -> str:
    """The whole page; `adapters` maps a broker's name to its own statuses."""
    parts = (_HEAD, _PICTURE, picture(), _MONEY, money(), _CELLS, cells(), events())
    return "\n\n".join((*parts, _STATUSES, statuses(adapters))) + "\n"


def picture() -> str:
    """A Mermaid state diagram of every unflagged move from one state to another."""
    ways: dict[tuple[OrderState, OrderState], list[str]] = {}
    for state, row in TABLE.items():
        for event, cell in row.items():
            if cell is not None and cell[1] is None and cell[0] is not state:
                ways.setdefault((state, cell[0]), []).append(event.value)
    starts = ["[*] --> DENIED : a check fails", "[*] --> RESERVED : reserved"]
    moves = [f"{before} --> {after} : {', '.join(events)}" for (before, after), events in ways.items()]
    ends = [f"{state} --> [*]" for state in OrderState if state in TERMINAL_STATES]
    lines = "\n".join(f"    {line}" for line in (*starts, *moves, *ends))
    return f"```mermaid\nstateDiagram-v2\n{lines}\n```"


def money() -> str:
    """A table of what each state means, for the order and for its money."""
    rows = ((f"`{state}`", *_MEANING[state]) for state in OrderState)
    return _table(("state", "the order", "its money"), rows)


def cells() -> str:
    """The state table: a row a state, a column an event."""
    head = ("", *(f"`{event.value}`" for event in OrderEvent))
    rows = (
        (f"`{state}`", *(_cell(state, TABLE[state][event]) for event in OrderEvent)) for state in OrderState
    )
    return _table(head, rows)


def _cell(state: OrderState, cell: Cell) -> str:
    if cell is None:
        return "✗"
    after, flag = cell
    mark = "" if flag is None else {Flag.ANOMALY: " !", Flag.RESURRECTED: " ↺"}[flag]
    return ("=" if after is state else after.value) + mark


def events() -> str:
    """A table of what each event tells."""
    return _table(("event", "what happened"), ((f"`{event.value}`", _EVENTS[event]) for event in OrderEvent))


def statuses(adapters: Mapping[str, Mapping[str, BrokerStatus]]) -> str:
    """A table from the contract's statuses to events, with the words each broker has for them."""
    rows: list[tuple[str, ...]] = []
    for status, event in EVENT_OF_STATUS.items():
        unknown = status is BrokerStatus.UNRECOGNISED
        said = (
            ", ".join(f"`{word}`" for word, meant in words.items() if meant is status) or "never"
            for words in adapters.values()
        )
        rows.append((f"`{status.value}`", f"`{event.value}`", *("any other" if unknown else s for s in said)))
    return _table(("status", "event", *(f"{name} says" for name in adapters)), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def current() -> str:
    """The page as it should lie in `docs/`, with the words of every broker that has an adapter."""
    return page({"Kite": KITE_STATUSES})


if __name__ == "__main__":
    PAGE.write_text(current(), encoding="utf-8")
