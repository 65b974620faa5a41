"""Large results, kept under the SHA-256 of their bytes in a folder or an S3 bucket."""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, from_url

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BlobMissing(Exception):
    """No blob has this hash."""


class BlobCorrupt(Exception):
    """The stored bytes are not those that were put."""


class Blobs:
    """`url`: file:///folder (created when missing) or s3://bucket/prefix."""

    def __init__(self, url: str, namespace: str = "") -> None:
        self._folder: Path | None = None
        self._prefix = f"{namespace}/" if namespace else ""
        if urlsplit(url).scheme == "file":
            self._folder = Path(unquote(urlsplit(url).path))
            self._folder.mkdir(parents=True, exist_ok=True)
            self._store: obstore.store.ObjectStore = LocalStore(self._folder)
        else:
            self._store = from_url(url)

    async def put(self, data: bytes) -> str:
        """Returns the hash once the bytes are on stable storage."""
        sha256 = hashlib.sha256(data).hexdigest()
        await obstore.put_async(self._store, self._path(sha256), data)
        if self._folder is not None:
            await asyncio.to_thread(_sync, self._folder / self._path(sha256))
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Raises BlobMissing or BlobCorrupt."""
        if not _SHA256.fullmatch(sha256):
            raise BlobMissing(f"{sha256[:80]!r} is not a SHA-256 in 64 lower-case hexadecimal digits")
        try:
            result = await obstore.get_async(self._store, self._path(sha256))
        except (NotFoundError, FileNotFoundError) as error:
            raise BlobMissing(f"blob {sha256} is not stored; it was swept, or the store is another one") from error
        data = bytes(await result.bytes_async())
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobCorrupt(f"blob {sha256} holds other bytes than were put; restore it from a backup")
        return data

    async def stored(self) -> AsyncIterator[tuple[str, datetime]]:
        """Hashes of all blobs and when each was last put; those of other namespaces are none of ours."""
        async for page in obstore.list(self._store, prefix=self._prefix or None):
            for one in page:
                sha256 = one["path"].rpartition("/")[2]
                if _SHA256.fullmatch(sha256) and one["path"] == self._path(sha256):
                    yield sha256, one["last_modified"]

    async def is_older(self, sha256: str, than: datetime) -> bool:
        """Whether it is there, and was last put before."""
        try:
            found = await obstore.head_async(self._store, self._path(sha256))
        except (NotFoundError, FileNotFoundError):
            return False
        return found["last_modified"] < than

    async def remove(self, sha256: str) -> None:
        await obstore.delete_async(self._store, self._path(sha256))

    def _path(self, sha256: str) -> str:
        return f"{self._prefix}{sha256[:2]}/{sha256}"


def _sync(path: Path) -> None:
    """The file's bytes, then the names that lead to it."""
    for target in (path, path.parent, path.parent.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
