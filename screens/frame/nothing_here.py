"""What a key says that has nothing to do where the cursor is: one that is silent looks broken."""

NOTHING_HERE = {
    "x": "x cancels live orders: there is none under the cursor",
    "X": "X cancels what is marked: no live order is, space marks a row",
    "e": "e changes an order that is live or a line of a plan: there is none under the cursor",
    "f": "f filters the rows of a table: Tab goes to one",
    "d": "d drops a line of a plan: there is none under the cursor",
    "a": "a takes the quantity a client can afford: in a ticket, or on a line of a plan",
    "m": "m turns between CNC and MTF: in a ticket, or on a line of a plan",
    "r": "r repairs a run and signs clients in: in 2 and in 7",
    "p": "p pauses a run that goes on: there is none here",
    "n": "n waives an amber item at the gate: in 7",
    "v": "v takes over what the broker has: of an order in doubt, of books that differ",
    "l": "l says that an order in doubt never arrived: there is none under the cursor",
    "left_curly_bracket": "{ and } turn lists, groups, clients and runs: there is no other here",
    "right_curly_bracket": "{ and } turn lists, groups, clients and runs: there is no other here",
    "delete": "Delete takes a row off the watchlist: Tab goes there",
    "insert": "Insert and + watch a symbol: / finds one",
    "plus": "Insert and + watch a symbol: / finds one",
    "space": "space marks a row: there is none here that can be marked",
}
"""What is said for a key where its action has nothing to do, by the key's name."""
