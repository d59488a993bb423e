"""Conditions on texts that each engine says in its own way."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _BeyondAscii(FunctionElement[bool]):
    """That a text has a letter or sign of no American keyboard."""

    type = Boolean()
    inherit_cache = True


def beyond_ascii(text: ColumnElement[str]) -> ColumnElement[bool]:
    """That a text has a letter or sign of no American keyboard."""
    return _BeyondAscii(text)


@compiles(_BeyondAscii)
def _glob(element: _BeyondAscii, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} GLOB '*[^ -~]*'"


@compiles(_BeyondAscii, "postgresql")
def _regular(element: _BeyondAscii, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} ~ '[^ -~]'"
