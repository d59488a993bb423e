"""Vaults of these tests open by a passphrase in a file."""

from pathlib import Path

import pytest

from tests.people.home_of_many import passphrase


@pytest.fixture(autouse=True)
def opened_vaults(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the passphrase; no test uses the machine's own keyring."""
    folder = tmp_path_factory.mktemp("passphrase")
    passphrase(folder, monkeypatch)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("TRADEDESK_SESSION", raising=False)
    return folder
