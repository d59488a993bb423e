"""What a flow was, as somebody types it."""

from data.errors import BadInput
from data.vocabulary import FlowKind


def kind_from(text: str) -> FlowKind:
    """A kind of flow from text such as `pay-in`. Raises `BadInput`."""
    word = text.strip().casefold().replace("-", "_")
    try:
        return FlowKind(word)
    except ValueError:
        kinds = ", ".join(one.value.replace("_", "-") for one in FlowKind)
        raise BadInput("kind", text, f"give {kinds}") from None
