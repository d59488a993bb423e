"""The proof by Groww's official SDK: `python -m tests.brokers.groww_sdk` prints what it sees."""

import sys
from pathlib import Path

from brokers.simulators.groww.switches import DOUBTS
from tests.brokers.official_sdk import Proof, run

USER = "DX1968"
"""The demonstration's client who is signed in; its orders may come from anywhere here."""

LEFT = ("mint_limits", "token_in_payload")
"""Each position begins with a sign-in, so that none is counted; the SDK reads a bare token alone."""

COUNTS = ["--set", "rate_limits=false", "--set", "mint_limits=false"]

PROOF = Proof(
    sdk="growwapi==1.5.*",
    calls=Path(__file__).with_name("groww_sdk_calls.py"),
    served="groww",
    options=["--set", f'static_ips={{"{USER}": null}}', *COUNTS],
    doubts=[doubt for doubt in DOUBTS if doubt.switch not in LEFT],
)

if __name__ == "__main__":
    sys.exit(run(PROOF))
