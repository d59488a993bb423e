"""What a batch changes is proven, whatever of it is rolled back, and nothing that was rolled back is."""

import asyncio
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.audit import BREAK, DISTRUSTED, AuditEntry
from data.engines.driver import run
from data.ledger import Line, Transfer, post
from data.proving.evidence import recompute
from data.proving.noted import AcceptedRows
from data.store import Store, StoreError, Unit
from data.vocabulary import Account, TransferKind
from tests.books import change_by_hand
from tests.data.test_store import opened, writer_busy

STEPS = st.tuples(st.sampled_from(["put", "change", "drop"]), st.sampled_from("abc"), st.integers(0, 2))
UNITS = st.tuples(st.lists(STEPS, min_size=1, max_size=4), st.booleans())
BATCHES = st.lists(st.lists(UNITS, min_size=1, max_size=4), min_size=1, max_size=3)

STATEMENTS = {
    "put": "INSERT INTO meta (value, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
    "change": "UPDATE meta SET value = ? WHERE name = ?",
    "drop": "DELETE FROM meta WHERE CAST(? AS TEXT) IS NOT NULL AND name = ?",
}


class Undone(Exception):  # noqa: N818 - reads as a state
    """Ends a unit, so that nothing of it is kept."""


def changing(steps: list[tuple[str, str, int]], fails: bool) -> Any:
    """A unit that takes these steps, and may fail after them."""

    def unit_of_work(unit: Unit) -> None:
        for step, name, value in steps:
            run(unit.connection, STATEMENTS[step], (str(value), name))
        if fails:
            raise Undone

    return unit_of_work


async def together(store: Store, units: list[Any]) -> list[Any]:
    """Have these units run as one batch; what each returned or raised."""
    async with writer_busy(store):
        done = [store.submit(unit) for unit in units]
    return await asyncio.gather(*done, return_exceptions=True)


async def what_differs(store: Store) -> list[str]:
    """Rows that are not as the audit tells, and rows of it that say so."""
    told = f"SELECT 'row ' || seq || ' stops trading' FROM audit WHERE action = '{DISTRUSTED}'"
    async with store.reader() as connection:
        stops = (await connection.exec_driver_sql(told)).scalars().all()
    return [*stops, *(await store.read_aside(recompute)).found]


@pytest.mark.proof
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
)
@given(batches=BATCHES)
def test_rows_are_as_the_audit_tells_however_units_of_a_batch_end(
    batches: list[list[tuple[list[tuple[str, str, int]], bool]]],
) -> None:
    async def tried(home: Path) -> None:
        async with opened(home / "desk.db") as store:
            for batch in batches:
                await together(store, [changing(steps, fails) for steps, fails in batch])
                assert await what_differs(store) == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(tried(Path(folder)))


def paying(paise: int, fails: bool) -> Any:
    """A unit that posts one transfer, and may fail after it."""
    lines = [Line(Account.EXTERNAL, -paise), Line(Account.CHARGES, paise)]

    def unit_of_work(unit: Unit) -> None:
        post(unit, [Transfer(1, TransferKind.FILL, date(2026, 11, 18), lines)])
        if fails:
            raise Undone

    return unit_of_work


async def test_a_transfer_under_the_number_of_one_that_was_rolled_back_is_proven_itself(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "desk.db") as store:
        done = await together(store, [paying(100, True), paying(250, False), paying(300, True)])
        assert [type(one) for one in done] == [Undone, type(None), Undone]
        async with store.reader() as connection:
            query = "SELECT amount_paise FROM posting ORDER BY txn_id, line"
            assert (await connection.exec_driver_sql(query)).all() == [(-250,), (250,)]
        assert await what_differs(store) == []


@pytest.mark.parametrize("kept", [True, False])
async def test_only_an_acceptance_that_is_kept_has_a_row_proven_as_it_is(tmp_path: Path, kept: bool) -> None:
    async with opened(tmp_path / "desk.db") as store:
        await store.write(changing([("put", "a", 1)], fails=False))
        change_by_hand(tmp_path, "UPDATE meta SET value = 'forged' WHERE name = 'a'")

        def accept(unit: Unit) -> None:
            unit.accepted.append(AcceptedRows("meta", ["a"], []))
            unit.audit(AuditEntry(BREAK, "tester", details={"reason": "known", "found": []}))
            if not kept:
                raise Undone

        await together(store, [accept, changing([("put", "b", 1)], False)])
        found = await what_differs(store)
        assert [words for words in found if words.startswith("meta a ")] == ([] if kept else found)
        assert bool(found) is not kept


async def test_a_row_that_another_changed_between_two_batches_is_named_before_it_is_changed_again(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "desk.db") as store:
        await store.write(changing([("put", "a", 1)], fails=False))
        change_by_hand(tmp_path, "UPDATE meta SET value = 'forged' WHERE name = 'a'")
        await store.write(changing([("change", "a", 2)], fails=False))
        found = await what_differs(store)
        assert any("stops trading" in words for words in found)
        assert any(words.startswith("meta a ") for words in found)


async def test_a_row_of_a_batch_that_was_not_kept_is_as_it_was_before(tmp_path: Path) -> None:
    async with opened(tmp_path / "desk.db") as store:
        await store.write(changing([("put", "a", 1)], fails=False))
        with pytest.MonkeyPatch.context() as patch:

            def full(*given: object) -> None:
                raise OSError

            patch.setattr("data.writing.writer.write_changes", full)  # behind the audit, before the commit

            def touching(unit: Unit) -> None:
                changing([("change", "a", 2)], fails=False)(unit)
                unit.touched.runs.add(1)

            with pytest.raises(StoreError):
                await store.write(touching)
        await store.write(changing([("change", "a", 3)], fails=False))
        assert await what_differs(store) == []
