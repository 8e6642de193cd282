"""Backups in a bucket that speaks S3. What is stored there is encrypted before it leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.backup.errors import BackupError, DamagedBackupError

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 10, 60, 5
MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Store:
    """One prefix of a bucket: ``PREFIX/BACKUP/OBJECT``. S3 stores an object whole or not at all."""

    def __init__(
        self, address: str, endpoint: str | None = None, credentials: Path | None = None
    ) -> None:
        """Prepare the client; nothing is asked yet.

        Args:
            address: ``s3://BUCKET/PREFIX``.
            endpoint: of a server that is not Amazon's.
            credentials: a file as of the AWS tools; without, their usual places.
        """
        place = urlsplit(address)
        self._bucket = place.netloc
        self._prefix = f"{place.path.strip('/')}/" if place.path.strip("/") else ""
        self._client = _client(endpoint, credentials)

    def put(self, name: str, content: bytes) -> None:
        """Store an object whole."""
        with _explained(name):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)

    def get(self, name: str) -> bytes:
        """Return an object's content."""
        with _explained(name):
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            content: bytes = found["Body"].read()
        return content

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""
        try:
            with _explained(name):
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
        except DamagedBackupError:
            return False
        return True

    def backups(self) -> Iterator[str]:
        """Yield the name of everything that looks like a backup, oldest first."""
        found = set()
        for page in self._pages(self._prefix, Delimiter="/"):
            found |= {one["Prefix"] for one in page.get("CommonPrefixes", ())}
        names = (one.removeprefix(self._prefix).strip("/") for one in found)
        # Some servers go on listing a folder that nothing is in any more.
        wanted = (name for name in names if not name.startswith("."))
        yield from sorted(name for name in wanted if self._holds_anything(name))

    def _holds_anything(self, backup: str) -> bool:
        prefix = f"{self._prefix}{backup}/"
        with _explained(backup):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)
        return bool(found.get("Contents"))

    def remove(self, backup: str, first: str) -> None:
        """Remove a backup; the object ``first`` goes before all others."""
        prefix = f"{self._prefix}{backup}/"
        keys = [one["Key"] for page in self._pages(prefix) for one in page.get("Contents", ())]
        with _explained(backup):
            for key in sorted(keys, key=lambda key: key != prefix + first):
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        with _explained(prefix):
            yield from pages.paginate(Bucket=self._bucket, Prefix=prefix, **options)


class _explained:  # noqa: N801  # reads as a statement
    """Turn what S3 refuses into an error that names the object."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            if {code, status} & MISSING and code != "NoSuchBucket":
                raise DamagedBackupError(f"{self._name} is missing in the bucket") from None
            raise BackupError(f"S3 refuses {self._name}: {code or status}") from None
        if isinstance(error, BotoCoreError):
            raise BackupError(f"S3 does not answer for {self._name}: {error}") from None


def _client(endpoint: str | None, credentials: Path | None) -> Any:
    import boto3  # takes half a second to load
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session()
    if credentials is not None:
        session.set_config_variable("credentials_file", str(credentials))
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"max_attempts": ATTEMPTS, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    region = session.get_config_variable("region") or "us-east-1"
    made = boto3.Session(botocore_session=session, region_name=region)
    return made.client("s3", endpoint_url=endpoint, config=config)
