"""What belongs to one exchange key: its nonces' high-water mark, and the lock of its only user.

Synchronous, because signed calls run in threads; every method is short.
"""

import hashlib
from typing import Any

import psycopg

from activities.ports.exchange_errors import CredentialsError, ExchangeUnavailableError
from activities.ports.secrets import key_fingerprint

_LOAD = "SELECT high_water FROM api_key_nonces WHERE key_fingerprint = %s"
_SAVE = """
    INSERT INTO api_key_nonces (account_id, key_fingerprint, high_water) VALUES (%s, %s, %s)
    ON CONFLICT (key_fingerprint) DO UPDATE
        SET high_water = GREATEST(api_key_nonces.high_water, excluded.high_water)
"""


class KeyTakenError(CredentialsError):
    """Another process, or another account, uses this key (A-3)."""


class PostgresNonceStore:
    """Keep a key's high-water mark; it only rises, whoever writes it."""

    def __init__(self, driver_url: str, account: str, key: str) -> None:
        self._url = driver_url
        self._account = account
        self._fingerprint = key_fingerprint(key)

    def load(self) -> int:
        """Return the stored mark, 0 when there is none."""
        with _scope(self._url, self._account) as connection:
            row = connection.execute(_LOAD, [self._fingerprint]).fetchone()
        return 0 if row is None else int(row[0])

    def save(self, high_water: int) -> None:
        """Raise the mark and commit; a lower one leaves it as it is.

        Raises:
            KeyTakenError: the key belongs to another account.
        """
        values = [self._account, self._fingerprint, high_water]
        try:
            with _scope(self._url, self._account) as connection:
                connection.execute(_SAVE, values)
        except psycopg.errors.InsufficientPrivilege as error:
            # Row-level security hides the other account's row, but the key is unique.
            raise KeyTakenError("this key belongs to another account") from error


class PostgresKeyLock:
    """Hold a key for as long as one database session lives: the server frees it when we die."""

    def __init__(self, driver_url: str, key: str) -> None:
        self._url = driver_url
        self._number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def acquire(self) -> None:
        """Take the lock or raise KeyTakenError at once; taking it again checks that it is held."""
        if self.is_held:
            return
        self.release()
        connection = _connect(self._url)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [self._number]).fetchone()
        if row is None or not row[0]:
            connection.close()
            raise KeyTakenError("this key is in use by another process")
        self._connection = connection

    @property
    def is_held(self) -> bool:
        """Ask the session whether it still lives, and with it the lock."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back; releasing twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise ExchangeUnavailableError(f"the record cannot be reached: {error}") from error


def _scope(url: str, account: str) -> psycopg.Connection[tuple[Any, ...]]:
    connection = _connect(url)
    # One connection, one short call: the scope may last for the whole session.
    connection.execute("SELECT set_config('aether.account_id', %s, false)", [account])
    return connection
