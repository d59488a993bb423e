"""Which consents are asked of clients, as the settings say it."""

from data.errors import BadInput
from data.vocabulary import ConsentKind
from engine.book.access_views import ConsentNeed, ConsentNeeds

HARD, SOFT = "hard", "soft"
_OF = {"discretionary": True, "instructed": False}
FORM = (
    "give KIND hard|soft, and discretionary or instructed for those clients alone, with commas between: "
    "trading hard, mtf hard, phone soft instructed"
)


def kind_from(word: str) -> ConsentKind:
    """A kind of consent as typed. Raises `BadInput`."""
    try:
        return ConsentKind(word.strip().casefold().replace("-", "_"))
    except ValueError:
        named = ", ".join(one.value.replace("_", "-") for one in ConsentKind)
        raise BadInput("kind", word, f"give one of {named}") from None


def needs_from(text: str, on_paper: bool = False) -> ConsentNeeds:
    """What is asked, as it stands in the settings; empty asks for none. Raises `BadInput`."""
    return ConsentNeeds(tuple(_need(part) for part in text.split(",") if part.strip()), on_paper)


def _need(text: str) -> ConsentNeed:
    words = text.split()
    if not 2 <= len(words) <= 3 or words[1] not in (HARD, SOFT) or any(one not in _OF for one in words[2:]):
        raise BadInput("consents", text.strip(), FORM)
    return ConsentNeed(kind_from(words[0]), words[1] == HARD, _OF[words[2]] if words[2:] else None)
