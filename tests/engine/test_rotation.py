"""With which client a run began: by a seed that is kept, so that anybody can draw it again."""

from collections import Counter
from pathlib import Path
from random import Random

from data.vocabulary import SizingKind
from engine.execution.rotation import drawn
from tests.desks import buy, carry_out, paper_desk
from tradedesk.testing import seam


async def test_a_run_keeps_the_seed_and_the_start_of_its_rotation(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        book = seam(desk).kept.book
        row, orders = book.runs[run.number], [book.orders[one] for one in sorted(run.order_ids)]
        codes = sorted(desk.clients.get(one.client_id).code for one in orders)
        assert row.rotation_seed is not None
        assert row.rotation_start is not None
        assert row.rotation_start == drawn(row.rotation_seed, len(codes))
        first = desk.clients.get(orders[0].client_id).code
        assert first == codes[row.rotation_start], "who was reserved first is who was drawn"


def test_every_line_is_drawn_as_often_as_any_other() -> None:
    dice = Random(3)
    counts = Counter(drawn(dice.getrandbits(32), 7) for _ in range(7_000))
    assert set(counts) == set(range(7))
    assert all(850 < times < 1_150 for times in counts.values())
