"""What an assistant's program may ask: commands that only look, done on the desk and audited one by one."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.errors import TradedeskError
from tradedesk.cli.hosted import answer
from tradedesk.cli.printing.output import Printer, jsonable, printer
from tradedesk.cli.views.plans import plan_shape
from tradedesk.socket.protocol import Effect, effect_of

if TYPE_CHECKING:
    from engine.desk import Desk


class CannotLook(TradedeskError):  # noqa: N818 - the desk's answer, told to the assistant's program
    """What was asked for cannot be shown; the words say why."""


class Looks:
    """Answers for one open desk: the documents that commands print with `--json`, as text."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    async def command(self, tool: str, *words: str | None) -> str:
        """What a command prints. Raises `CannotLook` where it is refused, or would do more than look."""
        typed = [word for word in words if word is not None]
        if effect_of(typed) is not Effect.READ:
            raise CannotLook(f"{' '.join(typed[:2])} does more than look")
        await self._desk.audit.note_look(tool, {"command": " ".join(typed)})
        kept = _Kept()
        before = printer.set(kept)
        try:
            code = await answer(self._desk, [*typed, "--json"])
        finally:
            printer.reset(before)
        if code or not kept.printed:
            raise CannotLook(kept.said.strip() or f"the desk answered with {code}")
        return kept.printed

    async def plan(self, number: int) -> str:
        """A stored plan with its lines. Raises `BadInput` where there is none."""
        await self._desk.audit.note_look("plan", {"number": number})
        return json.dumps(jsonable(plan_shape(await self._desk.plans.get(number))), ensure_ascii=False)


def option(name: str, value: str | None) -> str | None:
    """An option in one word, so that its value is no option itself; None where it is not given."""
    return None if value is None else f"--{name}={value}"


def safe_words(text: str) -> Sequence[str]:
    """Words to look for, none of which is an option."""
    return [word for word in text.split() if not word.startswith("-")]


class _Kept(Printer):
    """Keeps what a command prints."""

    def __init__(self) -> None:
        self.printed = self.said = ""

    @property
    def at_terminal(self) -> bool:
        return False

    @property
    def every_sign(self) -> bool:
        return True

    def out(self, text: str) -> None:
        self.printed += text

    def err(self, text: str) -> None:
        self.said += text
