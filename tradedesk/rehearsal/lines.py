"""Lines of JSON between a rehearsal and its processes: a question a line, an answer a line."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Answers = Mapping[str, Callable[..., Awaitable[object]]]
"""By the word of a question what answers it; whatever else stands in its line is given by name."""

LONGEST_LINE = 1 << 27
"""Bytes: a ledger of a hundred thousand orders is one line."""


async def answer_lines(answers: Answers) -> None:
    """Answer questions from stdin in their turn, until there is nothing more.

    What an answer fails by is told to whoever asked, as words.
    """
    loop, questions = asyncio.get_running_loop(), asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    try:
        tell("ready")
        while line := await questions.readline():
            asked = json.loads(line)
            try:
                tell(await answers[asked.pop("do")](**asked))
            except Exception as problem:
                _tell({"problem": f"{type(problem).__name__}: {problem}"})
    finally:
        transport.close()


def tell(answer: object) -> None:
    """Answer."""
    _tell({"said": answer})


def _tell(line: object) -> None:
    print(json.dumps(line), flush=True)


class Silent(Exception):  # noqa: N818 - what has happened, as whoever asked meets it
    """A process has ended, or did not answer in time."""


class Spoken:
    """A process of the rehearsal that answers by lines; `name` is how it is told of."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name, self.process = name, process
        self._turn = asyncio.Lock()

    async def ask(self, word: str, within_s: float = 120.0, **given: object) -> Any:
        """What it answers. Raises `Silent` where it does not."""
        async with self._turn:
            assert self.process.stdin is not None
            try:
                self.process.stdin.write(json.dumps({"do": word, **given}).encode() + b"\n")
                await self.process.stdin.drain()
            except (ConnectionError, OSError) as problem:
                raise Silent(f"{self.name} has ended") from problem
            return await self.answer(within_s)

    async def answer(self, within_s: float = 120.0) -> Any:
        """What it says next. Raises `Silent`."""
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), within_s)
        except TimeoutError as problem:
            raise Silent(f"{self.name} said nothing for {within_s:g} s") from problem
        if not line:
            raise Silent(f"{self.name} has ended")
        told = json.loads(line)
        if "problem" in told:
            raise Silent(f"{self.name}: {told['problem']}")
        return told["said"]


def without_settings() -> dict[str, str]:
    """This process's environment, without what would change the settings of another home."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRADEDESK_")}
