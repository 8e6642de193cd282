"""One user per exchange key: locks and nonce marks on this machine and in the record."""

from collections.abc import Callable
from pathlib import Path

from activities.adapters.kraken.directory import Custody
from activities.adapters.kraken.rest.nonce import (
    FileKeyLock,
    FileNonceStore,
    KeyLock,
    NonceStore,
    SeveralLocks,
    SeveralNonceStores,
    key_fingerprint,
)
from activities.adapters.postgres.accounts.key_custody import PostgresKeyLock, PostgresNonceStore
from activities.ports.secrets import Credentials
from infra.runtime.cache_directory import keys_in_use
from models.trading.risk.limits import Mode


def key_lock(installation: Path, name: str) -> KeyLock:
    """Return the lock of an exchange key: for this installation, and for all of this machine.

    Two installations of one user find the same file in his cache directory, wherever they are.
    """
    return SeveralLocks(
        FileKeyLock(installation / f"{name}.lock"), FileKeyLock(keys_in_use() / f"{name}.lock")
    )


def custody_of(directory: Path, driver_url: Callable[[], str]) -> Custody:
    """Return what makes the nonce store and the lock of an account's key.

    A live key is locked, and its nonces are kept, in the record as well: processes on two machines
    cannot use it at once, and it is one account's only.

    Args:
        directory: of the installation's own marks and locks.
        driver_url: returns the record's address for psycopg.
    """

    def custody(account: str, credentials: Credentials, mode: Mode) -> tuple[NonceStore, KeyLock]:
        name = key_fingerprint(credentials.key)
        marks, lock = FileNonceStore(directory / f"{name}.nonce"), key_lock(directory, name)
        if mode is not Mode.LIVE:
            return marks, lock
        url, key = driver_url(), credentials.key
        return (
            SeveralNonceStores(marks, PostgresNonceStore(url, account, key)),
            SeveralLocks(lock, PostgresKeyLock(url, key)),
        )

    return custody
