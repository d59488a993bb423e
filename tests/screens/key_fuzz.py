"""A hail of keys from a seed: nothing is sent without typed words, the app stays up, and F9 works at the end.

The suite runs a few short ones. By hand, for as long as wanted:

    python -m tests.screens.key_fuzz --seeds 1-50 --bursts 200
    python -m tests.screens.key_fuzz --seeds 1-3 --bursts 60 --places
"""

import argparse
import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from itertools import product
from pathlib import Path
from random import Random
from string import punctuation
from tempfile import TemporaryDirectory
from typing import Any

from textual.keys import _character_to_key

from data.vocabulary import OrderState, Product, RunCount, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing
from screens.flatten.screen import FlattenScreen
from screens.frame.cards.confirm import YesCard
from screens.matrix.screen import MatrixScreen
from screens.ticket.review import ReviewCard
from tests.desks import buy
from tests.resting import RestingLoop
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tests.screens.places import PLACES, Visit
from tradedesk.app.keymap import all_commands, keys_of
from tradedesk.app.keystream import PASTE_S

SIZES = ((120, 40), (80, 24), (200, 50), (60, 20), (30, 20), (25, 12), (20, 5))

FIELD_KEYS = (
    *(
        "enter",
        "escape",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "pageup",
        "pagedown",
    ),
    *("backspace", "delete", "space", "ctrl+u", "ctrl+w", "ctrl+a", "ctrl+k", *"0123456789"),
)
"""Keys of fields and grids, which come as often as all commands together."""

CHARACTERS = {_character_to_key(one): one for one in punctuation}
"""The characters of keys that have a name, as a terminal sends them along."""

NASTY: tuple[tuple[str, ...], ...] = (
    ("ctrl+p", "enter", "enter"),
    (":", "y", "enter", "ctrl+p", "r", "h", "enter", "enter"),
    ("ctrl+p", "escape", "escape", "enter"),
    ("b", "5", "0", "5", "enter", "y"),
    ("s", "1", "enter", "y", "y"),
    ("b", *"PS1015", "enter", "enter", "y"),
    ("x", "y"),
    ("e", "enter", "y"),
    ("X", "enter", "enter"),
    ("p", "p", "enter", "enter"),
    ("r", "enter", "enter", "y"),
    ("v", "enter", "enter"),
    ("l", "enter", "enter"),
    ("f9", "x", "f9"),
    ("f9", "tab", "ctrl+g", "escape"),
    ("g", "z"),
    ("g", "f9", "d"),
    ("2", "5", "3"),
    ("/", "r", "e", "l", "enter", "enter"),
    ("?", "?", "escape", "escape"),
    ("f1", "f1", "f3", "f4", "f6", "f8"),
    ("q", "enter", "escape", "q"),
    ("ctrl+q", "y", "enter", "ctrl+q"),
    (".", "enter", "enter", "enter"),
    (":", *"run 1", "enter", "enter"),
    (":", *"reverse 1", "enter", "enter"),
    (":", *"certificate", "enter", "escape", "escape"),
    ("7", "r", "enter", "enter"),
    ("7", "d", "enter", "enter"),
    ("u", "enter", "enter", "escape", "escape"),
    ("B", "enter", "tab", "e", "3", "enter"),
    ("B", "enter", "tab", "a", "m", "d", "A"),
    ("S", "tab", "9", "9", "enter", "escape"),
    ("escape",) * 6,
    ("enter",) * 5,
    ("tab",) * 9,
    ("right",) * 6,
    ("}", "{", "insert", "delete"),
    ("5", ",", ",", "enter", "enter"),
    ("5", "e", "plus", *"ITC", "enter", "9", "enter", "enter"),
    ("5", "B", "enter", "enter", "a", "d", "r"),
    ("5", "S", "tab", "tab", "escape", "escape"),
    ("f7", "enter", "enter"),
    ("ctrl+r", "enter", "escape", "escape"),
    (":", *"flatten desk all", "enter", "enter", "c", "t"),
    (":", *"basket", "enter", "tab", "5", "enter"),
    (":", *"theme", "enter", "right", "right", "enter"),
    (":", *"profile odin", "enter", "f1", "f2"),
    (":", *"set flash off", "enter"),
    ("3", "*", "E", "enter", "enter"),
    ("ctrl+o", "5", "1", "ctrl+o"),
    ("ctrl+o", "c", "t"),
    ("!", "h", "H", "right", "enter", "d"),
    ("semicolon", "semicolon", "z", "semicolon", "b"),
    (":", *"groups", "enter", "plus", "enter", "delete", "enter"),
    (":", *"equity", "enter", "comma", "tab", "t"),
    (":", *"log", "enter", "down", "enter", "enter"),
    (":", *"chart INFY", "enter", "comma", "right", "end"),
    (":", *"client AM1042 pause", "enter", "enter", "enter"),
    (":", *"client PS1015 close", "enter", "y", "enter"),
    (":", *"convert all mis cnc", "enter", "enter", "y"),
    (":", *"note AM1042", "enter", *"he called", "enter"),
    (":", *"columns", "enter", "space", "enter"),
    ("9", "f", *"action:run", "enter", "enter", "t"),
    ("7", "e", "tab", "tab", "1", "enter", "enter"),
    ("7", "plus", "tab", *"X1", "enter", "enter"),
    ("7", "n", *"call", "enter"),
    ("1", "shift+tab", "e", *"Mine", "enter", "enter"),
    ("1", "shift+tab", "comma", "space", "down", "enter"),
    ("f5", "enter", "f5", *"Two", "enter"),
    ("?", *"canc", "down", "enter"),
    ("ctrl+l", "enter", "escape"),
)


def letters() -> list[str]:
    """Every key that some command has, but those that halt, which have their own sequences."""
    keys = {key for command in all_commands().values() for key in keys_of(command)}
    return sorted({CHARACTERS.get(key, key) for key in keys} - {"f9", "ctrl+g"})


def bursts(random: Random, count: int) -> Iterator[tuple[tuple[str, ...], float]]:
    """Keys with the seconds between them: by hand, or all in one piece."""
    commands = letters()
    for _ in range(count):
        apart = random.choice((0.0001, 0.01, 0.2))
        if random.random() < 0.4:
            yield random.choice(NASTY), apart
        else:
            length = random.choice((1, 1, 2, 3, 6))
            yield (
                tuple(random.choice((commands, FIELD_KEYS)[random.random() < 0.5]) for _ in range(length)),
                apart,
            )


async def plain(bench: Bench) -> None:
    """Nothing has happened yet."""


async def resting(bench: Bench) -> None:
    """Live orders stand at the brokers."""
    await bench.rest_orders("AM1042", "RG1008", "AP1022")


async def paused(bench: Bench) -> None:
    """A run is paused with most of its orders unsent."""
    await bench.pass_time(0.3)
    sizing = Sizing(SizingKind.FIXED_QUANTITY, 1)
    plan = await bench.desk.plans.freeze(Intent(Side.BUY, "NSE:TCS", sizing, selection=Selection()))
    run = await bench.desk.runs.start(plan, plan.digest)
    await bench.desk.runs.pause(run.number)
    await bench.pass_time(0.3)
    assert bench.desk.runs.get(run.number).counts[RunCount.UNSENT]


async def halted(bench: Bench) -> None:
    """The desk is halted, with its certificate on the screen."""
    await resting(bench)
    await fire(bench)


async def basket(bench: Bench) -> None:
    """A basket's plan in the matrix waits for its answer, over live orders."""
    await resting(bench)
    bench.app.run_command("basket buy RELIANCE:5% TCS:5%")
    await bench.pass_time(0.5)
    assert isinstance(bench.screen, MatrixScreen)


async def flattening(bench: Bench) -> None:
    """A flatten waits for its answer."""
    await bench.pass_time(0.3)
    client = bench.desk.clients.find("AM1042").id
    order = buy("TCS", SizingKind.FIXED_QUANTITY, 4, client, product=Product.MIS)
    plan = await bench.desk.plans.freeze(order)
    run = await bench.desk.runs.start(plan, plan.digest)
    await bench.until(lambda: bench.desk.runs.get(run.number).finished_at is not None)
    bench.app.run_command("flatten desk")
    await bench.until(lambda: "flat 1" in bench.text)
    assert isinstance(bench.screen, FlattenScreen)


SCENES: tuple[Callable[[Bench], Coroutine[Any, Any, None]], ...] = (
    *(plain, resting, paused, halted),
    *(basket, flattening),
)


async def fire(bench: Bench) -> None:
    """Press F9 twice, and see that it halts and cancels what is live."""
    before = bench.desk.halt.latest()
    await bench.keys("escape", "escape")
    bench.clock.shift(5)
    bench.at += 5
    await bench.f9()
    await bench.f9()

    def halted_anew() -> bool:
        latest = bench.desk.halt.latest()
        return latest is not None and (before is None or latest.number > before.number)

    await bench.until(halted_anew)
    await bench.until(lambda: bench.desk.counts().live == 0)


def sent(bench: Bench) -> set[int]:
    """Orders of which a byte may have left."""
    unsent = (OrderState.RESERVED, OrderState.DENIED)
    return {order.id for order in bench.desk.orders.all() if order.state not in unsent}


async def hail(seed: int, count: int) -> None:
    """One desk under `count` bursts. Raises `AssertionError` with the keys that led to what must not be."""
    random = Random(seed)
    scene, first_size = SCENES[seed % len(SCENES)], random.choice(SIZES[:3])
    async with opened(first_size) as bench:
        await scene(bench)
        known = sent(bench)
        typed: list[str] = []
        for keys, apart in bursts(random, count):
            known = await burst(bench, keys, apart, typed, known)
            if random.random() < 0.15:
                size = random.choice(SIZES)
                typed.append(f"{size[0]}x{size[1]}")
                await bench.pilot.resize_terminal(*size)
                await bench.settle()
        await bench.pilot.resize_terminal(80, 24)
        await press(bench, ("escape",) * 4, 0.2, typed)
        await fire(bench)
        assert bench.app.desk_is_open


async def hail_on(place: str, seed: int, count: int) -> None:
    """One desk on which `count` bursts are each typed at a place. Raises as `hail` does."""
    random = Random(f"{place} {seed}")
    with TemporaryDirectory() as folder:
        async with opened_on_paper(Path(folder), random.choice(SIZES[:3])) as bench:
            visit = Visit(bench)
            await visit.furnish()
            known, typed = sent(bench), [place]
            for keys, apart in bursts(random, count):
                if random.random() < 0.6:
                    await opened_anew(visit, place, typed)
                    typed.append("(opened)")
                known = await burst(bench, keys, apart, typed, known)
            await press(bench, ("escape",) * 4, 0.2, typed)
            await fire(bench)
            assert bench.app.desk_is_open


async def opened_anew(visit: Visit, place: str, typed: list[str]) -> None:
    """Go back to the Desk and open a place; what fails says which keys had been pressed before."""
    try:
        await visit.leave()
        await visit.open(place)
    except Exception as problem:
        raise AssertionError(f"{problem} after {typed[-25:]}") from problem


async def burst(
    bench: Bench, keys: tuple[str, ...], apart: float, typed: list[str], known: set[int]
) -> set[int]:
    """Press keys; nothing goes beside `known` without words. Returns what has gone by then."""
    before = bench.card
    await press(bench, keys, apart, typed)
    await bench.pass_time(0.1)
    bench.draw()
    # A `y` that was typed alone on a review that could be read is the trader's word.
    alone = keys == ("y",) or ("y" in keys and apart > PASTE_S)
    if alone and isinstance(before, (ReviewCard, YesCard)):
        await bench.pass_time(0.5)
        known = known | sent(bench)
    new = sent(bench) - known
    halted_them = {one for one in new if bench.desk.orders.get(one).state is OrderState.CANCELLED}
    assert not new - halted_them, f"orders {new} went out after {typed[-40:]}"
    return known


async def press(bench: Bench, keys: tuple[str, ...], apart: float, typed: list[str]) -> None:
    """Press keys; what fails says which had been pressed before."""
    typed.append(("+" if apart < 0.1 else " ").join(keys))
    try:
        await bench.keys(*keys, apart=apart)
        bench.at += 0.5
        bench.clock.shift(0.5)
    except Exception as problem:
        raise AssertionError(f"{bench.app.mending.faults or problem} after {typed[-25:]}") from problem
    assert bench.app.desk_is_open, f"the desk closed after {typed[-25:]}"


def main() -> None:
    """Run many seeds by hand and print those that found something."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", default="1-20", help="one seed, or the first and the last")
    parser.add_argument("--bursts", type=int, default=150)
    parser.add_argument("--places", nargs="*", help="each begins at one of these places; none named is all")
    chosen = parser.parse_args()
    first, _, last = chosen.seeds.partition("-")
    logging.basicConfig(level=logging.ERROR)
    seeds = range(int(first), int(last or first) + 1)
    places = PLACES if chosen.places == [] else chosen.places
    found = 0
    for seed, place in product(seeds, [None] if places is None else places):
        name = f"seed {seed}" if place is None else f"seed {seed}, {place}"
        hailed = hail(seed, chosen.bursts) if place is None else hail_on(place, seed, chosen.bursts)
        try:
            with asyncio.Runner(loop_factory=RestingLoop) as runner:
                runner.run(hailed)
        except Exception as problem:
            found += 1
            print(f"{name}: {problem}", flush=True)
        else:
            print(f"{name}: ok", flush=True)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
