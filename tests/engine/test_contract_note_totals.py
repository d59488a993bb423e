"""Contract notes of closed days: another total is a dated correction, a revision, and the tax's charges."""

from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.reference.tax import year_of
from data.vocabulary import CorrectionKind, GainTerm, SizingKind
from engine.close.notes import KINDS, NoteTotal, note_of
from engine.words.day.closing import correction_words
from tests.desks import books_are_sound, carry_out, in_time, sell
from tests.engine.test_close import DAY, closed, day_over, traded
from tests.signing import signing_desk


async def test_a_note_of_another_total_is_a_correction_that_the_next_close_of_the_day_counts(tmp_path: Path):
    async with traded(tmp_path) as desk:
        notes = desk.contract_notes
        with pytest.raises(BadInput, match="closed for this client"):
            await notes.note(4, DAY, {"total": 10_00}, "note 77")
        await closed(desk)
        (was,) = [one for one in (await desk.close.report(DAY)).clients if one.client_id == 4]
        told = was.charges.total_paise - was.charges.dp_paise + 1_23
        assert await notes.note(1, DAY, {"total": 0}, "note 78") != []
        (made,) = await notes.note(4, DAY, {"total": told}, "note 77")
        assert (made.before, made.after, made.rev, made.kind) == (told - 1_23, told, 2, CorrectionKind.NOTE)
        assert await notes.note(4, DAY, {"total": told}, "note 77 again") == []
        waits = (await desk.close.report(DAY)).corrections[-1]
        assert "waits for rev 2" in correction_words(waits, was.code)
        prospect = await desk.close.prospect(DAY)
        assert (prospect.rev, prospect.closing) == (2, 2)
        report = await in_time(desk, desk.close.close(DAY, 2))
        (now,) = [one for one in report.clients if one.client_id == 4]
        assert (now.other_charges_paise, now.charges) == (1_23, was.charges)
        assert now.todays_pnl_paise == was.todays_pnl_paise - 1_23
        assert now.portfolio_value_paise == was.portfolio_value_paise - 1_23
        assert now.opening_paise == was.opening_paise
        assert "since rev 2 (note 77)" in correction_words(report.corrections[-1], now.code)
        assert (await desk.audit.rows(action="DAY_CORRECTED"))[-1].details["reason"] == "note 77"
        assert await notes.note(4, DAY, {"total": told}, "note 77 again") == []
        await books_are_sound(desk)


async def test_a_note_of_a_client_whom_the_newest_revision_left_as_it_was_waits_for_the_next(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        await desk.contract_notes.note(1, DAY, {"total": 0}, "note 78")
        assert (await in_time(desk, desk.close.close(DAY, 1))).rev == 2
        (made,) = await desk.contract_notes.note(4, DAY, {"total": 77_00}, "note 77")
        assert (made.rev, made.waits) == (3, True)
        assert [one.waits for one in await desk.contract_notes.corrections([1, 4])] == [False, True]
        report = await desk.close.report(DAY)
        assert [one.waits for one in report.corrections] == [False, True]
        assert "waits for rev 3" in correction_words(report.corrections[-1], "")
        assert (await in_time(desk, desk.close.close(DAY, 1))).rev == 3
        assert not any(one.waits for one in await desk.contract_notes.corrections([1, 4]))


async def test_the_tax_has_the_charges_of_a_day_as_its_note_came_to_them(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        await desk.contract_notes.note(4, DAY, {"total": 77_00}, "note 77")
        (one,) = [each for each in (await desk.close.preview(DAY)).clients if each.client_id == 4]
        (year,) = await desk.tax.year([4], year_of(DAY))
        lots = (await desk.tax.lots(4, DAY)).values()
        held = sum(lot.charges_paise for each in lots for lot in each)
        assert sum(each.sale.charges_paise for each in year.sales) + held == one.charges_paise
        assert one.charges_paise == 77_00 + one.charges.dp_paise


async def test_what_a_closed_day_netted_is_taxed_as_intraday(tmp_path: Path):
    async with traded(tmp_path, over=False) as desk:
        await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 3, 1))
        (before,) = await desk.tax.year([1], year_of(DAY))
        await day_over(desk)
        await closed(desk)
        (day,) = [one for one in (await desk.close.report(DAY)).clients if one.client_id == 1]
        (year,) = await desk.tax.year([1], year_of(DAY))
        assert {each.sale.term for each in year.sales} == {GainTerm.SPECULATIVE}
        assert sum(each.sale.charges_paise for each in year.sales) == day.charges.total_paise
        taxed = sum(each.sale.stt_paise for each in year.sales)
        assert abs(taxed - day.charges.stt_paise) < 1_00, "a note rounds it to the rupee"
        assert taxed < sum(each.sale.stt_paise for each in before.sales) // 3


async def test_a_file_of_notes_is_taken_whole_or_not_at_all(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        code = desk.clients.get(4).code
        file = tmp_path / "notes.csv"
        file.write_text(
            f"code,date,total\n{code},{DAY},12.34\nNONE,{DAY},1\n{code},{DAY},5\n{code},2026-13-01,x\n"
        )
        with pytest.raises(FileProblem) as bad:
            await desk.contract_notes.take_file(file)
        assert [(one.row, one.field) for one in bad.value.problems] == [(3, "code"), (4, "day"), (5, "day")]
        file.write_text(f"code,date,total\n{code},{DAY},12.34\n{code},2026-11-17,5\n")
        with pytest.raises(FileProblem, match="closed for this client"):
            await desk.contract_notes.take_file(file)
        assert await desk.contract_notes.corrections([4]) == []
        file.write_text(f"code,date,total\n{code},{DAY},12.34\n")
        (made,) = await desk.contract_notes.take_file(file)
        assert (made.after, made.reason) == (12_34, "notes.csv")


async def test_files_name_a_client_in_any_letter_case_whatever_its_code_is_kept_in(tmp_path: Path):
    async with signing_desk(tmp_path, "am1") as (desk, _broker):
        file = tmp_path / "notes.csv"
        file.write_text(f"code,day,total\nAm1,{DAY},12.34\n")
        with pytest.raises(FileProblem, match=r"am1: .*closed for this client"):
            await desk.contract_notes.take_file(file)
        file.write_text("code,day,portfolio\nAm1,2026-11-16,1000\nAm1,2026-11-17,1010\n")
        assert await desk.history.take(file) == {1: 2}
        file.write_text(f"code,day,total\nam2,{DAY},12.34\n")
        with pytest.raises(FileProblem, match="no client has this code; nearest: AM1"):
            await desk.contract_notes.take_file(file)


async def test_the_brokers_word_of_charges_corrects_likewise(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        (made,) = await desk.contract_notes.take(
            [NoteTotal(7, DAY, 3_21)], CorrectionKind.BROKER, "order charges"
        )
        assert made.kind is CorrectionKind.BROKER
        assert (await desk.close.prospect(DAY)).closing == 1


async def test_each_kind_that_a_note_tells_otherwise_is_a_correction_beside_the_totals(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        (was,) = [one for one in (await desk.close.report(DAY)).clients if one.client_id == 4]
        kinds: dict[str, int] = {name: getattr(was.charges, f"{name}_paise") for name in KINDS}
        assert await desk.contract_notes.note(4, DAY, kinds, "as it was charged") == []
        told = {**kinds, "stt": kinds["stt"] + 1_00, "gst": kinds["gst"] - 7}
        made = await desk.contract_notes.note(4, DAY, told, "note 77")
        assert [(one.subject, one.after - one.before) for one in made] == [
            ("", 93),
            ("stt", 1_00),
            ("gst", -7),
        ]
        assert "contract note, STT" in correction_words(made[1], was.code)
        report = await in_time(desk, desk.close.close(DAY, 1))
        assert not any(one.waits for one in report.corrections)
        assert await desk.contract_notes.note(4, DAY, told, "note 77 again") == []
        moved = {**told, "stt": told["stt"] - 2, "stamp": told["stamp"] + 2}
        again = await desk.contract_notes.note(4, DAY, moved, "a corrected note")
        assert [(one.subject, one.waits) for one in again] == [("stt", False), ("stamp", False)]
        prospect = await desk.close.prospect(DAY)
        assert prospect.closed, "the total stands, so no revision comes of it"
        assert sum(one.waits for one in await desk.contract_notes.corrections([4])) == 0
        told_now = [one for one in (await desk.audit.rows(action="DAY_CORRECTED")) if one.client_id == 4]
        assert [one.details["of"] for one in told_now] == ["total", "stt", "gst", "stt", "stamp"]
        await books_are_sound(desk)


def test_a_note_tells_its_total_or_all_kinds_and_they_agree() -> None:
    six: dict[str, int] = dict.fromkeys(KINDS, 1_00)
    assert note_of(1, DAY, six).total_paise == 6_00
    assert note_of(1, DAY, {"total": 9_00, "stt": 2_00}).kinds == {"stt": 2_00}
    for told, field in (
        ({"stt": 2_00}, "total"),
        ({"total": 1_00, "stt": 2_00}, "total"),
        ({**six, "total": 7_00}, "total"),
        ({"total": 5_00, "gst": -1}, "gst"),
    ):
        with pytest.raises(BadInput) as bad:
            note_of(1, DAY, told)
        assert bad.value.field == field


async def test_round_trips_show_what_was_booked_and_what_the_note_has(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        (before,) = await desk.holdings.transactions(4)
        assert before.note_charges_paise < before.charges_paise, "what was sold again is intraday by the note"
        charges = (await desk.close.preview(DAY)).clients
        (day,) = [one.charges.total_paise for one in charges if one.client_id == 4]
        await desk.contract_notes.note(4, DAY, {"total": day * 2}, "note 77")
        (after,) = await desk.holdings.transactions(4)
        assert (after.charges_paise, after.pnl_paise) == (before.charges_paise, before.pnl_paise)
        assert after.note_charges_paise > before.note_charges_paise
        assert after.net_paise == after.pnl_paise - after.note_charges_paise
