"""What `spacecom ingest` is pointed at, file by file: folders and archives are walked, nothing is unpacked to disk.

An archive is bounded before and while it is read: what a member claims and what it turns out to hold, its ratio to the
packed bytes, and the sum of all. One that lies inside another is not opened.
"""

import gzip
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from services.cli.client import Refused

MAX_FILE_BYTES = 256 * 2**20  # the readers' own limit; the service's is lower and says so itself
MAX_ARCHIVE_BYTES = 64 * 2**30
MAX_RATIO = 100  # element sets and weather pack to a tenth, the most regular file found to a thirtieth
RATIO_FROM_BYTES = 2**20
MANIFEST = "manifest.json"
_STAMP = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)T(\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?Z")


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    data: bytes
    available_at: datetime | None


def inputs(paths: list[Path]) -> Iterator[Input]:
    """Of each path in turn; those of a folder or an archive by name. Raises Refused."""
    for path in paths:
        try:
            known = None if path.is_dir() else _stated(path.parent).get(path.name) or stamped(path.name)
            yield from _of_folder(path) if path.is_dir() else _of_file(path, known)
        except OSError as error:
            raise Refused("UNREADABLE_FILE", f"{path} cannot be read: {error.strerror or error}; check it") from error
        except (EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, NotImplementedError) as error:
            raise Refused("UNREADABLE_FILE", f"{path} is a damaged archive: {error}; fetch it again") from error


def count(paths: list[Path]) -> int:
    """Files and archives that `inputs` opens."""
    return sum(sum(1 for _ in _files(path)) if path.is_dir() else 1 for path in paths)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != MANIFEST)


def _of_folder(folder: Path) -> Iterator[Input]:
    stated = _stated(folder)
    for file in _files(folder):
        name = file.relative_to(folder).as_posix()
        yield from _of_file(file, stated.get(name) or stamped(name))


def _stated(folder: Path) -> dict[str, datetime]:
    manifest = folder / MANIFEST
    return _manifest(str(manifest), manifest.read_bytes()) if manifest.exists() else {}


def _of_file(path: Path, available_at: datetime | None) -> Iterator[Input]:
    if zipfile.is_zipfile(path):
        yield from _of_zip(path)
    elif path.name.endswith((".tar", ".tar.gz", ".tgz")):
        yield from _of_tar(path)
    elif path.suffix == ".gz":
        with gzip.open(path) as packed:
            yield Input(str(path), _bounded(packed, str(path), path.stat().st_size), available_at)
    else:
        with path.open("rb") as file:
            yield Input(str(path), _bounded(file, str(path), 0), available_at)


def _of_zip(path: Path) -> Iterator[Input]:
    with zipfile.ZipFile(path) as archive:
        members = sorted((one for one in archive.infolist() if not one.is_dir()), key=lambda one: one.filename)
        _refuse_bomb(str(path), sum(one.file_size for one in members), path.stat().st_size)
        stated: dict[str, datetime] = {}
        for one in sorted(members, key=lambda one: one.filename != MANIFEST):
            name = f"{path}/{one.filename}"
            if one.flag_bits & 1:
                raise Refused("ENCRYPTED_ARCHIVE", f"{name} is encrypted; unpack it first")
            with archive.open(one) as member:
                data = _bounded(member, name, one.compress_size)
            if one.filename == MANIFEST:
                stated = _manifest(name, data)
            else:
                yield Input(name, data, stated.get(one.filename) or stamped(one.filename))


def _of_tar(path: Path) -> Iterator[Input]:
    """In the order of the archive, which cannot be read twice without unpacking; its manifest must come first."""
    packed, total = path.stat().st_size, 0
    stated: dict[str, datetime] = {}
    with tarfile.open(path) as archive:
        for one in archive:
            total += one.size
            _refuse_bomb(str(path), total, packed)
            member = archive.extractfile(one) if one.isreg() else None
            if member is None:
                continue
            name = f"{path}/{one.name}"
            data = _bounded(member, name, 0)
            if one.name.removeprefix("./") == MANIFEST:
                stated = _manifest(name, data)
            else:
                yield Input(name, data, stated.get(one.name.removeprefix("./")) or stamped(one.name))


def _bounded(file: IO[bytes] | gzip.GzipFile, name: str, packed: int) -> bytes:
    """The whole of it; what it claims of its size is not believed. `packed`: bytes it is made from, 0 when unpacked."""
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise Refused("TOO_LARGE", f"{name} has more than {MAX_FILE_BYTES} bytes; split it")
    if packed:
        _refuse_bomb(name, len(data), packed)
    return data


def _refuse_bomb(name: str, size: int, packed: int) -> None:
    if size > MAX_ARCHIVE_BYTES or (size > RATIO_FROM_BYTES and size > MAX_RATIO * packed):
        raise Refused(
            "ARCHIVE_BOMB",
            f"{name} holds {size} bytes in {packed}; at most {MAX_RATIO} times as many are unpacked, "
            f"and {MAX_ARCHIVE_BYTES} in all; unpack it yourself if you trust it",
        )


def stamped(name: str) -> datetime | None:
    """The time a file's name carries, as 20221104T1001Z, 20221104T100100Z or 2022-11-04T10-01-00Z."""
    found = _STAMP.search(Path(name).name)
    if not found:
        return None
    try:
        return datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]  # six numbers
    except ValueError:
        return None


def _manifest(name: str, data: bytes) -> dict[str, datetime]:
    """{"relative name": "2022-11-04T10:01:00Z"}."""
    try:
        return {str(file): datetime.fromisoformat(said).astimezone(UTC) for file, said in json.loads(data).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        what = 'an object of file names and times such as {"a.json": "2022-11-04T10:01:00Z"}'
        raise Refused("BAD_MANIFEST", f"{name} is not {what}: {error}") from error
