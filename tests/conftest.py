"""What holds for every test: passphrases cost little, since none of them guards anything."""

from collections.abc import Iterator

import pytest

import data.secrets


@pytest.fixture(autouse=True, scope="session")
def cheap_passphrases() -> Iterator[dict[str, int]]:
    """Files of secrets made by tests ask for the least that is taken. Yields what is shipped."""
    shipped = dict(data.secrets._SCRYPT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.secrets._SCRYPT, "n", 2**10)
        yield shipped
