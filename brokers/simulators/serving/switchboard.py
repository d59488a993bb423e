"""What of a broker's behaviour can be switched while its stand-in runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from msgspec import Struct

from data.errors import BadInput


class DoubtfulFact(Struct, frozen=True):
    """One doubtful fact. The first position is what a server starts with; `source` says where it comes from.

    Sources: documents that contradict themselves or are silent (U), third parties (T).
    """

    switch: str
    positions: tuple[bool | str | int, ...]
    what: str
    source: str


def check_doubt(doubts: Iterable[DoubtfulFact], name: str, value: object) -> None:
    """Hold a switch that is one of these doubts to its positions. Raises `BadInput`."""
    for doubt in doubts:
        if doubt.switch == name and value not in doubt.positions:
            raise BadInput(f"switch {name}", value, f"give one of {', '.join(map(repr, doubt.positions))}")


@dataclass(slots=True)
class Switchboard:
    """The switches of one simulated broker are the fields of a subclass; tables are laid over what stands."""

    def check(self, name: str, value: Any) -> None:
        """Look at a value of the right type, of tables too, before it is taken. Raises `BadInput`."""

    def change(self, given: Mapping[str, Any]) -> None:
        """Set the switches that `given` names; in a table null takes an entry away.

        Raises `BadInput`, with nothing changed.
        """
        known = {switch.name for switch in fields(self)}
        for name, value in given.items():
            if name not in known:
                raise BadInput("switch", name, f"known: {', '.join(sorted(known))}")
            standing = getattr(self, name)
            if type(value) is not type(standing):
                raise BadInput(f"switch {name}", value, f"give a {type(standing).__name__}")
            self.check(name, value)
        for name, value in given.items():
            standing = getattr(self, name)
            if isinstance(standing, dict):
                laid = {**cast("dict[str, Any]", standing), **value}
                value = {key: entry for key, entry in laid.items() if entry is not None}
            setattr(self, name, value)
