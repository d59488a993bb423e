"""Paths of a home are spelled in one place."""

import ast
from pathlib import Path

from data import home

ROOT = Path(__file__).parents[2]
PRODUCT = ("tradedesk", "screens", "widgets", "engine", "brokers", "data")
PATHS = (
    home.books_file,
    home.paper_exchange_file,
    home.halt_file,
    home.settings_file,
    home.calendar_file,
    home.secrets_file,
    home.spare_file,
    home.certificates_folder,
    home.exports_folder,
    home.backups_folder,
    home.recordings_folder,
    home.replays_folder,
    home.log_file,
    home.app_lock,
    home.schema_lock,
    home.backup_lock,
)


def test_every_path_of_a_home_is_inside_it_and_of_its_own() -> None:
    folder = Path("/somewhere")
    made = [path(folder) for path in PATHS]
    made += [home.engine_lock(folder, 1), home.engine_lock(folder, 2), home.sign_in_lock(folder, 1)]
    assert all(path.is_relative_to(folder) and path != folder for path in made)
    assert len(set(made)) == len(made)


def test_no_other_file_joins_a_name_of_a_home_to_a_folder() -> None:
    names = {part for path in PATHS for part in path(Path()).parts}
    joined = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for layer in PRODUCT
        for file in (ROOT / layer).rglob("*.py")
        if file != Path(home.__file__)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Constant)
        and node.right.value in names
        and not ast.unparse(node.left).startswith("files(")
    ]
    assert joined == []
