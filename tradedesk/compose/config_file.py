"""A setting changed in `config.toml` by the program: its value alone, all else in the file stays as it is."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args, get_origin

from data.errors import BadInput
from data.home import settings_file
from data.writing.whole_file import put_whole
from tradedesk.compose.settings import Settings, given_in, settings_of

OF_THE_VENUE = frozenset({"market", "kite_url", "upstox_url", "groww_url"})
"""Settings of where a home's orders go, which its books alone decide once there are some."""

ON_OR_OFF = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}
"""How a switch is typed."""

TEXTS_ONLY = "write it into config.toml by hand"
"""What is said of a setting whose value is no single word or number."""


def keep_setting(home: Path, key: str, typed: str) -> Settings:
    """Change one setting of a home's file as it was typed; returns the settings that hold now.

    Raises `BadInput` naming the setting and what would be right, also where the environment says otherwise or
    the books belong to another venue; then the file is as it was.
    """
    path = settings_file(home)
    key = key.casefold()
    given = given_in(path)
    value = typed_value(key, typed)
    if _in_environment().get(key, typed) != typed:
        raise BadInput(
            f"setting {key}", typed, f"TRADEDESK_{key.upper()} in the environment goes over the file"
        )
    settings = settings_of({**given, key: value}, path)
    if key in OF_THE_VENUE:
        from tradedesk.compose.wiring import (
            check_belongs,  # all that opens a desk, for the few who name a venue
        )

        check_belongs(home, settings)
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    changed = with_value(text, key, value)
    if changed != text:
        put_whole(path, changed)
    return settings


NOTHING = "none"
"""What is typed for a list with nothing in it."""

Value = str | bool | int | float | list[str]


def typed_value(key: str, typed: str) -> Value:
    """A setting's value as it was typed, a list with commas between. Raises `BadInput` for an unknown one."""
    field = Settings.model_fields.get(key)
    if field is None:
        raise BadInput("setting", key, f"choose one of {', '.join(Settings.model_fields)}")
    kind = field.annotation
    if get_origin(kind) is tuple and get_args(kind)[1:] == (...,):
        words = [word.strip() for word in typed.split(",") if word.strip()]
        return [] if typed.strip().casefold() == NOTHING else words
    if key == "keymap" or get_origin(kind) is tuple:
        raise BadInput(f"setting {key}", typed, TEXTS_ONLY)
    if kind is bool:
        if typed.casefold() not in ON_OR_OFF:
            raise BadInput(f"setting {key}", typed, "say on or off")
        return ON_OR_OFF[typed.casefold()]
    if kind in (int, float):
        if not typed.isascii() or "_" in typed:  # Python would take both for numbers
            raise BadInput(f"setting {key}", typed, "give a number")
        try:
            return int(typed) if kind is int or typed.isdigit() else float(typed)
        except ValueError:
            raise BadInput(f"setting {key}", typed, "give a number") from None
    return typed


def with_value(text: str, key: str, value: Value) -> str:
    """The text of a file with one top-level value set; comments, order and all other lines stay.

    Raises `BadInput` where the value cannot be found in it without a doubt, as one over several lines.
    """
    wanted = {**_values(text), key: value}
    for changed in _ways(text, key, _literal(value)):
        with suppress(tomllib.TOMLDecodeError):
            if _values(changed) == wanted:
                return changed
    raise BadInput(f"setting {key}", value, TEXTS_ONLY)


def _values(text: str) -> dict[str, Any]:
    return {name.lower(): each for name, each in tomllib.loads(text).items()}


def _ways(text: str, key: str, literal: str) -> Iterator[str]:
    """The text with the value in each line that may be the setting's; at last with a line of its own."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    top = next((place for place, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    setting = re.compile(rf"""(\s*["']?{re.escape(key)}["']?\s*=\s*)(.*)""", re.IGNORECASE)
    for place, line in enumerate(lines[:top]):
        if found := setting.match(line.rstrip("\r\n")):
            changed = f"{found[1]}{literal}{_comment_behind(found[2])}{end}"
            yield "".join((*lines[:place], changed, *lines[place + 1 :]))
    place = top
    while top < len(lines) and place and lines[place - 1].lstrip()[:1] in ("", "#"):
        place -= 1  # what stands right above a table is said of that table
    before = "".join(lines[:place])
    if before and not before.endswith(("\n", "\r")):
        before += end
    yield f"{before}{key} = {literal}{end}{''.join(lines[place:])}"


def _comment_behind(rest: str) -> str:
    """The comment behind a value on one line, with the blanks before it."""
    quote = ""
    for place, sign in enumerate(rest):
        if quote:
            quote = "" if sign == quote and (quote == "'" or rest[place - 1] != "\\") else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            value = rest[:place].rstrip()
            return rest[len(value) :]
    return ""


def _literal(value: Value) -> str:
    """A value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | list) else repr(value)


def source_of(key: str, given: Mapping[str, object]) -> str:
    """Where a setting's value comes from: `environment`, `config.toml` (which says `given`) or `default`."""
    if key in _in_environment():
        return "environment"
    return "config.toml" if key in given else "default"


def _in_environment() -> dict[str, str]:
    """What the environment says of settings, by key in small letters."""
    told = {name.upper(): value for name, value in os.environ.items() if value}
    return {
        name.removeprefix("TRADEDESK_").lower(): value
        for name, value in told.items()
        if name.startswith("TRADEDESK_")
    }
