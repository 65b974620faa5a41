"""What a folder or an archive holds, and which archives are not opened to the end."""

import gzip
import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime

import pytest

from services.cli import bulk
from services.cli.client import Refused

FILES = {"a.tle": b"one", "20221104T1001Z.json": b"two", "sub/c.json": b"three"}
STATED = {"a.tle": "2022-11-03T20:00:00Z"}


def as_folder(place):
    for name, data in files().items():
        (place / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "in" / name).write_bytes(data)
    return place / "in"


def as_zip(place):
    with zipfile.ZipFile(place / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files().items():
            archive.writestr(name, data)
    return place / "in.zip"


def as_tar(place):
    with tarfile.open(place / "in.tar.gz", "w:gz") as archive:
        for name, data in files().items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return place / "in.tar.gz"


def files():
    return {bulk.MANIFEST: json.dumps(STATED).encode()} | FILES


@pytest.mark.parametrize("packed", [as_folder, as_zip, as_tar])
def test_a_folder_and_an_archive_hold_the_same_files_and_times(packed, tmp_path):
    found = sorted((one.data, one.available_at) for one in bulk.inputs([packed(tmp_path)]) if one.data != b"three")
    assert found == [
        (b"one", datetime(2022, 11, 3, 20, tzinfo=UTC)),
        (b"two", datetime(2022, 11, 4, 10, 1, tzinfo=UTC)),
    ]
    assert {one.data: one.available_at for one in bulk.inputs([packed(tmp_path)])}[b"three"] is None


def test_a_packed_file_is_read_as_what_is_in_it(tmp_path):
    (tmp_path / "a.tle.gz").write_bytes(gzip.compress(b"one"))
    assert [one.data for one in bulk.inputs([tmp_path / "a.tle.gz"])] == [b"one"]


@pytest.mark.parametrize("kind", ["zip", "gz", "tar.gz"])
def test_a_bomb_is_refused_before_it_fills_the_memory(kind, tmp_path, monkeypatch):
    """INVARIANT: what an archive unpacks to is bounded. A thousandth of a disk full of zeros fills the memory."""
    monkeypatch.setattr(bulk, "MAX_FILE_BYTES", 32 * 2**20)
    path, zeros = tmp_path / f"bomb.{kind}", bytes(16 * 2**20)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", zeros)
    elif kind == "gz":
        path.write_bytes(gzip.compress(zeros))
    else:
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("zeros")
            member.size = len(zeros)
            archive.addfile(member, io.BytesIO(zeros))
    with pytest.raises(Refused) as refused:
        list(bulk.inputs([path]))
    assert refused.value.reason == "ARCHIVE_BOMB"


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    path = as_zip(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24  # the uncompressed size in the central directory
    data[at : at + 4] = (1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(Refused):
        list(bulk.inputs([path]))


def test_a_damaged_archive_is_a_sentence_and_no_traceback(tmp_path):
    path = as_tar(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Refused, match="damaged"):
        list(bulk.inputs([path]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gp_2022-11-04T10-01-00Z.json", datetime(2022, 11, 4, 10, 1, tzinfo=UTC)),
        ("20221104T100105Z.csv", datetime(2022, 11, 4, 10, 1, 5, tzinfo=UTC)),
        ("20221104.csv", None),  # a day is no time
        ("20221304T1001Z.csv", None),
        ("2022-11-04T10-01-00.json", None),  # of no known zone
    ],
)
def test_a_name_tells_the_publication_only_where_it_is_plain(name, expected):
    assert bulk.stamped(name) == expected
