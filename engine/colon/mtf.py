"""What is typed about shares on margin: the page of them, or that a client has accepted a pledge."""

from collections.abc import Sequence

from data.errors import BadInput
from engine.colon.asked import AskedMtf
from engine.colon.known import Known

ACCEPT = "accept"
FORM = f"nothing, a client's code, or {ACCEPT} CODE and a SYMBOL where one alone is meant"


def accepted_from(words: Sequence[str]) -> AskedMtf | None:
    """Whose pledges were accepted, of which symbol or all; None where nothing is said. Raises `BadInput`."""
    match [word.casefold() for word in words[:1]], words[1:]:
        case [], _:
            return None
        case ["accept"], [code]:
            return AskedMtf(code, accepts=True)
        case ["accept"], [code, symbol]:
            return AskedMtf(code, symbol.upper(), accepts=True)
        case _:
            raise BadInput("pledges", " ".join(words), f"give nothing, or {ACCEPT} CODE [SYMBOL]")


def mtf_from(words: Sequence[str], known: Known) -> AskedMtf:
    """What is asked of shares on margin. Raises `BadInput`."""
    if not words:
        return AskedMtf()
    if words[0].casefold() == ACCEPT and 2 <= len(words) <= 3:
        asked = accepted_from(words)
        assert asked is not None
        known.clients.find(asked.code)
        return asked
    if len(words) > 1:
        raise BadInput("mtf", " ".join(words), f"give {FORM}")
    return AskedMtf(known.clients.find(words[0]).code)
