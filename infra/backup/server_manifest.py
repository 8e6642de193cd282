"""A base backup held against the manifest that PostgreSQL wrote with it.

What pg_verifybackup does, which ends with a segmentation fault in the build that the wheel brings
(18, on an intact copy too). The form is PostgreSQL's "Backup Manifest Format" (version 2).
"""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from infra.backup.errors import NotRestoredError
from infra.stack.postgres_binaries import binary_directory

FILE = "backup_manifest"
UNLISTED = {FILE, "postgresql.auto.conf", "standby.signal", "recovery.signal"}
"""What pg_verifybackup does not expect to be listed either; besides these ``pg_wal``."""
BLOCK = 2**20


def check_files(data: Path) -> None:
    """Compare every file with its size and SHA-256, and read the write-ahead log through.

    Raises:
        NotRestoredError: names the first file that is missing, added or different.
    """
    manifest = _manifest(data / FILE)
    listed: set[str] = set()
    for entry in manifest["Files"]:
        name = entry.get("Path") or bytes.fromhex(entry["Encoded-Path"]).decode(errors="replace")
        listed.add(name)
        _check(data / name, name, entry)
    for path in data.rglob("*"):
        name = path.relative_to(data).as_posix()
        if path.is_file() and name not in listed | UNLISTED and not name.startswith("pg_wal/"):
            raise NotRestoredError(f"{name} is not part of the base backup")
    for part in manifest["WAL-Ranges"]:
        _read_log(data, part)


def _manifest(path: Path) -> dict[str, Any]:
    """Read the manifest; its last line holds the SHA-256 of all that stands before it."""
    try:
        content = path.read_bytes()
        manifest: dict[str, Any] = json.loads(content)
        wanted = str(manifest["Manifest-Checksum"])
    except (OSError, ValueError, KeyError):
        raise NotRestoredError(f"{FILE} cannot be read") from None
    body = content[: content.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(body).hexdigest() != wanted:
        raise NotRestoredError(f"{FILE} was altered")
    return manifest


def _check(path: Path, name: str, entry: dict[str, Any]) -> None:
    if not path.is_file():
        raise NotRestoredError(f"{name} is missing in the base backup")
    if entry["Checksum-Algorithm"] != "SHA256":
        raise NotRestoredError(f"{name} has no SHA-256 in the base backup")
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    if size != entry["Size"] or digest.hexdigest() != entry["Checksum"]:
        raise NotRestoredError(f"{name} differs from the base backup")


def _read_log(data: Path, part: dict[str, Any]) -> None:
    command = [
        str(binary_directory() / "pg_waldump"),
        "--quiet",
        f"--path={data / 'pg_wal'}",
        f"--timeline={part['Timeline']}",
        f"--start={part['Start-LSN']}",
        f"--end={part['End-LSN']}",
    ]
    done = subprocess.run(  # noqa: S603  # fixed program, no shell
        command, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it cannot be read"]
        raise NotRestoredError(f"the write-ahead log of the base backup: {lines[0]}")
