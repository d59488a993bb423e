"""The roster: a file is taken whole or not at all, and moves nobody's money or base of today."""

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.vocabulary import ClientStatus, HoldKind
from engine.accounts.client_file import NewClient, template
from tests.desks import books_are_sound, paper_desk
from tests.further import case
from tradedesk.compose.brokers.paper import exchange_of

HEADER = "code,name,broker,broker_user_id,status,capital,available,mtf_limit,groups\n"


async def test_the_template_is_a_file_that_can_be_imported(tmp_path):
    async with paper_desk(tmp_path, demo=False) as desk:
        path = tmp_path / "clients.csv"
        path.write_text(template())
        report = await desk.importing.take(path)
        assert (report.added, report.updated, report.unchanged) == (1, 0, 0)
        client = desk.clients.find("am1042")
        assert (client.capital_paise, client.groups) == (5_00_000_00, ("HNI", "North"))
        assert desk.funds.of(client.id).available_paise == 4_50_000_00
        assert exchange_of(desk).funds("AM1042").available_paise == 4_50_000_00
        await books_are_sound(desk)


BAD_ROWS = [
    ("X2,Name,nobody,U2,active,1,1,,", "broker"),
    ("X2,Name,zerodha,U2,asleep,1,1,,", "status"),
    ("X2,Name,zerodha,U2,active,1.005,1,,", "capital"),
    ("X2,Name,zerodha,U2,active,1,-1,,", "available"),
    ("X1,Name,zerodha,U2,active,1,1,,", "code"),
    ("X2,Name,zerodha,U1,active,1,1,,", "broker_user_id"),
    ("CA0001,Name,zerodha,U2,active,1,1,,", "code"),
    ("10,Name,zerodha,U2,active,1,1,,", "code"),
    ("X\u200b1,Name,zerodha,U2,active,1,1,,", "code"),
    ("X2,Na\u200bme,zerodha,U2,active,1,1,,", "name"),
    ("X2,Name,zerodha,u1,active,1,1,,", "broker_user_id"),
    ("X2,Name,zerodha,U2,active,1e5,1,,", "capital"),
    ("X2,Name,zerodha,U2,active,१०००,1,,", "capital"),
]


async def test_one_bad_row_keeps_the_whole_file_out(tmp_path):
    async with paper_desk(tmp_path) as desk:
        for row, field in BAD_ROWS:
            with case(row, field):
                before = desk.clients.all()
                taken = before[0]
                path = tmp_path / "clients.csv"
                row = row.replace("CA0001", taken.code)
                path.write_text(f"{HEADER}X1,Good,zerodha,U1,active,100000,100000,,\n{row}\n")
                with pytest.raises(FileProblem) as refused:
                    await desk.importing.take(path)
                assert field in {problem.field for problem in refused.value.problems}
                assert desk.clients.all() == before
                await books_are_sound(desk)


async def test_a_row_with_a_field_too_many_hides_no_other_bad_row(tmp_path):
    async with paper_desk(tmp_path, demo=False) as desk:
        path = tmp_path / "clients.csv"
        rows = (
            "X1,A,nobody,U1,active,1,1,,",
            "X2,B,zerodha,U2,active,1,1,,,more",
            "X3,C,zerodha,U3,asleep,1,1,,",
        )
        path.write_text(HEADER + "\n".join((*rows, ",D,zerodha,U4,active,1.005,1,,", 'X5,"E')))
        with pytest.raises(FileProblem) as refused:
            await desk.importing.take(path)
        found = [(problem.row, problem.field) for problem in refused.value.problems]
        assert found == [(2, "broker"), (3, "fields"), (4, "status"), (5, "code"), (6, "line")]
        assert desk.clients.all() == []


async def test_a_group_named_twice_is_one_group(tmp_path):
    async with paper_desk(tmp_path, demo=False) as desk:
        path = tmp_path / "clients.csv"
        path.write_text(f"{HEADER}X1,Good,zerodha,U1,active,1,1,,HNI;hni; HNI ;North\n")
        await desk.importing.take(path)
        assert [name.upper() for name in desk.clients.find("X1").groups] == ["HNI", "NORTH"]


async def test_an_update_takes_words_over_but_no_money_and_no_base_of_today(tmp_path):
    async with paper_desk(tmp_path) as desk:
        one = desk.clients.all()[0]
        funds = desk.funds.of(one.id)
        path = tmp_path / "clients.csv"
        path.write_text(
            f"{HEADER}{one.code},Another Name,{one.broker},{one.broker_user_id},inactive,9,9,77,Fresh\n"
        )
        report = await desk.importing.take(path, change_existing=True)
        assert (report.added, report.updated) == (0, 1)
        after = desk.clients.get(one.id)
        assert (after.name, after.status, after.groups) == ("Another Name", ClientStatus.INACTIVE, ("Fresh",))
        assert (after.capital_paise, after.mtf_limit_paise) == (one.capital_paise, 77_00)
        assert desk.funds.of(one.id).available_paise == funds.available_paise
        assert (await desk.importing.take(path, change_existing=True)).unchanged == 1
        await books_are_sound(desk)


async def test_a_hold_stays_blocked_and_names_itself(tmp_path):
    async with paper_desk(tmp_path, demo=False) as desk:
        new = NewClient("X1", "X", "zerodha", "U1", ClientStatus.ACTIVE, 100, 60, hold_paise=40)
        await desk.clients.add([new])
        funds = desk.funds.of(1)
        assert (funds.available_paise, funds.blocked_paise, funds.held_paise) == (60, 40, 40)
        made = await desk.halt.fire("tester")
        assert (made.released_paise, desk.funds.of(1).held_paise) == (0, 40)
        assert HoldKind.PAYOUT.value == "payout"
        await books_are_sound(desk)


async def test_a_client_is_found_by_code_or_id_and_the_nearest_are_named(tmp_path):
    async with paper_desk(tmp_path) as desk:
        one = desk.clients.all()[0]
        assert desk.clients.find(one.code.lower()) == desk.clients.find(one.id) == one
        with pytest.raises(BadInput, match=rf"nearest: .*{one.code}"):
            desk.clients.find(one.code[:-1] + "X")
        with pytest.raises(BadInput, match="no client has this id"):
            desk.clients.get(9999)
