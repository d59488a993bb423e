"""Damaged archives: whatever is wrong in one is told in one way."""

import random
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from data.errors import BadInput
from data.keeping.zipped import DamagedZip, opened_zip


def packed(method: int) -> bytes:
    made = BytesIO()
    with ZipFile(made, "w", method) as archive:
        for name in ("a.xml", "b/c.xml"):
            archive.writestr(name, f"<row> {name}" * 200)
    return made.getvalue()


def read_all(raw: bytes) -> None:
    with opened_zip(BytesIO(raw)) as archive:
        for one in archive.infolist():
            if one.file_size < 1_000_000:
                archive.read(one)


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_no_damage_is_told_otherwise(method: int) -> None:
    whole, rng, told = packed(method), random.Random(method), 0
    read_all(whole)
    for _ in range(1500):
        changed = bytearray(whole)
        for _ in range(rng.choice((1, 2, 4))):
            changed[rng.randrange(len(whole))] = rng.randrange(256)
        try:
            read_all(bytes(changed))
        except DamagedZip as damage:
            told += bool(str(damage))
    assert told > 500


def test_what_is_refused_for_another_reason_is_told_as_it_is(tmp_path) -> None:
    with pytest.raises(BadInput, match="too long"), opened_zip(BytesIO(packed(ZIP_STORED))):
        raise BadInput("file", "x", "it is too long")
    with pytest.raises(FileNotFoundError), opened_zip(tmp_path / "none.zip"):
        pass
