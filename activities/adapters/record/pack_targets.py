"""Where evidence packs go: a directory, or a bucket that speaks S3."""

import asyncio
import os
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from activities.ports.record import PackTarget
from infra.runtime.errors import ConfigurationError
from infra.runtime.files import write_atomically

S3 = "s3"
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class DirectoryTarget:
    """Implement ``PackTarget``: files for their owner only, each written whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def read(self, name: str) -> bytes | None:
        """Return a file, None when there is none."""
        try:
            return await asyncio.to_thread((self._directory / name).read_bytes)
        except FileNotFoundError:
            return None

    async def write(self, name: str, content: bytes) -> None:
        """Write a file whole."""
        await asyncio.to_thread(self._write, self._directory / name, content)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, content, 0o600)


class BucketTarget:
    """Implement ``PackTarget`` over S3: credentials and region come from boto3's own places.

    Args:
        bucket: its name.
        prefix: what stands before each name, without a slash at the end.
        endpoint: address of a server that is not Amazon's, None for theirs.
    """

    def __init__(self, bucket: str, prefix: str, endpoint: str | None = None) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._endpoint = endpoint
        self._client: Any = None

    async def read(self, name: str) -> bytes | None:
        """Return an object, None when there is none."""
        return await asyncio.to_thread(self._read, self._key(name))

    async def write(self, name: str, content: bytes) -> None:
        """Put an object, which is there whole or not at all; its checksum goes with it."""
        await asyncio.to_thread(self._write, self._key(name), content)

    def _key(self, name: str) -> str:
        return str(PurePosixPath(self._prefix) / name) if self._prefix else name

    def _read(self, key: str) -> bytes | None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._connected().get_object(Bucket=self._bucket, Key=key)
            return bytes(answer["Body"].read())
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) in _MISSING:
                return None
            raise OSError(f"{self._bucket}/{key} cannot be read: {error}") from None
        except BotoCoreError as error:
            raise OSError(f"{self._bucket}/{key} cannot be read: {error}") from None

    def _write(self, key: str, content: bytes) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._connected().put_object(
                Bucket=self._bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256"
            )
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"{self._bucket}/{key} cannot be written: {error}") from None

    def _connected(self) -> Any:
        # Imported late: it is heavy, and few write to a bucket.
        import boto3

        if self._client is None:
            self._client = boto3.session.Session().client("s3", endpoint_url=self._endpoint)
        return self._client


def pack_target(place: str) -> PackTarget:
    """Return the target of a path, or of ``s3://BUCKET/PREFIX``.

    ``AWS_ENDPOINT_URL_S3`` names a server that is not Amazon's.

    Raises:
        ConfigurationError: it is neither.
    """
    parts = urlsplit(place)
    if parts.scheme == S3:
        if not parts.netloc:
            raise ConfigurationError("a bucket is named as s3://BUCKET/PREFIX")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
        return BucketTarget(parts.netloc, parts.path.strip("/"), endpoint)
    if parts.scheme and "://" in place:
        raise ConfigurationError("a pack goes to a directory, or to s3://BUCKET/PREFIX")
    return DirectoryTarget(Path(place).expanduser().resolve())
