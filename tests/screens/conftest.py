"""What holds for tests of screens: style sheets are parsed once a process, not once a test."""

from collections.abc import Iterator

import pytest

from tests.screens.sheets import parsed_once


@pytest.fixture(autouse=True, scope="session")
def sheets_parsed_once() -> Iterator[None]:
    """Textual parses the sheets anew for each app and each screen."""
    with parsed_once():
        yield
