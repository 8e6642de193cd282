"""What a backup consists of. Its file is written last: without it there is no backup."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from infra.backup.errors import DamagedBackupError
from infra.backup.keys import DATA, BackupKeys, WrappingKey
from infra.backup.stores import ObjectStore

FORMAT = 1
FILE = "manifest.json"
VERIFIED_FILE = "verified.json"


class Part(BaseModel):
    """One stream of a backup.

    Attributes:
        chunks: how many there are.
        size: bytes before encryption.
        key: the part's own key, wrapped.
        wrapped_by: which of the two backup keys wraps it.
        fingerprint: that key's fingerprint.
    """

    chunks: int
    size: int
    key: str
    wrapped_by: str
    fingerprint: str


class Head(BaseModel):
    """The end of an account's audit chain when a backup began."""

    sequence: int
    hash: str


class Manifest(BaseModel):
    """What a backup holds and what it has to bring back.

    Attributes:
        format: a newer one is refused.
        name: the backup's name.
        began_at: when Temporal's state was taken; nothing decided before it is missing.
        ended_at: when the record was whole: the end of its write-ahead log.
        revision: the database's migration.
        parts: streams by name.
        left_out: what the installation has and this backup does not hold, with the reason.
        heads: ends of the audit chains before the record was taken.
        books: rows and digest of every table, "" where the stack ran meanwhile.
    """

    format: int = FORMAT
    name: str
    began_at: datetime
    ended_at: datetime
    revision: str
    parts: dict[str, Part]
    left_out: dict[str, str]
    heads: dict[str, Head]
    books: dict[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Return the bytes of all parts before encryption."""
        return sum(part.size for part in self.parts.values())


class Verified(BaseModel):
    """That a backup was restored into an empty place and found to be what it says.

    Attributes:
        replayed: open histories that this build decides as they have been decided.
        proven_rows: rows of the record that a cosigned checkpoint covers.
        not_checked: what could not be looked at, with the reason.
    """

    name: str
    at: datetime
    seconds: float
    replayed: int = 0
    proven_rows: int = 0
    not_checked: dict[str, str] = Field(default_factory=dict)


def write(store: ObjectStore, name: str, document: BaseModel, file: str, key: WrappingKey) -> None:
    """Store a document with its authentication."""
    body = document.model_dump(mode="json")
    content = {"body": body, "key": key.fingerprint, "mac": _mac(key, f"{name}/{file}", body)}
    store.put(f"{name}/{file}", json.dumps(content, indent=1).encode())


def read_manifest(store: ObjectStore, name: str, keys: BackupKeys) -> Manifest:
    """Return a backup's manifest.

    Raises:
        DamagedBackupError: it is missing, altered, or of a newer format.
        WrongKeyError: it was made with another key.
    """
    try:
        found = Manifest.model_validate(read_document(store, name, FILE, keys))
    except ValidationError:
        raise DamagedBackupError(f"{name}/{FILE} has a form that is not known") from None
    if found.format > FORMAT or found.name != name:
        raise DamagedBackupError(f"{name}/{FILE} is of another backup or a newer version")
    return found


def read_verified(store: ObjectStore, name: str, keys: BackupKeys) -> Verified | None:
    """Return when a backup was verified, None if it never was."""
    if not store.exists(f"{name}/{VERIFIED_FILE}"):
        return None
    return Verified.model_validate(read_document(store, name, VERIFIED_FILE, keys))


def read_document(store: ObjectStore, name: str, file: str, keys: BackupKeys) -> dict[str, Any]:
    """Return the body of a document of a backup.

    Raises:
        DamagedBackupError: it is missing or altered.
        WrongKeyError: it was made with another key.
    """
    place = f"{name}/{file}"
    try:
        content = json.loads(store.get(place))
        body, fingerprint, mac = content["body"], content["key"], content["mac"]
    except (ValueError, KeyError, TypeError):
        raise DamagedBackupError(f"{place} cannot be read") from None
    key = keys.matching(DATA, str(fingerprint), name)
    if not hmac.compare_digest(str(mac).encode(), _mac(key, place, body).encode()):
        raise DamagedBackupError(f"{place} was altered")
    result: dict[str, Any] = body
    return result


def _mac(key: WrappingKey, place: str, body: dict[str, Any]) -> str:
    text = json.dumps([place, body], sort_keys=True, separators=(",", ":"))
    return hmac.new(key.signing_key(), text.encode(), hashlib.sha256).hexdigest()
