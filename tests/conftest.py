"""What holds for every test: passphrases cost little, since none of them guards anything."""

from collections.abc import Iterator

import pytest

import data.secrets


@pytest.fixture(autouse=True, scope="session")
def cheap_passphrases() -> Iterator[None]:
    """Files of secrets made by tests ask for the least that is taken; each file keeps its own cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.secrets._SCRYPT, "n", 2**10)
        yield
