"""Ed25519 keys of the record: of the log that signs checkpoints, and of a witness that cosigns.

Formats are C2SP's: ``signed-note`` for the log (signature type 0x01), ``tlog-cosignature`` for a
witness (type 0x04: the time is signed with the checkpoint).
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically
from models.trading.governance.record.checkpoints import NoteSignature, SignedNote

LOG, WITNESS = 1, 4
KEY_BYTES = 32
TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key with its name, as it is handed to whoever verifies."""

    name: str
    kind: int
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """Return what stands before the key's signatures."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    def text(self) -> str:
        """Return the verifier key: name, hash, kind and key."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{encoded}"

    def signed_at(self, note: SignedNote) -> datetime | None:
        """Return when a note was signed, None when this key did not sign it.

        A log's signature carries no time: it is told as the beginning of time.
        """
        for one in note.signatures:
            if one.name == self.name and one.key_hash == self.key_hash:
                at = self._checked(note.text, one.signature)
                if at is not None:
                    return at
        return None

    def _checked(self, text: str, signature: bytes) -> datetime | None:
        at, signed = datetime.fromtimestamp(0, UTC), text.encode()
        if self.kind == WITNESS:
            seconds = int.from_bytes(signature[:TIME_BYTES])
            if seconds >= 2**34:  # beyond the year 2500: no date to be had
                return None
            at, signature = datetime.fromtimestamp(seconds, UTC), signature[TIME_BYTES:]
            signed = _cosigned(seconds, text)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            return None
        return at


class NoteSigner:
    """A private key with its name. ``repr`` never shows the key."""

    def __init__(self, name: str, kind: int, private: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.verifier = NoteVerifier(name, kind, self._key.public_key().public_bytes_raw())

    def sign(self, text: str, at: datetime) -> NoteSignature:
        """Sign a text; a witness signs the time with it, in whole seconds."""
        if self.verifier.kind == WITNESS:
            seconds = int(at.timestamp())
            signature = self._key.sign(_cosigned(seconds, text))
            signature = seconds.to_bytes(TIME_BYTES) + signature
        else:
            signature = self._key.sign(text.encode())
        return NoteSignature(self.verifier.name, self.verifier.key_hash, signature)


def verifier_of(text: str) -> NoteVerifier:
    """Read a verifier key.

    Raises:
        StateError: it is none.
    """
    name, _, rest = text.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raw = b""
    if not name or len(raw) != KEY_BYTES + 1 or raw[0] not in (LOG, WITNESS):
        raise StateError("not a verifier key: name+hash+key expected")
    found = NoteVerifier(name, raw[0], raw[1:])
    if found.key_hash.hex() != hashed:
        raise StateError("the verifier key does not have the hash that it names")
    return found


def kept_signer(file: Path, name: str, kind: int) -> NoteSigner:
    """Return the signer whose key is in a file; the key is made at the first call.

    Raises:
        StateError: other users may read the file, or it holds no key.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        write_atomically(file, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n", 0o600)
    return NoteSigner(name, kind, key_in(file))


def key_in(file: Path) -> bytes:
    """Return the private key in a file.

    Raises:
        StateError: other users may read the file, or it holds no key.
    """
    if file.stat().st_mode & 0o077:
        raise StateError(f"{file} can be read by other users: chmod 600 {file}")
    try:
        private = base64.b64decode(file.read_bytes().strip(), validate=True)
    except ValueError:
        private = b""
    if len(private) != KEY_BYTES:
        raise StateError(f"{file} holds no signing key: restore it from a backup")
    return private


def _cosigned(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
