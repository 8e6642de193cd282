"""The store of one machine: a file under AES-256-GCM.

Its key is in a key file, or derived from a passphrase (Argon2id, RFC 9106, its second recommended
choice). It guards against a copied or backed-up data file and against a glance; not against someone
who can read every file of this user.
"""

import base64
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.runtime.files import write_atomically
from infra.runtime.secrets.store import (
    NEW,
    Content,
    Document,
    SecretsConflictError,
    SecretsDamagedError,
    SecretsMissingError,
)

KEY_FILE, DATA_FILE, LOCK_FILE = "key", "secrets.encrypted", "lock"
FORMAT = 2
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""96 bits, the size for which AES-GCM is specified (NIST SP 800-38D, 8.2)."""
SALT_BYTES: Final = 16
ITERATIONS: Final = 3
LANES: Final = 4
MEMORY_KIBIBYTES: Final = 64 * 1024
_FERNET = b"gAAAA"
"""How a file of format 1 begins."""


class LocalStore:
    """Secrets of one installation in one directory.

    Every read sees the file as it is now, so that a change by another process is seen at once.

    Args:
        directory: of the data file, and of the key file unless another is given.
        key_file: 32 random bytes as URL-safe base64; made by ``create`` where there is none.
        passphrase_file: a passphrase in its first line; takes the place of the key file.
    """

    kind = "local file"
    is_writable = True

    def __init__(
        self, directory: Path, key_file: Path | None = None, passphrase_file: Path | None = None
    ) -> None:
        self._directory = directory
        self._key_file = key_file or directory / KEY_FILE
        self._passphrase_file = passphrase_file
        self._data_file = directory / DATA_FILE
        self._derived: dict[str, bytes] = {}

    def create(self) -> None:
        """Make the directory, the key and an empty store; keep what is there.

        Raises:
            SecretsDamagedError: it cannot be decrypted, or others may read it.
            SecretsMissingError: half of an earlier store is gone, or there is no passphrase.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        with self._locked():
            if self._passphrase_file is None and not self._key_file.exists():
                if self._data_file.exists():
                    raise self._missing(self._key_file)
                self._key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                key = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES))
                write_atomically(self._key_file, key, 0o600)
            if not self._data_file.exists():
                self._write({}, self._fresh_header())
            elif self._data_file.read_bytes().startswith(_FERNET):
                self._write(self._of_format_1(), self._fresh_header())
            self._read()

    def read(self, name: str) -> Document | None:
        """Return a document as it is now, None when there is none."""
        found = self._read()[0].get(name)
        return None if found is None else Document(name, str(found["version"]), found["content"])

    def write(self, name: str, content: Content, version: str) -> str:
        """Store a document if it still has the version; return the new one."""
        with self._locked():
            documents, header = self._read()
            known = documents.get(name)
            if (NEW if known is None else str(known["version"])) != version:
                raise SecretsConflictError(f"{name} was changed meanwhile")
            fresh = 1 if known is None else known["version"] + 1
            documents[name] = {"version": fresh, "content": dict(content)}
            self._write(documents, header)
        return str(fresh)

    def remove(self, name: str) -> None:
        """Forget a document; removing nothing is harmless."""
        with self._locked():
            documents, header = self._read()
            if documents.pop(name, None) is not None:
                self._write(documents, header)

    def names(self) -> list[str]:
        """Return the names of all documents, in order."""
        return sorted(self._read()[0])

    def check(self) -> None:
        """Read and decrypt the store; raise what is wrong."""
        self._read()

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        try:
            raw = self._private(self._data_file)
            key_or_passphrase = self._key_material()
        except FileNotFoundError as error:
            raise self._missing(Path(str(error.filename))) from None
        head, _, sealed = raw.partition(b"\n")
        try:
            header = json.loads(head)
            found = header["format"]
        except (ValueError, KeyError, TypeError):
            raise self._unreadable() from None
        if found != FORMAT:
            raise SecretsDamagedError(
                f"the secrets in {self._directory} have format {found}, this version knows "
                f"{FORMAT}: use the version of Aether that wrote them"
            )
        try:
            cipher = AESGCM(self._key(header, key_or_passphrase))
            content = json.loads(cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head))
        except (InvalidTag, ValueError, KeyError):
            raise self._unreadable() from None
        return content["documents"], header

    def _write(self, documents: dict[str, Any], header: dict[str, Any]) -> None:
        head = json.dumps(header).encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = json.dumps({"documents": documents}).encode()
        cipher = AESGCM(self._key(header, self._key_material()))
        sealed = nonce + cipher.encrypt(nonce, content, head)
        write_atomically(self._data_file, head + b"\n" + sealed, 0o600)

    def _fresh_header(self) -> dict[str, Any]:
        if self._passphrase_file is None:
            return {"format": FORMAT, "key": "file"}
        salt = base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode()
        return {"format": FORMAT, "key": "passphrase", "salt": salt}

    def _key_material(self) -> bytes:
        if self._passphrase_file is None:
            return self._private(self._key_file)
        words = self._private(self._passphrase_file).partition(b"\n")[0]
        if not words:
            raise SecretsMissingError(f"{self._passphrase_file} holds no passphrase")
        return words

    def _key(self, header: dict[str, Any], material: bytes) -> bytes:
        by_passphrase = self._passphrase_file is not None
        if (header["key"] == "passphrase") != by_passphrase:
            raise SecretsDamagedError(
                f"the secrets in {self._directory} are under a {header['key']}: "
                "AETHER_SECRETS_PASSPHRASE_FILE"
            )
        if not by_passphrase:
            return base64.urlsafe_b64decode(material)
        known = self._derived.get(header["salt"])
        if known is None:
            # Not at the top: where there is a key file nobody waits for it.
            from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

            salt = base64.b64decode(header["salt"])
            known = Argon2id(
                salt=salt,
                length=KEY_BYTES,
                iterations=ITERATIONS,
                lanes=LANES,
                memory_cost=MEMORY_KIBIBYTES,
            ).derive(material)
            self._derived[header["salt"]] = known
        return known

    def _private(self, path: Path) -> bytes:
        """Return what a file holds, unless others than its owner and root may get at it."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SecretsDamagedError(
                    f"{path} can be read or changed by other users: chmod 600 {path}"
                )
            if status.st_uid not in (0, os.geteuid()):
                raise SecretsDamagedError(f"{path} belongs to another user: chown it")
            return file.read()

    def _of_format_1(self) -> dict[str, Any]:
        """Return the documents of a store as an earlier version wrote it, under Fernet."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            sealed = Fernet(self._private(self._directory / KEY_FILE))
            old = json.loads(sealed.decrypt(self._data_file.read_bytes()))
            found: dict[str, Content] = {
                f"exchange/{account}/{mode}": key
                for account, modes in old["exchange"].items()
                for mode, key in modes.items()
            }
            for name, value in old.get("providers", {}).items():
                found[f"provider/{name}"] = {"value": value}
            order = " ".join(old["codec"])
            found["payload-keys"] = {"order": order, **old["codec"]}
            found["administrator-token"] = {"token": old["administrator_token"]}
        except FileNotFoundError as error:
            raise self._missing(Path(str(error.filename))) from None
        except (InvalidToken, ValueError, KeyError):
            raise self._unreadable() from None
        return {name: {"version": 1, "content": dict(one)} for name, one in found.items()}

    def _unreadable(self) -> SecretsDamagedError:
        return SecretsDamagedError(
            f"the secrets in {self._directory} cannot be decrypted: key and data do not belong "
            "together. Restore both from one backup, or start afresh: aether admin reset"
        )

    def _missing(self, path: Path) -> SecretsMissingError:
        home = self._directory.parent
        if not home.exists() or not any(home.iterdir()):  # nothing is lost: nothing was there
            return SecretsMissingError(
                f"{self._directory} is not there yet: start the platform once, aether up"
            )
        return SecretsMissingError(
            f"{path} is missing, so the stored secrets cannot be read. Restore it from a backup, "
            "or start afresh: aether admin reset"
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
