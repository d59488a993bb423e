"""What somebody changed of people in the file by hand: found where it would act, not by the doctor alone."""

from pathlib import Path

import pytest

from data.clock import ManualClock
from data.errors import BadInput
from data.home import books_file
from data.records import replace
from data.sign_in.passwords import hashed
from data.vocabulary import SizingKind, Via
from engine.desk import Desk
from engine.people import signer
from engine.people.signer import TOKEN_LIFE
from engine.refusals import NeedsApproval, NobodySignedIn, NoLongerStands
from tests.desks import START, buy, paper_desk
from tests.people.home_of_many import HERE, desk_of_many, password, sit
from tests.tampering import tamper

QTY = SizingKind.FIXED_QUANTITY


@pytest.mark.parametrize("column", ["password", "recovery"])
async def test_a_hash_put_in_by_hand_signs_nobody_in(tmp_path: Path, column: str) -> None:
    async with desk_of_many(tmp_path):
        pass
    mine = hashed("a password of the attacker's")
    tamper(books_file(tmp_path), (f"UPDATE person SET {column} = ? WHERE name = 'asha'", (mine,)))
    async with paper_desk(tmp_path, demo=False) as desk:
        for word in ("a password of the attacker's", password("asha")):
            with pytest.raises(BadInput, match="not as the audit left it"):
                await desk.signing.sign_in("asha", word, HERE, Via.API)
        assert (await desk.signing.sign_in("tara", password("tara"), HERE, Via.API)).token, "others do"


async def test_a_password_that_is_hashed_anew_by_later_parameters_still_signs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_of_many(tmp_path) as desk:
        with monkeypatch.context() as patch:
            patch.setattr(signer, "wants_rehash", lambda stored: True)
            await sit(desk, "tara")
        for _ in range(2):
            await sit(desk, "tara")
        await desk.watchlists.make("hers")


async def test_a_sign_in_made_longer_by_hand_commits_nothing_and_is_not_renewed(
    tmp_path: Path,
) -> None:
    clock = ManualClock(START)
    async with desk_of_many(tmp_path, clock) as desk:
        made = await desk.signing.sign_in("tara", password("tara"), HERE, Via.API)
    tamper(books_file(tmp_path), "UPDATE sign_in SET until = '2999-01-01 00:00:00.000000'")
    async with paper_desk(tmp_path, demo=False, clock=clock) as desk:
        desk.who.seat = desk.signing.actor(made.token, Via.API)
        with pytest.raises(NoLongerStands, match="not as the audit left it"):
            await desk.watchlists.make("hers")
        clock.shift((TOKEN_LIFE * 0.75).total_seconds())
        with pytest.raises(NobodySignedIn):
            await desk.signing.renewed(made.refresh)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE approval_rule SET above_paise = 999999999999",
        "UPDATE approval_rule SET needed = 0",
        "DELETE FROM approval_rule",
    ],
)
async def test_a_limit_of_approvals_changed_by_hand_lets_nothing_be_sent(tmp_path: Path, edit: str) -> None:
    async with desk_of_many(tmp_path) as desk:
        await desk.people.set_limit(10_000_00, 1)
        await sit(desk, "tara")
        plan = await desk.plans.freeze(buy("TCS", QTY, 8, desk.clients.find("PS1015").id))
        with pytest.raises(NeedsApproval):
            await desk.runs.start(plan, plan.digest)
        tamper(books_file(tmp_path), edit)
        await refused_as_edited(desk)
        await sit(desk, "asha")
        await desk.people.set_limit(10_000_00, 1)  # an admin says again what it is
        await sit(desk, "tara")
        plan = await desk.plans.freeze(buy("TCS", QTY, 8, desk.clients.find("PS1015").id))
        with pytest.raises(NeedsApproval):
            await desk.runs.start(plan, plan.digest)


async def refused_as_edited(desk: Desk) -> None:
    """No order leaves, small or large, and the refusal says why."""
    for quantity in (1, 8):
        intent = buy("TCS", QTY, quantity, desk.clients.find("PS1015").id)
        plan = await desk.plans.freeze(replace(intent, again=True))
        with pytest.raises(BadInput, match="not as the audit left it"):
            await desk.runs.start(plan, plan.digest)
    assert desk.orders.all() == []
