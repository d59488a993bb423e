"""What a form says of fields that were changed by hand, and of an answer that is another."""

from collections.abc import Mapping, Sequence


def was_words(now: Mapping[str, str], given: Mapping[str, str], names: Sequence[str]) -> str:
    """`was 100 %` where one of the named fields holds something else than it was given, else nothing.

    A figure is told with the base that it had, since `kind` may have changed with `value`.
    """
    changed = [name for name in names if now[name] != given.get(name)]
    if not changed:
        return ""
    if "kind" in names:
        value, kind = given["value"] or "—", given["kind"]
        same = now["kind"] == kind
        return (
            f"was {value} %" if same and kind.startswith("%") else f"was {value}{'' if same else f' {kind}'}"
        )
    return "was " + " ".join(given.get(name) or "—" for name in names if given.get(name) or name in changed)


def wrong_answer(wanted: str, kept: str) -> str:
    """What is said where other words were typed than those that let something happen."""
    return f"that was not “{wanted}”: {kept}"
