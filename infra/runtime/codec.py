"""Encryption of Temporal payloads: AES-GCM, the key's id beside the ciphertext, rotating keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
NONCE_BYTES = 12
"""96 bits, the size for which AES-GCM is specified (NIST SP 800-38D, 8.2)."""


class PayloadKeyError(Exception):
    """A payload was encrypted with a key that is not known, or was altered."""


@dataclass(frozen=True, slots=True)
class PayloadKey:
    """A key of 16, 24 or 32 bytes and the id under which it is named in payloads."""

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"PayloadKey(key_id={self.key_id!r}, secret=hidden)"


class EncryptionCodec(PayloadCodec):
    """Encrypt with the first key; decrypt with whichever key a payload names.

    A rotation puts the new key first and keeps the old ones until the retention of the last
    history written with them has passed. Payloads that are not encrypted pass through decoding
    unchanged, so that a namespace can be switched over while workflows run.
    """

    def __init__(self, keys: Sequence[PayloadKey]) -> None:
        if not keys:
            raise ValueError("at least one payload key is needed")
        self._current = keys[0].key_id
        self._ciphers: Mapping[str, AESGCM] = {k.key_id: AESGCM(k.secret) for k in keys}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads encrypted, their own metadata inside the ciphertext."""
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads in the clear; PayloadKeyError when one cannot be opened."""
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce = token_bytes(NONCE_BYTES)
        key_id = self._current.encode()
        sealed = self._ciphers[self._current].encrypt(nonce, payload.SerializeToString(), key_id)
        return Payload(
            metadata={"encoding": ENCODING, "encryption-key-id": key_id}, data=nonce + sealed
        )

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding", b"") != ENCODING:
            return payload
        key_id = payload.metadata.get("encryption-key-id", b"").decode()
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise PayloadKeyError(f"payload key {key_id!r} is not known here")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, key_id.encode()))
        except InvalidTag:
            raise PayloadKeyError(f"payload under key {key_id!r} was altered") from None
