"""The payload keys of one process: read again when they were rotated, by time or by need."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.runtime.errors import PlatformError

REFRESH_SECONDS = 30.0
"""How long a process may go on encrypting with a key that is no longer the newest."""
UNKNOWN_SECONDS = 1.0
"""How long it does not look again for a key that it does not know: anybody may name one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PayloadKey:
    """A key of 16, 24 or 32 bytes and the id under which it is named in payloads."""

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"PayloadKey(key_id={self.key_id!r}, secret=hidden)"


class KeyRing:
    """Encrypts with the first key; opens with whichever key a payload names.

    Args:
        keys: the one that encrypts first.
        reload: returns the keys as they are stored now; None: they never change.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        keys: Sequence[PayloadKey],
        reload: Callable[[], Sequence[PayloadKey]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the keys.

        Raises:
            ValueError: there is none.
        """
        if not keys:
            raise ValueError("at least one payload key is needed")
        self._reload = reload
        self._clock = clock
        self._looked_at = clock()
        self._looking = threading.Lock()
        self._take(keys)

    def current(self) -> tuple[str, AESGCM]:
        """Return the id and cipher to encrypt with; the store is asked beside, not waited for."""
        due = self._reload is not None and self._clock() - self._looked_at >= REFRESH_SECONDS
        if due and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look_and_release, daemon=True).start()
        return self._held

    def cipher(self, key_id: str) -> AESGCM | None:
        """Return the cipher of a key, None when it is not known in the store either."""
        known = self._ciphers.get(key_id)
        if known is None and self._clock() - self._looked_at >= UNKNOWN_SECONDS:
            with self._looking:
                self._look()
            known = self._ciphers.get(key_id)
        return known

    def _look_and_release(self) -> None:
        try:
            self._look()
        finally:
            self._looking.release()

    def _look(self) -> None:
        if self._reload is None:
            return
        self._looked_at = self._clock()
        try:
            self._take(self._reload())
        except PlatformError as error:
            log.warning("the payload keys cannot be read again", error=str(error))

    def _take(self, keys: Sequence[PayloadKey]) -> None:
        ciphers = {key.key_id: AESGCM(key.secret) for key in keys}
        # One assignment each: a reader sees whole ones.
        self._ciphers = ciphers
        self._held = keys[0].key_id, ciphers[keys[0].key_id]
