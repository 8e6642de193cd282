"""The key with which one account signs: what it may do, and going over to another one."""

from activities.adapters.kraken.limits.cool_down import CoolDown
from activities.adapters.kraken.rest.key_rights import key_permissions
from activities.adapters.kraken.rest.nonce import KeyLock, NonceCounter
from activities.adapters.kraken.rest.transport import Transport
from activities.ports.secrets import Credentials


class Signing:
    """Holds the lock of the key that a transport signs with."""

    def __init__(self, transport: Transport, lock: KeyLock | None) -> None:
        self._transport = transport
        self._lock = lock

    async def permissions(self) -> frozenset[str]:
        """Return what the key may do, asked with the call that needs no permission."""
        return await key_permissions(self._transport)

    def use_key(
        self, credentials: Credentials, nonces: NonceCounter, lock: KeyLock, key_rest: CoolDown
    ) -> None:
        """Sign with another key of the same account from the next call on.

        The stream stays connected by the token it has; its next connection asks with the new key.
        """
        self._transport.use_key(credentials, nonces, key_rest)
        old, self._lock = self._lock, lock
        if old is not None:
            old.release()

    def release(self) -> None:
        """Give the key's lock back; releasing twice is harmless."""
        if self._lock is not None:
            self._lock.release()
