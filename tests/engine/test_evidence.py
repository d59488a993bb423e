"""Evidence on an order: what the folder holds, and that no change of it goes unseen by its own verifier."""

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.errors import BadInput
from data.proving import verify_pack
from data.proving.verify_pack import faults
from data.vocabulary import GuardAction, GuardState, RouteKind, Side, SizingKind
from data.writing.whole_folder import SUMS
from engine.access.routes import NewRoute
from engine.review.evidence import VERIFIER
from tests.desks import buy, carry_out, paper_desk, until
from tests.engine.test_guards import PRIYA, desk_at, of_priya, tcs_at


def wrong(folder: Path, seal: str = "") -> list[str]:
    return list(faults(folder, seal))


def verified(folder: Path, *words: str) -> int:
    """How its own verifier ends, run by a stranger without this program."""
    return subprocess.run(
        [sys.executable, "-I", "-S", folder / VERIFIER, *words], cwd="/", capture_output=True, check=False
    ).returncode


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    import asyncio

    async def made() -> tuple[Path, str]:
        home = tmp_path_factory.mktemp("evidence")
        async with paper_desk(home / "home") as desk:
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
            for client in desk.clients.all():
                await desk.routes.set(client.id, NewRoute(RouteKind.PAPER, consent=f"POA-{client.code}"))
            _, run = await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 300))
            written = await desk.evidence.write(run.order_ids[2], home / "pack")
            told = (await desk.audit.rows(action="EVIDENCE_WRITTEN"))[-1]
            assert told.details == {"folder": str(written.folder), "seal": written.seal}
            assert told.order_id == run.order_ids[2]
            with pytest.raises(BadInput, match="not there yet, or an empty one"):
                await desk.evidence.write(run.order_ids[2], home / "pack")
            with pytest.raises(BadInput, match="the books hold no such order"):
                await desk.evidence.write(999_999)
            return written.folder, written.seal

    return asyncio.run(made())


@pytest.fixture
def folder(pack: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(pack[0], tmp_path / "copy"))


def test_a_stranger_verifies_it_with_python_alone_in_sixty_lines(pack: tuple[Path, str]) -> None:
    folder, seal = pack
    assert verified(folder) == 0
    assert verified(folder, seal) == 0
    assert verified(folder, seal.replace(seal[0], "g")) == 1
    lines = Path(verify_pack.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
    assert not any("tradedesk" in line or "data." in line for line in lines)


def test_it_holds_what_was_shown_tried_told_and_booked(pack: tuple[Path, str]) -> None:
    folder, _ = pack

    def read(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    order, plan = read("order.json"), read("plan.json")
    shown = (folder / "shown.txt").read_text(encoding="utf-8")
    assert plan["digest"] in shown
    assert "BUY NSE:INFY │ 3 % of capital" in shown
    assert order["tag"] in [one["tag"] for one in read("attempts.json")["attempts"]]
    told = [row for row in read("consent.json")["told"] if row["action"] == "CLIENT_CONSENT"]
    code = shown.splitlines()[-1].partition(":")[0]
    assert [json.loads(row["details"])["reference"] for row in told] == [f"POA-{code}"]
    (covering,) = read("consent.json")["covering"]
    assert (covering["kind"], covering["reference"], covering["ended_at"]) == ("trading", f"POA-{code}", None)
    (reserved,) = [
        row
        for row in read("chain.json")
        if row["action"] == "ORDER_RESERVED" and row["order_id"] == order["id"]
    ]
    assert json.loads(reserved["details"])["consents"] == [covering["id"]]
    assert {row["action"] for row in read("broker.json")} >= {"ORDER_ACCEPTED", "FILL_APPLIED"}
    assert sum(fill["quantity"] for fill in read("fills.json")) == order["filled_quantity"] > 0
    assert {one["order_id"] for one in read("postings.json") if one["order_id"]} == {order["id"]}
    chain = read("chain.json")
    assert [row["seq"] for row in chain] == list(range(chain[0]["seq"], chain[-1]["seq"] + 1))
    assert chain[0]["action"] == "PLAN_FROZEN"


def test_no_byte_of_any_file_is_changed_unseen(folder: Path) -> None:
    rng = random.Random(7)
    names = sorted(one.name for one in folder.iterdir())
    assert VERIFIER in names
    for name in names:
        whole = (folder / name).read_bytes()
        for place in {0, len(whole) - 1, *rng.sample(range(len(whole)), min(12, len(whole)))}:
            changed = bytes([whole[place] ^ (1 << rng.randrange(8))])
            (folder / name).write_bytes(whole[:place] + changed + whole[place + 1 :])
            assert wrong(folder) != [], (name, place)
        (folder / name).write_bytes(whole[:-1])
        assert wrong(folder) != [], name
        (folder / name).write_bytes(whole)
    assert wrong(folder) == []


def test_a_changed_verifier_does_not_verify_itself(folder: Path) -> None:
    whole, rng = (folder / VERIFIER).read_bytes(), random.Random(8)
    for place in rng.sample(range(len(whole)), 8):
        changed = bytes([whole[place] ^ 1])
        (folder / VERIFIER).write_bytes(whole[:place] + changed + whole[place + 1 :])
        assert verified(folder) == 1, place


def test_a_file_more_or_less_is_seen(folder: Path) -> None:
    (folder / "more.txt").write_text("x")
    assert wrong(folder) != []
    (folder / "more.txt").unlink()
    (folder / "READ-ME.txt").unlink()
    assert wrong(folder) != []


def rewritten(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    """A file changed, and the list of hashes made anew over it, as who knows how would."""
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    files = {one.name: one.read_bytes() for one in folder.iterdir() if one.name != SUMS}
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    (folder / SUMS).write_text(sums)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("plan.json", lambda it: it["lines"][0].update(quantity=77), "the plan is not the one"),
        ("chain.json", lambda it: it[3].update(actor="nobody"), "does not follow"),
        ("chain.json", lambda it: it.pop(3), "does not follow"),
        ("postings.json", lambda it: it[0].update(amount_paise=1), "a transfer does not sum to zero"),
        ("fills.json", lambda it: it[0].update(price_paise=1), "a trade is not as the audit tells it"),
        ("fills.json", lambda it: it.clear(), "a trade is not as the audit tells it"),
    ],
)
def test_who_makes_the_list_of_hashes_anew_is_found_by_what_does_not_go_together(
    folder: Path, pack: tuple[Path, str], name: str, change: Callable[[Any], None], words: str
) -> None:
    rewritten(folder, name, change)
    assert any(words in one for one in wrong(folder))
    assert any("the seal is not that" in one for one in wrong(folder, pack[1]))


async def test_an_order_of_a_guard_holds_the_guard_and_its_trip(tmp_path: Path) -> None:
    async with desk_at(tmp_path / "home", loss_bps=200, action=GuardAction.FLAT) as desk:
        tcs_at(desk, -2.4)
        await until(desk, lambda: of_priya(desk).state is GuardState.FLAT, step_s=0.5)
        view = of_priya(desk)
        assert view.trip is not None
        (order,) = [one for one in desk.orders.all(client_id=PRIYA) if one.side is Side.SELL]
        written = await desk.evidence.write(order.id, tmp_path / "pack")

    def read(name: str) -> Any:
        return json.loads((written.folder / name).read_text(encoding="utf-8"))

    guard, chain = read("guard.json"), read("chain.json")
    assert (guard["guard"]["number"], guard["guard"]["loss_bps"]) == (view.number, 200)
    assert guard["trip"]["net_paise"] == view.trip.net_paise
    assert [row["action"] for row in guard["told"]] == ["GUARD_SET", "GUARD_TRIPPED", "GUARD_FLATTENS"]
    assert chain[0]["action"] == "GUARD_TRIPPED"
    assert {"FLATTEN_STARTED", "GUARD_FLATTENS"} <= {row["action"] for row in chain}
    (reserved,) = [row for row in chain if row["action"] == "ORDER_RESERVED"]
    assert reserved["actor"] == f"guard {view.number}"
    shown = (written.folder / "shown.txt").read_text(encoding="utf-8")
    assert f"guard {view.number} of PS1015, mis: loss 2 %, flat" in shown
    assert verified(written.folder, written.seal) == 0


async def test_an_order_without_a_plan_has_evidence_too(tmp_path: Path) -> None:
    from data.vocabulary import FlattenWhat, HaltScope, Product
    from tests.desks import in_time

    async with paper_desk(tmp_path / "home") as desk:
        client = desk.clients.find("PS1015").id
        intraday = buy("TCS", SizingKind.FIXED_QUANTITY, 1, client, product=Product.MIS)
        await carry_out(desk, intraday)
        number = await desk.flatten.start(HaltScope.CLIENT, str(client), FlattenWhat.MIS)
        await in_time(desk, desk.flatten.follow(number))
        exit_order = next(one for one in desk.orders.all(client_id=client) if one.plan_number is None)
        written = await desk.evidence.write(exit_order.id)
        assert written.folder.parent == desk.home / "exports" / "evidence"
        assert verified(written.folder, written.seal) == 0
