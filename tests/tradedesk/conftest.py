from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from cli_desk import Terminal

from tests.books import copied_home, new_books_copied


@pytest.fixture(autouse=True, scope="session")
def commands_built_once() -> Iterator[None]:
    """The tree of commands is built once a process, as by an app that answers them, not once a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared demonstration, to be copied."""
    home = tmp_path_factory.mktemp("demo") / "home"
    Terminal(home).done("init", "--demo", "--bare")
    return home


@pytest.fixture
def demo(demo_home: Path, tmp_path: Path) -> Iterator[Terminal]:
    """The command line on a demonstration of its own."""
    with copied_home(demo_home, tmp_path / "home") as home:
        yield Terminal(home)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Terminal]:
    """The command line on a home that does not exist yet."""
    with new_books_copied():
        yield Terminal(tmp_path / "home")
