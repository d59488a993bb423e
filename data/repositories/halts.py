"""Halts and their certificates as stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from data.order_tables import Halt
from data.repositories.base import On, Rows, among
from data.vocabulary import HaltScope


@dataclass(slots=True)
class _Symbol:
    number: int
    value: str


_SYMBOLS = Rows(Halt, _Symbol)
_STANDING_OF_SYMBOLS = _SYMBOLS.query(
    _SYMBOLS.c.scope == HaltScope.SYMBOL.value,
    _SYMBOLS.c.resumed_at.is_(None),
    among(_SYMBOLS.c.value, "keys"),
)


def rename_symbols(on: On, moved: Mapping[str, str]) -> None:
    """Let halts of a symbol that stand go on under its new name."""
    halts = _STANDING_OF_SYMBOLS.all(on, keys=moved)
    for halt in halts:
        halt.value = moved[halt.value]
    _SYMBOLS.save(on, halts, "value")
