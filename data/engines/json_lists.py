"""Lists that a statement takes as one value: each engine's way of reading JSON as rows."""

from typing import Any

from sqlalchemy import ColumnElement, String, TableValuedAlias
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from data.engines.dialect import words_of


class _Items(FunctionElement[Any]):
    """The items of a list, a row each."""

    inherit_cache = True


class _Item(FunctionElement[Any]):
    """One item as a value of a kind, or what stands at a place of it."""

    inherit_cache = False

    def __init__(self, value: ColumnElement[Any], kind: TypeEngine[Any], place: int | None = None) -> None:
        super().__init__(value)
        self.type = kind
        self.place = place


class _UnderName(ColumnElement[Any]):
    """A member of an object, if it is one."""

    inherit_cache = False

    def __init__(self, column: str, name: str) -> None:
        self.type = String()
        self.column = column
        self.name = name


def listed(given: ColumnElement[Any]) -> TableValuedAlias:
    """Rows of one column, `value`: the items of a list that is given as JSON."""
    return _Items(given).table_valued("value")


def whole(value: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """An item of such a list as a value of a kind."""
    return _Item(value, kind)


def item(value: ColumnElement[Any], place: int, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """What stands at a place, from 0, of a list that is itself an item, as a value of a kind."""
    return _Item(value, kind, place)


def told_under(column: str, name: str) -> ColumnElement[Any]:
    """What the object that a column holds as JSON has under a name; nothing where it holds none."""
    return _UnderName(column, name)


@compiles(_Items)
def _json_each(element: _Items, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Items, "postgresql")
def _json_elements(element: _Items, compiler: Any, **options: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSON))"


@compiles(_Item)
def _as_it_is(element: _Item, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    return value if element.place is None else f"json_extract({value}, '$[{element.place}]')"


@compiles(_Item, "postgresql")
def _of_a_kind(element: _Item, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    text = f"{value} #>> '{{}}'" if element.place is None else f"{value} ->> {element.place}"
    return f"CAST({text} AS {compiler.dialect.type_compiler_instance.process(element.type)})"


@compiles(_UnderName)
def _told(element: _UnderName, compiler: Any, **options: Any) -> str:
    words = words_of(compiler.dialect.name)
    held = words.member.format(element.column, element.name)
    return f"CASE WHEN {words.is_json.format(element.column)} THEN {held} END"
