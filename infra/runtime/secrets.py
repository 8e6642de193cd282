"""The encrypted local store of secrets: the lesser form of Vault for one machine.

One data file, encrypted and authenticated with Fernet (AES-128-CBC, HMAC-SHA-256) under a key kept
in a file of its own. It guards against a copied or backed-up data file and against a glance; not
against someone who can read every file of this user.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken

from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically
from models.trading.risk.limits import Mode

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """An exchange key and its secret as stored. ``repr`` never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"ExchangeKey(key=…{self.key[-4:]}, secret=hidden)"


class LocalSecretStore:
    """Secrets of one installation under ``directory`` (files ``key`` and ``secrets.encrypted``).

    Every read sees the file as it is now, so that a change by another process is seen at once.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key_file = directory / "key"
        self._data_file = directory / "secrets.encrypted"

    @classmethod
    def create(cls, directory: Path) -> Self:
        """Make the store with its codec key and administrator token; keeps what already exists.

        Raises:
            StateError: half of an earlier store is missing, or it cannot be decrypted.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        store = cls(directory)
        with store._locked():
            if not store._key_file.exists():
                if store._data_file.exists():
                    raise StateError(store._missing("key"))
                write_atomically(store._key_file, Fernet.generate_key(), 0o600)
            if not store._data_file.exists():
                store._write(_fresh_secrets())
            store._read()
        return store

    def exchange_key(self, account: str, mode: Mode) -> ExchangeKey | None:
        """Return the account's key for a mode, None when there is none."""
        stored = self._read()["exchange"].get(account, {}).get(mode.value)
        return ExchangeKey(stored["key"], stored["secret"]) if stored else None

    def put_exchange_key(self, account: str, mode: Mode, key: ExchangeKey) -> None:
        """Store an account's key for a mode; one key belongs to one account only (A-3).

        Raises:
            ValueError: the key is already stored for another account.
        """
        with self._locked():
            content = self._read()
            for owner, modes in content["exchange"].items():
                if owner != account and any(k["key"] == key.key for k in modes.values()):
                    raise ValueError("this exchange key belongs to another account")
            modes = content["exchange"].setdefault(account, {})
            modes[mode.value] = {"key": key.key, "secret": key.secret}
            self._write(content)

    def simulated_key(self, account: str) -> ExchangeKey:
        """Return the account's key for the simulator, generated at the first call."""
        existing = self.exchange_key(account, Mode.SIMULATED)
        if existing is None:
            existing = ExchangeKey(
                key=base64.b64encode(secrets.token_bytes(42)).decode(),
                secret=base64.b64encode(secrets.token_bytes(64)).decode(),
            )
            self.put_exchange_key(account, Mode.SIMULATED, existing)
        return existing

    def codec_keys(self) -> dict[str, bytes]:
        """Return the 32-byte keys of the payload codec by id; the first one encrypts."""
        return {name: base64.b64decode(key) for name, key in self._read()["codec"].items()}

    def administrator_token(self) -> str:
        """Return the bootstrap administrator's bearer token."""
        return str(self._read()["administrator_token"])

    def replace_administrator_token(self) -> str:
        """Make the bootstrap administrator's token anew and return it; the old one is forgotten."""
        with self._locked():
            content = self._read() | {"administrator_token": secrets.token_urlsafe(32)}
            self._write(content)
        return str(content["administrator_token"])

    def _read(self) -> dict[str, Any]:
        try:
            cipher = Fernet(self._key_file.read_bytes())
            content = json.loads(cipher.decrypt(self._data_file.read_bytes()))
        except FileNotFoundError as error:
            raise StateError(self._missing(Path(str(error.filename)).name)) from None
        except (InvalidToken, ValueError):
            raise StateError(
                f"the secrets in {self._directory} cannot be decrypted: key and data do not belong "
                "together. Restore both from one backup, or start afresh: aether admin reset"
            ) from None
        if content.get("format") != FORMAT:
            raise StateError(
                f"the secrets in {self._directory} have format {content.get('format')}, this "
                f"version knows {FORMAT}: use the version of Aether that wrote them"
            )
        result: dict[str, Any] = content
        return result

    def _write(self, content: dict[str, Any]) -> None:
        cipher = Fernet(self._key_file.read_bytes())
        write_atomically(self._data_file, cipher.encrypt(json.dumps(content).encode()), 0o600)

    def _missing(self, name: str) -> str:
        home = self._directory.parent
        if not home.exists() or not any(home.iterdir()):  # nothing is lost: nothing was there
            return f"{self._directory} is not there yet: start the platform once, aether up"
        return (
            f"{self._directory / name} is missing, so the stored secrets cannot be read. Restore "
            "it from a backup, or start afresh: aether admin reset"
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _fresh_secrets() -> dict[str, Any]:
    return {
        "format": FORMAT,
        "exchange": {},
        "codec": {secrets.token_hex(4): base64.b64encode(secrets.token_bytes(32)).decode()},
        "administrator_token": secrets.token_urlsafe(32),
    }
