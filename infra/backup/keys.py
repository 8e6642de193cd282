"""The two keys of backups, kept apart from the state and from each other.

``data.key`` opens the record, Temporal's histories and the simulator's state; ``secrets.key`` opens
the exchange keys, the payload keys and certificates. Whoever verifies backups needs the first only.
Each backup has keys of its own for its parts; these two only wrap them.
"""

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.backup.errors import BackupError, WrongKeyError
from infra.backup.sealing import KEY_BYTES, seal, unseal
from infra.runtime.files import write_atomically

DATA, SECRETS = "data", "secrets"


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """A key that wraps the keys of parts. ``repr`` never shows it."""

    name: str
    value: bytes

    def __repr__(self) -> str:
        return f"WrappingKey({self.name}, {self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """Return what names the key without telling it."""
        return hashlib.sha256(b"aether backup key" + self.value).hexdigest()[:16]

    def wrap(self, place: str, key: bytes) -> str:
        """Return a part's key as a manifest holds it."""
        return base64.b64encode(seal(self.value, f"key of {place}", key)).decode()

    def unwrap(self, place: str, wrapped: str) -> bytes:
        """Return a part's key.

        Raises:
            DamagedBackupError: it was altered.
        """
        return unseal(self.value, f"key of {place}", base64.b64decode(wrapped))

    def signing_key(self) -> bytes:
        """Return the key by which manifests are authenticated."""
        return HKDF(hashes.SHA256(), KEY_BYTES, None, b"aether backup manifest").derive(self.value)


class BackupKeys:
    """The key files of a directory that is not part of the state."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self) -> list[Path]:
        """Make the files that are missing, and return them: copies of them belong elsewhere."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = [self._path(name) for name in (DATA, SECRETS) if not self._path(name).exists()]
        for path in made:
            write_atomically(path, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n", 0o600)
        return made

    def key(self, name: str) -> WrappingKey:
        """Return one of the two.

        Raises:
            BackupError: the file is missing or holds something else.
        """
        path = self._path(name)
        try:
            value = base64.b64decode(path.read_bytes(), validate=False)
        except FileNotFoundError:
            raise BackupError(f"the backup key {path} is missing: AETHER_BACKUP_KEYS") from None
        if len(value) != KEY_BYTES:
            raise BackupError(f"{path} is no backup key: base64 of {KEY_BYTES} bytes")
        return WrappingKey(name, value)

    def has(self, name: str) -> bool:
        """Tell whether one of the two is here: who verifies needs no key of the secrets."""
        return self._path(name).exists()

    def matching(self, name: str, fingerprint: str, backup: str) -> WrappingKey:
        """Return the key if it is the one that a backup was made with.

        Raises:
            WrongKeyError: it is another one.
        """
        key = self.key(name)
        if key.fingerprint != fingerprint:
            raise WrongKeyError(
                f"backup {backup} was made with another key than {self._path(name)} "
                f"({fingerprint}, not {key.fingerprint})"
            )
        return key

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.key"
