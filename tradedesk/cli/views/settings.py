"""The settings of a home and the keys of its screen, as documents show them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingShape:
    """One setting: its value, where that comes from, and what it does."""

    key: str
    value: object
    source: str
    """`environment`, `config.toml` or `default`."""
    does: str


@dataclass(frozen=True, slots=True)
class ConfigShape:
    """All settings of a home, and what is wrong with them."""

    file: str
    settings: tuple[SettingShape, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandKeysShape:
    """The keys of a command under its id."""

    id: str
    keys: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class KeysShape:
    """The keys in force: the profile's with the trader's own over them, and what of those was not taken."""

    profile: str
    commands: tuple[CommandKeysShape, ...]
    problems: tuple[str, ...]
