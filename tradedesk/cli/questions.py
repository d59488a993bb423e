"""Questions at the terminal: shown on stderr, answered by typed words."""

import sys

from tradedesk.cli.printing.output import say


def prompt(words: str, what: str) -> None:
    """Show what is about to be done, and what is to be typed for it."""
    sys.stderr.write(f"{what}\ntype  {words}  and Enter, anything else leaves it: ")
    sys.stderr.flush()


def is_answer(given: str, words: str) -> bool:
    """Whether the words wanted were typed, in any letter case; says so where they were not."""
    if " ".join(given.split()).casefold() == words.casefold():
        return True
    say("not confirmed")
    return False
