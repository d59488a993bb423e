import shutil
from pathlib import Path

import pytest
from cli_desk import Terminal


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared demonstration, to be copied."""
    home = tmp_path_factory.mktemp("demo") / "home"
    Terminal(home).done("init", "--demo")
    return home


@pytest.fixture
def demo(demo_home: Path, tmp_path: Path) -> Terminal:
    """The command line on a demonstration of its own."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    return Terminal(home)


@pytest.fixture
def empty(tmp_path: Path) -> Terminal:
    """The command line on a home that does not exist yet."""
    return Terminal(tmp_path / "home")
