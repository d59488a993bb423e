"""The table of roles in `docs/people.md`, made of what runs: `python -m engine.people.role_page`."""

from pathlib import Path

from data.vocabulary import Right, Role
from engine.people.rights import may

PAGE = Path(__file__).parents[2] / "docs" / "people.md"

BEGIN, END = "<!-- the table of roles: made, not written -->", "<!-- to here -->"

DOES = {
    Right.LOOK: "see prices, symbols, charts, halts that stand",
    Right.READ_CLIENTS: "see clients of the scope: money, holdings, orders, runs, plans",
    Right.READ_FIRM: "see which desk of a firm has which clients, and how each stands",
    Right.READ_AUDIT: "see the audit, notes, people, baskets, the log of commands, the doctor's findings",
    Right.KEEP_LISTS: "keep watchlists, baskets, presets",
    Right.PLAN: "preview and freeze plans, write notes, be done with alerts",
    Right.SIGN_CLIENTS_IN: "sign clients in at their brokers, have books compared, retry routes",
    Right.SEND: "start and resume runs, place and modify orders, chase, convert",
    Right.CANCEL: "cancel orders; pause and stop runs, chases, flattens",
    Right.FLATTEN: "take positions flat",
    Right.GUARD: "set guards and take them away, arm again what has tripped",
    Right.HALT: "cancel all and halt (F9 F9), whatever the scope",
    Right.HALT_FIRM: "halt every desk of a firm at once, and end such a halt",
    Right.RESUME: "end a halt",
    Right.APPROVE: "confirm somebody else's plan above the limit",
    Right.SETTLE: "settle orders in doubt, adopt the broker's figures",
    Right.CLOSE: "close a day; its figures anybody who reads clients sees at any time",
    Right.CLIENTS: "add and change clients, groups, routes; let an item of a gate pass",
    Right.HAND_OVER: "have desks take clients, give them up, hand them over",
    Right.SET_UP: "settings, secrets, instruments, a simulated market; accept what the audit finds wrong",
    Right.PEOPLE: "people, roles, scopes, passwords, the limit of confirmation",
}


def table() -> str:
    """The table of roles and rights, in Markdown."""
    head = f"| right | is to | {' | '.join(Role)} |"
    lines = [head, f"|---|---|{'---|' * len(Role)}"]
    for right in Right:
        cells = " | ".join("yes" if may(role, right) else "" for role in Role)
        lines.append(f"| `{right.value}` | {DOES[right]} | {cells} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its table made anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
