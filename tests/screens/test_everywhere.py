"""What holds in every screen, modal, field and card: F9 and its twin halt."""

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import PARTS, PLACES, UNSEEN, Visit, classes
from tradedesk.app.halting import Halting
from tradedesk.compose.settings import Settings
from widgets.numberfield import NumberField
from widgets.statusstrip import StatusStrip


def test_no_screen_and_no_card_is_missing() -> None:
    missing = {found.__name__ for found in classes()} - {kind.__name__ for kind, _ in PLACES.values()}
    assert missing == {found.__name__ for found in UNSEEN}, "give it a line in tests/screens/places.py"


def is_armed(bench: PaperBench) -> bool:
    """Whether the strip says so, on the uppermost screen that has one."""
    strips = [one for screen in bench.app.screen_stack for one in screen.query(StatusStrip)]
    return strips[-1].mode == "armed"


@pytest.mark.parametrize("places", further(PARTS))
async def test_f9_and_its_twin_halt_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: tuple[str, ...]
) -> None:
    """Twice pressed it halts, whatever has the focus; Esc stands down and closes nothing meanwhile."""
    fired: list[str] = []
    place = ""

    def fire(halting: Halting) -> int:
        fired.append(place)
        return 0

    def show_nothing(halting: Halting, after: int) -> None:
        halting.stand_down()

    monkeypatch.setattr(Halting, "cancel_all", fire)
    monkeypatch.setattr(Halting, "show", show_nothing)
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        visit = Visit(bench)
        await visit.furnish()
        for place in places:
            await visit.open(place)
            screen, card = bench.app.screen, bench.card
            for first, second in (("f9", "f9"), ("ctrl+g", "ctrl+g")):
                before = len(fired)
                await bench.keys(first, apart=0.3)
                assert is_armed(bench), f"{place}: {first} does not arm"
                await bench.keys(second, apart=0.3)
                await bench.clock.advance(0.1)
                await bench.settle()
                assert fired[before:] == [place], f"{place}: {first} {second}"
            await bench.keys("f9", "escape", apart=0.3)
            assert not is_armed(bench), f"{place}: Esc does not stand down"
            assert (bench.app.screen, bench.card) == (screen, card), f"{place}: Esc closed it"
            await bench.pass_time(0.1)
            await visit.leave()
        assert len(fired) == 2 * len(places)


@pytest.mark.proof
async def test_a_sign_in_a_field_is_no_key_of_a_profile(tmp_path: Path) -> None:
    """In ODIN's keys `+` and `-` are tickets: where a field takes text or numbers they open none."""
    async with opened_on_paper(tmp_path, settings=Settings(keys="odin")) as bench:
        visit = Visit(bench)
        await visit.furnish()
        tried = 0
        for place in PLACES:
            await visit.open(place)
            app = bench.app
            screen, card = app.screen, bench.card
            for field in [one for one in screen.focus_chain if isinstance(one, Input | NumberField)]:
                if not field.is_attached or not field.display:
                    continue
                field.focus()
                await bench.settle()
                if app.focused is not field:
                    continue
                tried += 1
                await bench.keys("plus", "minus", apart=0.3)
                assert (app.screen, bench.card) == (screen, card), f"{place}: {field}"
            await visit.leave()
        assert tried > 20
