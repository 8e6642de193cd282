"""Nonces that only ever rise, across threads, restarts and clocks that step back; and key locks."""

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from activities.ports.exchange_errors import ExchangeError, ExchangeUnavailableError, KeyInUseError

_log = logging.getLogger(__name__)


def key_fingerprint(key: str) -> str:
    """Return a short digest that names a key in a file name without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class NonceStore(Protocol):
    """Where a key's high-water mark survives a restart."""

    def load(self) -> int:
        """Return the stored mark, 0 when there is none."""
        ...

    def save(self, high_water: int) -> None:
        """Store the mark durably before returning."""
        ...


class FileNonceStore:
    """Keep the mark in a small file, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> int:
        """Return the stored mark, 0 when there is none.

        Raises:
            ValueError: the file holds something else; guessing could repeat a nonce.
        """
        try:
            return int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def save(self, high_water: int) -> None:
        """Write the mark to disk, then put it in place of the old one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, str(high_water).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(self._path)


class SeveralNonceStores:
    """Keep the mark in several places: the highest counts, and the first must take each one.

    The others may fail once they have been read: a nonce is not repeated as long as one place has
    it, and a stop is not withheld because another does not answer.
    """

    def __init__(self, first: NonceStore, *others: NonceStore) -> None:
        self._first = first
        self._others = others

    def load(self) -> int:
        """Return the highest mark; every place must answer."""
        return max(store.load() for store in (self._first, *self._others))

    def save(self, high_water: int) -> None:
        """Store the mark in the first place, and in the others as far as they answer."""
        self._first.save(high_water)
        for store in self._others:
            try:
                store.save(high_water)
            except ExchangeUnavailableError as error:
                _log.warning("a nonce mark is kept in one place less: %s", error)


class NonceCounter:
    """Hand out strictly increasing nanosecond nonces.

    A block of numbers is stored as used before its first number is: after a crash the next process
    starts above the block, whatever its clock says.
    """

    BLOCK_NANOSECONDS = 60 * 10**9

    def __init__(self, store: NonceStore, clock: Callable[[], int] = time.time_ns) -> None:  # noqa: TID251 - the default of an argument
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._last = self._reserved = store.load()

    def next(self) -> int:
        """Return a number above every one returned before, here or in an earlier process."""
        with self._lock:
            nonce = max(self._clock(), self._last + 1)
            if nonce > self._reserved:
                reserved = nonce + self.BLOCK_NANOSECONDS
                self._store.save(reserved)
                self._reserved = reserved
            self._last = nonce
            return nonce


class KeyLock(Protocol):
    """Makes one process the only user of a key: two would race each other's nonces."""

    def acquire(self) -> None:
        """Take the lock or raise KeyInUseError at once."""
        ...

    def release(self) -> None:
        """Give the lock back."""
        ...


class SeveralLocks:
    """Hold several locks of one key as one: the installation's, and the machine's."""

    def __init__(self, *locks: KeyLock) -> None:
        self._locks = locks

    def acquire(self) -> None:
        """Take all locks, or none and raise KeyInUseError."""
        try:
            for lock in self._locks:
                lock.acquire()
        except ExchangeError:
            self.release()
            raise
        except OSError as failure:
            self.release()
            words = f"nobody can tell whether the key is in use elsewhere: {failure}"
            raise KeyInUseError(words) from failure

    def release(self) -> None:
        """Give all locks back."""
        for lock in self._locks:
            lock.release()


class FileKeyLock:
    """Lock a file with flock; the kernel releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise KeyInUseError at once."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failure:
            os.close(descriptor)
            raise KeyInUseError(f"the key is in use by another process ({self._path})") from failure
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
