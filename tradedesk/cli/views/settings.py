"""The settings of a home and the keys of its screen, as documents show them."""

from msgspec import Struct


class SettingShape(Struct, frozen=True):
    """One setting: its value, where that comes from, and what it does."""

    key: str
    value: object
    source: str
    """`environment`, `config.toml` or `default`."""
    does: str


class ConfigShape(Struct, frozen=True):
    """All settings of a home, and what is wrong with them."""

    file: str
    settings: tuple[SettingShape, ...]
    problems: tuple[str, ...]


class CommandKeysShape(Struct, frozen=True):
    """The keys of a command under its id."""

    id: str
    keys: tuple[str, ...]
    does: str


class KeysShape(Struct, frozen=True):
    """The keys in force: the profile's with the trader's own over them, and what of those was not taken."""

    profile: str
    commands: tuple[CommandKeysShape, ...]
    problems: tuple[str, ...]
