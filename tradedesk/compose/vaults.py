"""Where the secrets of a home are, as its settings say: on this machine, or in rows that desks share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import BadInput
from data.secrets import Vault, VaultState, open_vault, vault_state
from tradedesk.compose.settings import Settings

if TYPE_CHECKING:
    from data.server.secret_rows import SecretRows

ROWS = "rows"


def vault_at(home: Path, settings: Settings, passphrase: Callable[[], str] | None = None) -> Vault:
    """The vault of a home. Raises `BadInput` where it cannot be used."""
    if settings.vault == ROWS:
        return secret_rows(settings)
    return open_vault(home, passphrase, settings.vault)


def vault_standing(home: Path, settings: Settings) -> VaultState:
    """Where this home's secrets are or would be, why, and what is to be done."""
    if settings.vault != ROWS:
        return vault_state(home, settings.vault)
    try:
        rows = secret_rows(settings)
        try:
            count, unreadable = rows.unreadable()
        finally:
            rows.close()
    except BadInput as problem:
        return VaultState(ROWS, False, f"{problem.field}: {problem.expected}")
    if unreadable:
        named = ", ".join(unreadable[:3])
        todo = f"name the file of the key that sealed them as wrapping_key_file, or keep them again: {named}"
        return VaultState(ROWS, False, f"{rows.why}: {len(unreadable)} of {count} do not open", todo)
    return VaultState(ROWS, True, f"{rows.why}: all {count} open")


def secret_rows(settings: Settings) -> "SecretRows":
    """The sealed rows of the server that the settings name. Raises `BadInput`."""
    if not settings.database_url:
        raise BadInput("vault", ROWS, "it takes books on a server: set database_url, or give auto")
    if settings.wrapping_key_file is None:
        expected = "name the file with the key of the secrets (`tradedesk secrets make-key FILE` makes one)"
        raise BadInput("wrapping_key_file", "", expected)
    from data.server.secret_rows import SecretRows, read_key
    from tradedesk.compose.server import server_at

    key = read_key(settings.wrapping_key_file.expanduser())
    return SecretRows(server_at(settings.database_url), key)
