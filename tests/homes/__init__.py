"""Homes that the first build wrote, packed, for whatever comes after it to open and bring up to date."""

import lzma
from pathlib import Path

HERE = Path(__file__).parent


def unpack(name: str, home: Path) -> Path:
    """The books of one such home in `home`, as the build left them; returns the desk's database.

    `paused`: a program that died with 43 orders of a paused run unsent, an order in doubt, two resting ones,
    lots bought and sold within the day, a client whose books differ from the broker's. `halted`: the same,
    closed in order under a standing halt of one client. `after_market`: four orders at Kite for the next
    session.
    """
    for packed in sorted(HERE.glob(f"{name}.*.db.xz")):
        (home / packed.name.removeprefix(f"{name}.").removesuffix(".xz")).write_bytes(
            lzma.decompress(packed.read_bytes())
        )
    return home / "desk.db"
