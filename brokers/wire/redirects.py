"""What is pasted at the end of a sign-in: what a session is made of, or the address that holds it."""

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from brokers.contract import HIDDEN
from data.errors import BadInput

SHORTEST = 4


class Redirected(Struct, frozen=True):
    """How a broker hands a session's beginning over: a `noun`, as `parameter` of the redirected address.

    It is of these `letters`, a class of a pattern, and `longest` at most. `problem_of` tells in the address's
    own words, by its parameters, that the sign-in has failed, or is empty. `field` is for messages.
    """

    field: str
    noun: str
    parameter: str
    letters: str
    longest: int
    problem_of: Callable[[Mapping[str, Sequence[str]]], str]

    def read(self, text: str) -> str:
        """It in what was pasted: itself, or the redirected address. Raises `BadInput`.

        Messages name what is missing and never show what may be a secret.
        """
        expected = f"paste the {self.noun}, or the whole address the browser was sent to"
        given = text.strip().strip("\"'<>")
        if not given:
            raise BadInput(self.field, "", expected)
        if self._fits(given):
            return given
        if "=" not in given and "/" not in given:
            words = f"a {self.noun} has {SHORTEST} to {self.longest} letters and digits"
            raise BadInput(self.field, HIDDEN, f"{words}; {expected}")
        try:
            address = urlsplit(given)
        except ValueError:  # such as half an address of IPv6
            raise BadInput("address", HIDDEN, f"it is no address; {expected}") from None
        place = f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"
        shown = place if address.netloc else HIDDEN
        found = parse_qs(address.query or address.fragment or given, keep_blank_values=True)
        if problem := self.problem_of(found):
            words = f"it says that the sign-in ended with {problem[:40]!r}; sign in again"
            raise BadInput("address", shown, words)
        tokens = [one for one in found.get(self.parameter, []) if one]
        if not tokens:
            words = f"it has no {self.parameter}; copy the address after the sign-in"
            raise BadInput("address", shown, words)
        if len(set(tokens)) > 1 or not self._fits(tokens[0]):
            words = f"its {self.parameter} is not one {self.field}; copy the address again"
            raise BadInput("address", shown, words)
        return tokens[0]

    def _fits(self, text: str) -> bool:
        return re.fullmatch(f"{self.letters}{{{SHORTEST},{self.longest}}}", text) is not None


def state_of(address: str) -> str | None:
    """The state that a redirected address carries; None for a token alone, or an address without one."""
    try:
        found = parse_qs(urlsplit(address.strip()).query).get("state")
    except ValueError:
        return None
    return found[0] if found else None
