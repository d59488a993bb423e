"""What all repositories are made of: statements made once from the tables, rows read and written by position.

A row class is a dataclass whose fields are named as columns of its table; a field that is no column has
`init=False`. A field of an enum holds the enum where its column holds the word; one of a class that is
`Stored` holds what that class makes of the text. A word that is none of the enum's stays the text it is, so
that one odd row keeps no other from being read; what asks for its meaning raises. A statement is compiled
once a dialect and run as text from then on: building one anew costs more than SQLite's own work on a row.

    ORDERS = Rows(Order, WorkingOrder)
    OF_CLIENT = ORDERS.query(ORDERS.c.client_id == given("client"), among(ORDERS.c.state, "states"))
    live = OF_CLIENT.all(unit, client=7, states=LIVE_STATES)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from itertools import repeat
from operator import attrgetter
from typing import (
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    cast,
)

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Delete,
    Dialect,
    Select,
    String,
    Table,
    TypeDecorator,
    Update,
    bindparam,
    column,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from data.engines.dialect import UNLESS_THERE, or_update
from data.engines.driver import On, fetch, insert_many, run, run_many, save_many, sql
from data.engines.json_lists import listed, whole
from data.json_values import json_text
from data.repositories.stored_values import (
    Codec,
    column_encoder,
    field_classes,
    row_decoders,
    row_fields,
    word_codec,
)
from data.tables.columns import table

DatabaseError = DBAPIError
"""What the database raises where a statement cannot be run; its `orig` says why."""

Row = TypeVar("Row")
T = TypeVar("T")

Reader: TypeAlias = Connection
"""A reader's connection, as whoever is no repository holds it: to be handed on, and asked nothing itself."""

_GIVEN = "given_"


class ListParameter(TypeDecorator[Any]):
    """Many values in one parameter, so that a statement has one text for any number of them."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The values as JSON."""
        return json_text(list(value))


def given(name: str, kind: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A value that each run of a statement names."""
    return bindparam(_GIVEN + name, None, type_=kind)


def among(of: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """That a column is one of the numbers or words that each run names."""
    rows = listed(given(name, ListParameter()))
    return of.in_(select(whole(column("value"), of.type)).select_from(rows))


class _Text:
    """A statement as one dialect's text, with what goes into its places: named values and constants."""

    def __init__(self, statement: Any, dialect: Dialect, make: Callable[..., Any] | None) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        self._names: list[str] = []
        self._encoders: list[tuple[int, Codec]] = []
        self._constants: list[tuple[int, Any]] = []
        for place, name in enumerate(cast(list[str], compiled.positiontup or ())):
            bound = compiled.binds.get(name)
            encode = None if bound is None else column_encoder(bound.type, dialect)
            if name.startswith(_GIVEN):
                if encode is not None:
                    self._encoders.append((len(self._names), encode))
                self._names.append(name.removeprefix(_GIVEN))
            else:
                value = compiled.params[name]
                value = value.value if isinstance(value, Enum) else value
                self._constants.append((place, value if encode is None else encode(value)))
        self._selected = statement, dialect, make

    @cached_property
    def decoders(self) -> list[tuple[int, Codec]]:
        """The places of a row whose stored values become others, with what makes them."""
        statement, dialect, make = self._selected
        return [] if make is None else row_decoders(make, list(statement.selected_columns), dialect)

    def named(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters of one run. Raises `KeyError` for a value that is not named."""
        cells = [values[name] for name in self._names]
        for place, encode in self._encoders:
            cells[place] = encode(cells[place])
        for place, value in self._constants:
            cells.insert(place, value)
        return tuple(cells)

    def many(self, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The parameters for each of many sets of values. Raises `KeyError` as `named` does."""
        names = self._names
        return self._parameters([[row[name] for name in names] for row in rows])

    def rows(self, rows: Sequence[Any], words: Mapping[str, Codec]) -> list[tuple[Any, ...]]:
        """The parameters for each of many objects, whose attributes have the values' names."""
        own = [(place, words[name]) for place, name in enumerate(self._names) if name in words]
        if len(self._names) == 1:
            return self._parameters(list(zip(map(attrgetter(self._names[0]), rows), strict=True)), own)
        return self._parameters(list(map(attrgetter(*self._names), rows)), own)

    def _parameters(
        self, rows: Sequence[Sequence[Any]], own: Sequence[tuple[int, Codec]] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows with their values encoded and the constants put in, a column at a time."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, encode in (*own, *self._encoders):
            columns[place] = map(encode, columns[place])
        for place, value in self._constants:
            columns.insert(place, repeat(value, len(rows)))
        return list(zip(*columns, strict=True))


class Statement:
    """A statement, compiled when a dialect first runs it; `make` takes the rows that it selects."""

    def __init__(self, statement: Any, make: Callable[..., Any] | None = None) -> None:
        self._statement = statement
        self._make = make
        self._texts: dict[str, _Text] = {}
        _MADE.append(self)

    def text(self, dialect: Dialect) -> _Text:
        """The statement as this dialect's text."""
        known = self._texts.get(dialect.name)
        if known is None:
            known = self._texts[dialect.name] = _Text(self._statement, dialect, self._make)
        return known

    def is_compiled(self, dialect: Dialect) -> bool:
        """Whether this dialect has its text."""
        return dialect.name in self._texts


_MADE: list[Statement] = []
"""All statements, which are made once, as their modules are imported."""


def every_statement() -> Sequence[Statement]:
    """All statements that the modules imported so far have made."""
    return _MADE


def compile_ahead(dialect: Dialect) -> Iterator[None]:
    """Compile what has not been run yet, a statement a step, so that no first run has to wait for it."""
    for statement in _MADE:
        if not statement.is_compiled(dialect):
            statement.text(dialect).decoders  # noqa: B018 - kept with the text
            yield


class Query(Generic[T]):
    """A SELECT made once. `make` takes the selected columns by position and returns what a row becomes."""

    def __init__(
        self, make: Callable[..., T], statement: Select[*tuple[Any, ...]] | CompoundSelect[Any]
    ) -> None:
        self._statement = Statement(statement, make)
        self._make = make
        self._columns = list(statement.selected_columns)

    def all(self, on: On, **values: Any) -> list[T]:
        """Every row. Raises `ValueError` where a stored moment or day cannot be read."""
        connection = sql(on)
        text = self._statement.text(connection.dialect)
        return self._made(text, fetch(connection, text.sql, text.named(values)))

    def first(self, on: On, **values: Any) -> T | None:
        """The first row; None where there is none."""
        found = self.all(on, **values)
        return found[0] if found else None

    async def read(self, connection: AsyncConnection, **values: Any) -> list[T]:
        """Every row, by a reader's connection. Raises `ValueError` as `all` does."""
        text = self._statement.text(connection.dialect)
        return self._made(text, await connection.run_sync(fetch, text.sql, text.named(values)))

    def _made(self, text: _Text, rows: Sequence[Sequence[Any]]) -> list[T]:
        if not rows:
            return []
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, decode in text.decoders:
            columns[place] = map(decode, columns[place])
        return list(map(self._make, *columns))


class Change:
    """An UPDATE or DELETE made once."""

    def __init__(self, statement: Update | Delete) -> None:
        self._statement = Statement(statement)

    def run(self, on: On, **values: Any) -> int:
        """Run it once; returns how many rows it changed."""
        connection = sql(on)
        text = self._statement.text(connection.dialect)
        return run(connection, text.sql, text.named(values))

    def run_many(self, on: On, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of many sets of values; returns how many rows were changed in all."""
        if not rows:
            return 0
        connection = sql(on)
        text = self._statement.text(connection.dialect)
        return run_many(connection, text.sql, text.many(rows))


class Rows(Generic[Row]):
    """The rows of one table as objects of one class, which may leave out columns that have defaults.

    `joined` are the class's last fields, which no column of the table holds: a query of one's own adds them.
    """

    def __init__(self, model: type[SQLModel], row: type[Row], joined: Sequence[str] = ()) -> None:
        self.row = row
        self.table = table(model)
        self.c = self.table.c
        self.fields = tuple(name for name in row_fields(row) if name not in joined)
        self._words = {
            name: encode for name, kind in field_classes(row).items() if (encode := word_codec(kind))
        }
        self._insert = Statement(insert(self.table).values(self._inserted()))
        self._saves: dict[tuple[tuple[str, ...], tuple[tuple[str, Any], ...]], Statement] = {}

    def columns(self) -> list[ColumnElement[Any]]:
        """The columns of the row class in the order of its fields, for a query of one's own."""
        return [self.c[name] for name in self.fields]

    def query(self, *where: ColumnElement[bool], order_by: Sequence[Any] = ()) -> Query[Row]:
        """The rows that meet all of these conditions."""
        return Query(self.row, select(*self.columns()).where(*where).order_by(*order_by))

    def insert(self, on: On, rows: Sequence[Row]) -> None:
        """Insert many rows in one statement."""
        if rows:
            connection = sql(on)
            text = self._insert.text(connection.dialect)
            insert_many(connection, text.sql, text.rows(rows, self._words))

    def add(self, on: On, rows: Sequence[Row]) -> None:
        """The same, but for those whose key is there already: others may have been first meanwhile."""
        if rows:
            connection = sql(on)
            text = self._insert.text(connection.dialect)
            insert_many(connection, f"{text.sql} {UNLESS_THERE}", text.rows(rows, self._words))

    def put(self, on: On, rows: Sequence[Row]) -> None:
        """The same, each in place of the row that has its key; no two of them may have one."""
        if rows:
            connection = sql(on)
            text = self._insert.text(connection.dialect)
            insert_many(connection, f"{text.sql} {self._instead}", text.rows(rows, self._words))

    def save(self, on: On, rows: Sequence[Row], *fields: str, **was: Any) -> int:
        """Write these fields of many rows by their primary key; returns how many rows were changed.

        A row of which a column is not what it `was` stays as it is.
        """
        if not rows:
            return 0
        kind = fields, tuple(was.items())
        statement = self._saves.get(kind)
        if statement is None:
            asked = [key == given(key.name) for key in self.table.primary_key]
            held = [self.c[name] == value for name, value in was.items()]
            changed = {self.c[name]: given(name) for name in fields}
            statement = self._saves[kind] = Statement(update(self.table).where(*held, *asked).values(changed))
        connection = sql(on)
        text = statement.text(connection.dialect)
        cells = text.rows(rows, self._words)
        keys = len(self.table.primary_key)
        once = len({one[-keys:] for one in cells}) == len(cells)  # else the last of a row is what stands
        return (save_many if once else run_many)(connection, text.sql, cells)

    @cached_property
    def _instead(self) -> str:
        keys = [key.name for key in self.table.primary_key]
        others = [f"{name} = excluded.{name}" for name in self.fields if name not in keys]
        return or_update(", ".join(keys), ", ".join(others))

    def _inserted(self) -> dict[ColumnElement[Any], Any]:
        """What goes into each column: the row's own value, else the column's default."""
        values: dict[ColumnElement[Any], Any] = {}
        for one in self.c:
            if one.name in self.fields:
                values[one] = given(one.name)
            elif isinstance(one.default, ScalarElementColumnDefault):
                values[one] = cast(Any, one.default).arg
        return values


def named_as(row: type[Any], target: Table, **made: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of a query that becomes such rows: for each field what is made for it, else its column."""
    return [made[name].label(name) if name in made else target.c[name] for name in row_fields(row)]
