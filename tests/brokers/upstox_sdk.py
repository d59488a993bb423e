"""The proof by Upstox's official SDK: `python -m tests.brokers.upstox_sdk` prints what it sees."""

import sys
from pathlib import Path

from brokers.simulators.upstox.switches import DOUBTS
from tests.brokers.official_sdk import Proof, run

USER = "CK6443"
"""The demonstration's client who is signed in; its orders may come from anywhere here."""

PROOF = Proof(
    sdk="upstox-python-sdk==2.30.*",
    calls=Path(__file__).with_name("upstox_sdk_calls.py"),
    served="upstox",
    options=["--set", f'static_ips={{"{USER}": null}}', "--set", "rate_limits=false"],
    doubts=DOUBTS,
)

if __name__ == "__main__":
    sys.exit(run(PROOF))
