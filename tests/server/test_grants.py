"""A role of desks on a server: it does a desk's work, and what is append-only grows alone by its hand."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.clock import ManualClock
from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.server import schema
from data.server.grants import changeable, grant, grant_again
from data.tables.books import APPEND_ONLY
from data.vocabulary import SizingKind
from tests.books import POSTGRES, database_url, stand_at
from tests.desks import START, books_are_sound, buy, carry_out, filed_desk, in_time

pytestmark = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)

_NUMBERS = count()


@pytest.fixture
def owner(tmp_path: Path, books_engine: str) -> URL:
    """Empty books, by the role that owns them."""
    return make_url(database_url(tmp_path))


@pytest.fixture
def role(owner: URL) -> Iterator[str]:
    """A role that may sign in, and nothing else."""
    name = f"Desk {os.getpid()} {next(_NUMBERS)}"
    done(owner, f'CREATE ROLE "{name}" LOGIN')
    yield name
    done(owner, f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')


def done(url: URL, *statements: str) -> None:
    """Run them, each by itself. Raises `DBAPIError`."""
    engine = PostgresBooks(url).patient_writer()
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def refused(url: URL, statement: str) -> str:
    """Why the server does not do it."""
    with pytest.raises(DBAPIError) as caught:
        done(url, statement)
    return str(caught.value.orig)


async def test_a_desk_trades_by_a_role_that_changes_nothing_append_only(
    tmp_path: Path, owner: URL, role: str
) -> None:
    own = PostgresBooks(owner)
    assert own.read(changeable) == sorted(APPEND_ONLY), "who owns them may do all"
    assert set(grant(own, role)) == set(APPEND_ONLY)
    by_role = owner.set(username=role)
    stand_at(tmp_path, by_role.render_as_string(hide_password=False))
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500))
        certificate = await in_time(desk, desk.halt.fire("cli"))
        assert certificate.number
        await books_are_sound(desk)
        (triggers,) = [one for one in await desk.doctor.run() if one.name == "append-only triggers"]
        assert (triggers.ok, "db grant" in triggers.detail) == (True, False)
    assert PostgresBooks(by_role).read(changeable) == []
    for table in APPEND_ONLY:
        for change in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            assert "permission denied" in refused(by_role, change), change
    for statement in (
        "UPDATE audit SET actor = 'nobody'",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_no_update ON audit",
        "DROP TABLE instruction",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = '0001'",
    ):
        words = refused(by_role, statement)
        assert "permission denied" in words or "must be owner" in words, statement


async def test_who_owns_the_tables_is_told_that_triggers_alone_keep_them(tmp_path: Path, owner: URL) -> None:
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        (triggers,) = [one for one in await desk.doctor.run() if one.name == "append-only triggers"]
        assert (triggers.ok, "db grant" in triggers.detail) == (True, True)


def test_a_later_version_grants_again_to_whom_an_earlier_one_did(owner: URL, role: str) -> None:
    own = PostgresBooks(owner)
    grant(own, role)
    done(owner, f'REVOKE ALL ON instruction, audit FROM "{role}"')
    assert schema.upgrade(own) == schema.HEAD
    names = ", ".join(f"('{name}')" for name in SQLModel.metadata.tables)
    rights = own.read(
        lambda reader: fetch(
            reader,
            "SELECT name, has_table_privilege(?, name, 'INSERT'), has_table_privilege(?, name, 'DELETE')"
            f" FROM (VALUES {names}) AS t (name)",
            (role, role),
        )
    )
    assert {name: (inserts, deletes) for name, inserts, deletes in rights} == {
        name: (True, name not in APPEND_ONLY) for name in SQLModel.metadata.tables
    }


def test_a_role_that_no_grant_would_hold_is_refused(owner: URL, role: str) -> None:
    own = PostgresBooks(owner)
    for odd, words in (("nobody here", "no such role"), (str(owner.username), "superuser")):
        with pytest.raises(BadInput, match=words):
            grant(own, odd)
    with pytest.raises(BadInput, match="does not grant it"):
        grant(PostgresBooks(owner.set(username=role)), role)
    assert own.read(lambda reader: grants_of(reader, role)) == 0


def grants_of(reader: Connection, role: str) -> int:
    """How many tables a role may read."""
    rows = fetch(
        reader, "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = ?", (role,)
    )
    return int(rows[0][0])


def test_roles_that_were_granted_nothing_get_nothing_by_an_upgrade(owner: URL, role: str) -> None:
    engine = PostgresBooks(owner).patient_writer()
    with engine.connect() as connection:
        grant_again(connection)
    engine.dispose()
    assert PostgresBooks(owner).read(lambda reader: grants_of(reader, role)) == 0


async def test_a_desk_that_a_service_signs_for_makes_no_key_and_no_sign_in(
    tmp_path: Path, owner: URL, role: str
) -> None:
    own = PostgresBooks(owner)
    grant(own, role)
    grant(own, role, signs=False)
    assert schema.upgrade(own) == schema.HEAD, "what a later version grants keeps to it"
    by_role = owner.set(username=role)
    for statement in (
        "INSERT INTO signing_key (kid, public, made_at) VALUES ('mine', 'ff', now())",
        "UPDATE signing_key SET public = 'ff'",
        "DELETE FROM signing_key",
        "INSERT INTO sign_in (id, person, place, at, until, ended_by)"
        " VALUES ('mine', 'asha', '', now(), now(), '')",
        "UPDATE sign_in SET until = now()",
        "UPDATE sign_in SET person = 'asha'",
        "DELETE FROM sign_in",
        "DELETE FROM sign_in_try",
    ):
        assert "permission denied" in refused(by_role, statement), statement
    done(by_role, "UPDATE sign_in SET ended_at = now(), ended_by = 'asha' WHERE id = 'any'")
    stand_at(tmp_path, by_role.render_as_string(hide_password=False))
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500))
    grant(own, role)
    done(by_role, "DELETE FROM sign_in_try")
