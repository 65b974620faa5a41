import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from libs.blobs import BlobCorrupt, BlobMissing, Blobs


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs((tmp_path / "made when missing").as_uri())


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)), bytes(5 * 2**20)], ids=len)
async def test_what_was_put_is_got_by_its_hash(blobs, data):
    sha256 = await blobs.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert await blobs.get(sha256) == data


async def test_what_is_put_again_or_at_once_is_there_once(blobs, tmp_path):
    hashes = await asyncio.gather(*(blobs.put(b"same") for _ in range(20)))
    assert len(set(hashes)) == 1
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 1


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "\0" * 64])
async def test_what_was_never_put_is_missing(blobs, sha256):
    with pytest.raises(BlobMissing):
        await blobs.get(sha256)


@pytest.mark.parametrize("damage", [b"some resul", b"", b"some resultx", b"Some result"])
async def test_bytes_that_changed_are_found_out(blobs, tmp_path, damage):
    """INVARIANT: the hash is checked on every read. Without it a broken disk changes what a fact cites."""
    sha256 = await blobs.put(b"some result")
    (file,) = (file for file in tmp_path.rglob("*") if file.is_file())
    file.write_bytes(damage)
    with pytest.raises(BlobCorrupt):
        await blobs.get(sha256)
    await blobs.put(b"some result")
    assert await blobs.get(sha256) == b"some result"


async def test_namespaces_do_not_see_each_other(tmp_path):
    one, other = Blobs(tmp_path.as_uri(), "one"), Blobs(tmp_path.as_uri(), "other")
    sha256 = await one.put(b"x")
    with pytest.raises(BlobMissing):
        await other.get(sha256)


async def test_the_bytes_and_every_name_that_leads_to_them_are_on_the_disk_before_it_is_told(blobs, monkeypatch):
    """INVARIANT: written before the fact that cites them; a crash of the machine leaves no fact without its bytes."""
    synced, sync = [], os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    sha256 = await blobs.put(b"x")
    assert synced == [sha256, sha256[:2], "made when missing"]
