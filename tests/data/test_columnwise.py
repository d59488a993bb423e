"""Statements of one row as statements of many, for a server: all that repositories write may be."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from sqlalchemy.dialects.postgresql import psycopg

import data.repositories
from data import ledger
from data.engines.columnwise import COPIED, as_list, of_many
from data.engines.driver import fetch, insert_many, run_many, save_many
from data.repositories.base import every_statement
from data.store import Unit
from tests.data.test_store import opened
from tests.statements import counted

ODD = ["\t\n\r", "\\N", "\\.", "it's", 'a "name"', "?", "a,b", "{}", "NULL", "", "a\\b", "☃"]


def test_whatever_repositories_write_row_by_row_can_be_written_together() -> None:
    import engine.booking.stored  # noqa: F401 - and all that it is made of

    for module in walk_packages(data.repositories.__path__, "data.repositories."):
        import_module(module.name)
    dialect = psycopg.dialect(paramstyle="qmark")
    texts = [one.text(dialect).sql for one in every_statement()]
    written = [text for text in texts if text.startswith("INSERT")]
    assert len(written) > 40
    for text in (
        *written,
        *(
            value
            for name, value in vars(ledger).items()
            if name.startswith(("_MOVE_", "_FREE_", "_OPEN")) and isinstance(value, str)
        ),
    ):
        many = of_many(text)
        assert many.count("?") == text.count("?")
        places = re.findall(r"given\.c(\d+)", many)
        assert places == [str(number) for number in range(1, text.count("?") + 1)]


@pytest.mark.parametrize(
    "text", ["DELETE FROM counter WHERE name = ?", "DO $$BEGIN END$$", "UPDATE counter SET next = 1 WHERE ?"]
)
def test_what_is_of_no_one_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        of_many(text)


@pytest.mark.both
@pytest.mark.parametrize("count", [1, COPIED - 1, 3 * COPIED])
async def test_many_rows_are_one_statement_and_each_is_what_was_given(tmp_path: Path, count: int) -> None:
    names = [*ODD, *map(str, range(count))][-count:]

    def write(unit: Unit) -> list[tuple[object, ...]]:
        on = unit.connection
        with counted() as statements:
            insert_many(on, "INSERT INTO meta (name, value) VALUES (?, ?)", [(name, name) for name in names])
            insert_many(on, "INSERT INTO counter (name, next) VALUES (?, 7)", [(name,) for name in names])
            changed = save_many(on, "UPDATE counter SET next = ? WHERE name = ?", list(enumerate(names)))
            more = [(10, name) for name in (*names, "nobody's")]
            again = run_many(on, "UPDATE counter SET next = next + ? WHERE name = ?", more, apart=True)
        assert (changed, again, len(statements)) == (count, count, 4)
        return fetch(
            on, "SELECT counter.name, value, next FROM counter JOIN meta ON meta.name = counter.name"
        )

    async with opened(tmp_path / "desk.db") as store:
        found = {str(name): (value, number) for name, value, number in await store.write(write)}
    assert {name: found[name] for name in names} == {
        name: (name, number + 10) for number, name in enumerate(names)
    }


def test_a_list_in_text_is_what_the_server_reads() -> None:
    assert as_list([1, -2]) == "{1,-2}"
    assert as_list(["a", "b,c"]) == '{"a","b,c"}'
    assert as_list(['a"', "\\", None, 3]) == '{"a\\"","\\\\",NULL,3}'
    assert as_list([None, None]) == "{NULL,NULL}"
    assert as_list([True, None]) == [True, None]
