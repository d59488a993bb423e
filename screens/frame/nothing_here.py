"""What a key says that has nothing to do where the cursor is: one that is silent looks broken."""

_TURNS = "turns lists, groups, clients and runs: there is no other here"

NOTHING_HERE = {
    "order.cancel": "cancels live orders: there is none under the cursor",
    "order.cancel_marked": "cancels what is marked: no live order is, space marks a row",
    "order.modify": "changes a live order, a line of a plan, a client or a list: the cursor is on none",
    "filter": "filters the rows of a table: Tab goes to one",
    "plan.drop": "drops a line of a plan, or waives an amber item in 7: there is none under the cursor",
    "plan.affordable": "takes the quantity a client can afford: in a ticket, or on a line of a plan",
    "plan.mtf": "turns between CNC and MTF: in a ticket, or on a line of a plan",
    "run.repair": "repairs a run and signs clients in: in 2 and in 7",
    "run.pause": "pauses a run that goes on, or a client in 7: there is none here",
    "note": "notes something on a client, an order or a run: none is under the cursor",
    "take_over": "takes over what the broker has: of an order in doubt, of books that differ",
    "order.absent": "says that an order in doubt never arrived: there is none under the cursor",
    "previous": _TURNS,
    "next": _TURNS,
    "watch.remove": "takes a row off the watchlist: Tab goes there",
    "watch.add": "watches a symbol: / finds one",
    "grid.mark": "marks a row: there is none here that can be marked",
}
"""What is said behind a key whose action has nothing to do, by the id of its command."""
