"""What is held by sector, of a client or of the desk: a bar a sector, and what its day has brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from data.money import BPS, half_up
from engine.accounts.sectors import by_sector
from engine.events import FundsChanged
from engine.words import formats
from engine.words.formats import MASK
from screens.desk.rows import direction, stale_words
from screens.frame.pane import Pane
from widgets.livegrid import Column, LiveGrid
from widgets.sparks import bar

if TYPE_CHECKING:
    from engine.accounts.sectors import SectorValue
    from engine.events import Event
    from screens.frame.shell import Shell

EVERY_S, CHANGED_EVERY_S = 5.0, 1.0
"""Seconds between two sums that only prices ask for, and between two while shares come and go."""
SHARE_CELLS = 10
GAIN_CELLS = 10
"""Cells of the bars."""


class SectorPane(Pane):
    """The sectors, the largest first. A screen calls `show` with whose they are, `heard` with events."""

    def __init__(self, shell: Shell, client_id: int | None = None, *, takes_focus: bool = False) -> None:
        """Of the whole desk without a client; where it takes no focus its rows are for the eye alone."""
        super().__init__("sectors-pane")
        self._shell = shell
        self._client_id = client_id
        self._can_focus = takes_focus
        self._changed = False
        self._summed_at = float("-inf")
        self._masked = False
        self.sectors: dict[str, SectorValue] = {}
        """What is shown, by name."""

    def compose(self) -> ComposeResult:
        """A row a sector."""
        yield LiveGrid(
            sector_columns(self.sectors, lambda: self._shell.privacy),
            monotonic=self._shell.monotonic,
            markable=False,
            hint="nothing is held: B buys for many clients",
            id="sectors",
        )

    def on_mount(self) -> None:
        """Tab passes by what is for the eye."""
        self.query_one(LiveGrid).can_focus = self._can_focus

    def show(self, client_id: int | None) -> None:
        """Turn to another client, or to the desk."""
        if client_id != self._client_id:
            self._client_id, self._summed_at = client_id, float("-inf")

    def heard(self, event: Event) -> None:
        """Remember that shares have come or gone."""
        if isinstance(event, FundsChanged) and (
            self._client_id is None or self._client_id in event.client_ids
        ):
            self._changed = True

    def on_frame(self) -> bool:
        """Sum up anew where it is seen and the sum is old enough. Returns whether it did."""
        age = self._shell.monotonic() - self._summed_at
        young = age < (CHANGED_EVERY_S if self._changed else EVERY_S)
        if not self.size or (young and self._masked == self._shell.privacy):
            return False
        self._sum_up()
        return True

    def _sum_up(self) -> None:
        self._changed, self._summed_at = False, self._shell.monotonic()
        self._masked = self._shell.privacy
        desk, client_id = self._shell.desk, self._client_id
        index = desk.market.index

        def sector_of(key: str) -> str:
            instrument = index.get(key)
            return instrument.sector if instrument else ""

        held = desk.holdings.all() if client_id is None else desk.holdings.of(client_id)
        found = {one.sector: one for one in by_sector(held, desk.valuation, sector_of)}
        self.sectors.clear()
        self.sectors.update(found)
        grid = self.query_one(LiveGrid)
        if set(grid.shown_keys) != found.keys():
            grid.set_rows({name: name for name in found})
        grid.apply(set(found))
        whole = sum(one.value_paise for one in found.values())
        worth = MASK if self._shell.privacy else formats.rupees(whole)
        of = "" if client_id is None else f" of {desk.clients.get(client_id).code}"
        stale = stale_words(desk, {holding.key for holding in held})
        self.set_title(f"Sectors{of} {len(found) or ''}".rstrip(), [f"shares {worth}{stale}"])


def sector_columns(sectors: Mapping[str, SectorValue], masked: Callable[[], bool]) -> list[Column]:
    """A sector's part of what is held, and its day; rows are keys of `sectors`."""

    def gain(name: str) -> int | None:
        return sectors[name].day_pnl_paise

    def gain_bar(name: str) -> str:
        most = max((abs(one.day_pnl_paise or 0) for one in sectors.values()), default=0)
        gained = abs(gain(name) or 0)
        return bar(half_up(gained * BPS, most), GAIN_CELLS).rstrip("·") if most else ""

    def style(name: str) -> str | None:
        return None if masked() else direction(gain(name))

    def value(name: str) -> int:
        return sectors[name].value_paise

    return [
        Column("sector", "sector", 18, lambda name: name, flex=True, sort=lambda name: name),
        Column("symbols", "stocks", 6, lambda name: str(sectors[name].symbols or ""), "right", priority=4),
        Column(
            "value",
            "shares",
            9,
            lambda name: MASK if masked() else formats.lakh(value(name)),
            "right",
            sort=value,
            priority=1,
        ),
        Column(
            "share", "%", 5, lambda name: formats.tenth_percent(sectors[name].share_bps), "right", sort=value
        ),
        Column(
            "bar",
            "of shares",
            SHARE_CELLS,
            lambda name: bar(sectors[name].share_bps, SHARE_CELLS),
            style=lambda _: "bar",
            priority=2,
        ),
        Column(
            "day",
            "day gross",
            10,
            lambda name: MASK if masked() else formats.or_blank(formats.signed, gain(name)),
            "right",
            style=style,
            sort=gain,
        ),
        Column("gain", "", GAIN_CELLS, gain_bar, style=style, priority=3),
    ]
