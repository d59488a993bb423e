"""Whose paper reports are printed on: name, address, logo, colour and footer, a file of the home."""

import re
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from data.csvfiles import control_character, nearest
from data.errors import BadInput
from data.home import letterhead_file

MOST_LOGO_BYTES = 1_000_000

_Line = Annotated[str, Field(max_length=100)]
_DARK_ENOUGH = 0.45
"""Luminance above which white letters on a colour, or the colour's own on white, are hard to read."""


class Letterhead(BaseModel):
    """The paper of a firm. Colours are `#rrggbb`; the logo is a PNG or JPEG file beside this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60)] = "tradedesk"
    lines: Annotated[tuple[_Line, ...], Field(max_length=4)] = ()
    """Address, telephone, registration, one below the other."""
    colour: str = "#1f3a5f"
    """Of the name, of rules and of headings."""
    logo: str = ""
    footer: Annotated[str, Field(max_length=240)] = ""
    """What stands at the foot of every page."""

    @field_validator("colour")
    @classmethod
    def _a_colour(cls, text: str) -> str:
        if re.fullmatch(r"#[0-9a-fA-F]{6}", text) is None:
            raise ValueError("give a colour as #rrggbb, such as #1f3a5f")
        red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
        if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DARK_ENOUGH:
            raise ValueError("give a darker colour: text in it is hard to read on paper")
        return text.lower()

    @field_validator("name", "footer", "lines")
    @classmethod
    def _plain(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            if sign := control_character(text):
                raise ValueError(f"remove the control character {sign}")
        return value


def letterhead_of(home: Path) -> tuple[Letterhead, bytes | None]:
    """The home's letterhead and its logo's bytes, None without one. Raises `BadInput`."""
    path = letterhead_file(home)
    if not path.exists():
        return Letterhead(), None
    try:
        found = Letterhead.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(path.name, "", f"write it as TOML: {problem}") from None
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise BadInput(path.name, field, nearest(field, list(Letterhead.model_fields))) from None
        raise BadInput(
            f"{path.name}: {field}", first["input"], first["msg"].removeprefix("Value error, ")
        ) from None
    return found, _logo(path, found.logo)


def _logo(beside: Path, name: str) -> bytes | None:
    if not name:
        return None
    path = beside.parent / name
    if path.resolve().parent != beside.parent.resolve():
        raise BadInput(f"{beside.name}: logo", name, "give the name of a file beside it")
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{beside.name}: logo", name, f"it cannot be read: {problem.strerror}") from None
    if len(raw) > MOST_LOGO_BYTES:
        raise BadInput(
            f"{beside.name}: logo", name, f"give a picture of at most {MOST_LOGO_BYTES // 1000} kB"
        )
    if not raw.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise BadInput(f"{beside.name}: logo", name, "give a PNG or JPEG picture")
    return raw
