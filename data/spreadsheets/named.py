"""Files that lines typed in the app name: anywhere, or in the one folder that a home keeps them to.

Where whoever sits at a desk has no shell, what a file says is else told by what is wrong with it as a list.
"""

from pathlib import Path

from data.errors import BadInput

_folder: Path | None = None


def keep_files_in(folder: Path | None) -> None:
    """Have files that people name be in this folder alone from here on; with None they may be anywhere."""
    global _folder
    _folder = None if folder is None else folder.expanduser().resolve()


def named_file(path: Path, field: str = "file") -> Path:
    """A file as somebody has named it, wherever links lead; a folder of the home's is where it begins.

    Raises `BadInput` for one elsewhere, which says nothing of whether it is there.
    """
    if _folder is None:
        return path.expanduser()
    found = (_folder / path).resolve()
    if found != _folder and not found.is_relative_to(_folder):
        raise BadInput(field, str(path), f"give a file in {_folder}: this desk takes no other")
    return found
