"""What the trial of a terminal's keys says: what is asked, what arrived, and what stands in for a key."""

ASKED = "press  {key}      nothing happens? press Space"
ASKED_ESC = "press  Esc,  then  j  as you would type      nothing happens? press Space"
"""What is asked for, key by key; Esc with a letter behind it, since terminals join the two."""

HEAD = "Which keys does this terminal deliver? ctrl+c leaves, BackSpace goes back one key."
DONE = "That was all. Enter leaves; what was found is printed then."

BY_NAME = "ctrl+p and its name"
"""The twin of a command that no other key has."""

NO_TWIN = "none: give it one under [keymap]"
"""Where there is none."""

TWINS = {
    "shift+tab": "Tab goes round",
    "escape": "none: take another terminal, since Esc stands down F9",
    "ctrl+p": ": or the key of the command",
}
"""What stands in for keys that are no command's alone."""

HINTS = {
    "escape": "Esc is joined with the key behind it, or comes late: in tmux `set -sg escape-time 10`",
    "ctrl+s": "flow control holds ctrl+s: `stty -ixon`, and in screen `defflow off`",
    "ctrl+q": "flow control holds ctrl+q: `stty -ixon`; VS Code takes it for itself",
    "ctrl+g": "zellij and VS Code take ctrl+g: unbind it there",
    "f1": "the terminal's own help: turn its shortcuts off in its settings",
    "f9": "what halts the desk does not arrive: ctrl+g ctrl+g does it, or `tradedesk cancel-all --yes`",
}
"""What to do where a key does not arrive, by key."""

BOTH_HALTS_LOST = (
    "NEITHER F9 NOR ctrl+g ARRIVES: this terminal cannot halt the desk by a key. The palette (ctrl+p), the "
    "mouse on CANCEL ALL and `tradedesk cancel-all --yes` can."
)

LATE_MS = 150
"""From so long on an Esc counts as late."""


def arrived_words(arrived: bool, came_as: tuple[str, ...], ms: int | None) -> str:
    """What became of one key."""
    if arrived:
        late = f", {ms} ms" if ms is not None else ""
        return f"arrives{late}"
    return f"came as {', '.join(came_as)}" if came_as else "did not arrive"
