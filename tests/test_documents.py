"""The documents name files that exist, each so that it is one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FOLDERS = [place for place in ROOT.iterdir() if place.is_dir() and not place.name.startswith(".")]
PLACES = {
    place
    for kind in ("py", "md", "toml")
    for places in (ROOT.glob(f"*.{kind}"), *(folder.rglob(f"*.{kind}") for folder in FOLDERS))
    for place in places
}
PATHS = {place.relative_to(ROOT).as_posix() for place in PLACES}

WRITTEN = [place for place in DOCUMENTS if place.name != "rooms.md"]
"""Those by hand; on the page of the rooms a file stands under its folder."""
CODE = {path for path in PATHS if path.endswith(".py") and not path.startswith("tests/")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", document.read_text()))
    missing = {name for name in named if not any(path == name or path.endswith(f"/{name}") for path in PATHS)}
    assert not missing


@pytest.mark.parametrize("document", WRITTEN, ids=lambda document: document.name)
def test_a_file_is_named_so_that_it_is_one(document: Path) -> None:
    """Where several files are called so, the paragraph has named the folder of one of them."""
    unclear: list[tuple[str, list[str]]] = []
    for paragraph in re.split(r"\n(?:\s*\n|(?=[*|-] ))", document.read_text(encoding="utf-8")):
        folders: set[str] = set()
        for name in re.findall(r"`((?:[a-z_]+/)+|(?:[a-z_]+/)*[a-z_]+\.py)`", paragraph):
            folders.add(name.rpartition("/")[0])
            found = [path for path in CODE if path.endswith(f"/{name}")]
            near = [path for path in found if path.removesuffix(f"/{name}") in folders]
            if len(found) > 1 and name not in CODE and len(near) != 1:
                unclear.append((name, sorted(found)))
    assert unclear == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
