"""What being signed in adds to a command, what PyJWT would add to that, and what looking at a password takes.

A short read of a home with people reads who is signed in by its token first; one of a home without does not.
Both are run as processes of their own in turns, so that the machine's noise meets both alike; what the two
readers of a token take is processor time behind what a short read has imported anyway.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from data.clock import SystemClock
from data.secrets import PASSPHRASE_FILE
from data.sign_in.passwords import RFC_9106, hashed, set_cost
from data.sign_in.tokens import TokenClaims, new_key, signed
from tests.bench.frame import Aim, Bench, Figures

AIMS = (Aim("added to a short read", 50.0, "ms"),)
PASSWORD = "a password of the bench"

READING = """
import sys, time
import tradedesk.cli.short
from data.clock import SystemClock
from data.sign_in.tokens import read
reader, token, public = sys.argv[1:]
began = time.process_time()
if reader == "ours":
    read(token, {"bench": public}, "bench", SystemClock().now())
else:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    jwt.decode(token, key, algorithms=["EdDSA"], audience="bench")
print(time.process_time() - began)
"""
"""Reads one token with all that it takes to import the reader."""


def laid(home: Path, with_people: bool) -> dict[str, str]:
    """A demonstration's home, with its admin signed in where it has people; returns its environment."""
    secret = home.parent / f"{home.name}.passphrase"
    secret.write_text("a passphrase of the bench\n")
    secret.chmod(0o600)
    environment = {**os.environ, "TRADEDESK_HOME": str(home), PASSPHRASE_FILE: str(secret)}
    command(environment, "init", "--demo")
    if with_people:
        command(environment, "people", "add", "asha", "--role", "admin", "--password-stdin", given=PASSWORD)
    return environment


def reading(reader: str) -> float:
    """Seconds of the processor that one reader takes for one token, in a process of its own."""
    private, public = new_key()
    now = SystemClock().now().replace(microsecond=0)
    token = signed(
        TokenClaims("asha", "0" * 32, 1, "bench", now, now + timedelta(minutes=30)), "bench", private
    )
    words = [sys.executable, "-c", READING, reader, token, public]
    return float(subprocess.run(words, text=True, check=True, capture_output=True).stdout)


def command(environment: dict[str, str], *words: str, given: str = "") -> float:
    """Run a command as a trader does; returns its seconds."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tradedesk.cli", *words],
        env=environment,
        input=given,
        text=True,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Two homes for all rounds: reading changes neither."""
    set_cost(RFC_9106)
    with tempfile.TemporaryDirectory() as folder:
        alone, many = (laid(Path(folder) / name, name == "many") for name in ("alone", "many"))
        for environment in (alone, many):
            command(environment, "funds", "--json")

        def measure() -> Figures:
            added = [command(many, "funds", "--json") - command(alone, "funds", "--json") for _ in range(9)]
            began = time.perf_counter()
            hashed(PASSWORD)
            looked = time.perf_counter() - began
            ours, theirs = (min(reading(one) for _ in range(5)) for one in ("ours", "PyJWT"))
            return {
                "added to a short read": statistics.median(added) * 1000,
                "a token ms": ours * 1000,
                "by PyJWT ms": theirs * 1000,
                "a password ms": looked * 1000,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
