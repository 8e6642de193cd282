"""Streams as chunks that are encrypted and bound to their place.

Each chunk is sealed with AES-256-GCM (NIST SP 800-38D) under the key of its part and a random
96-bit nonce. What is authenticated with it names the backup, the part and the chunk's number, so
that a chunk which was altered, moved, or taken from another backup does not open. How many there
are is told by the manifest, so that one cut off the end is missed.
"""

import io
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.backup.errors import DamagedBackupError
from infra.backup.stores import ObjectStore

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CHUNK_BYTES = 4 * 2**20
NONCE_BYTES = 12
KEY_BYTES = 32


def seal(key: bytes, place: str, content: bytes) -> bytes:
    """Encrypt content for its place; the nonce stands before it."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def unseal(key: bytes, place: str, sealed: bytes) -> bytes:
    """Decrypt what was sealed for this place.

    Raises:
        DamagedBackupError: it was altered, belongs elsewhere, or was sealed with another key.
    """
    nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, content, place.encode())
    except (InvalidTag, ValueError):
        raise DamagedBackupError(f"{place} was altered or belongs to another place") from None


def chunk_name(backup: str, part: str, number: int) -> str:
    """Return the name of a chunk, which is its place as well."""
    return f"{backup}/{part}.{number:06d}"


class ChunkWriter(io.RawIOBase):
    """A stream into a store; ``chunks`` and ``size`` are final when it has been closed."""

    def __init__(self, store: ObjectStore, backup: str, part: str, key: bytes) -> None:
        self._store, self._backup, self._part, self._key = store, backup, part, key
        self._pending = bytearray()
        self.chunks = 0
        self.size = 0

    def writable(self) -> bool:
        """Tell that it is written to."""
        return True

    def write(self, content: "ReadableBuffer") -> int:
        """Take content; whole chunks leave at once."""
        data = bytes(content)
        self._pending += data
        self.size += len(data)
        while len(self._pending) >= CHUNK_BYTES:
            self._send(bytes(self._pending[:CHUNK_BYTES]))
            del self._pending[:CHUNK_BYTES]
        return len(data)

    def close(self) -> None:
        """Send what is left; an empty stream has one empty chunk."""
        if not self.closed and (self._pending or not self.chunks):
            self._send(bytes(self._pending))
            self._pending.clear()
        super().close()

    def _send(self, content: bytes) -> None:
        name = chunk_name(self._backup, self._part, self.chunks)
        self._store.put(name, seal(self._key, name, content))
        self.chunks += 1


class ChunkReader(io.RawIOBase):
    """The stream that was written as so many chunks."""

    def __init__(self, store: ObjectStore, backup: str, part: str, key: bytes, chunks: int) -> None:
        self._store, self._backup, self._part, self._key = store, backup, part, key
        self._chunks, self._next = chunks, 0
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        """Tell that it is read from."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer as far as the chunk at hand goes; 0 at the end.

        Raises:
            DamagedBackupError: the next chunk is missing or does not open.
        """
        while not self._pending and self._next < self._chunks:
            name = chunk_name(self._backup, self._part, self._next)
            self._pending = memoryview(unseal(self._key, name, self._store.get(name)))
            self._next += 1
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count
