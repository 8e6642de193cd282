"""Secrets that must be read again (those of one-time codes), sealed before they are stored.

AES-256-GCM under keys derived from the installation's payload keys (HKDF, RFC 5869), which are not
in the database. The context, whose secret it is, is authenticated with it.
"""

import base64
import secrets  # noqa: TID251 - secrets are made here
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE: Final = b"aether one-time code secrets"
NONCE_BYTES: Final = 12


class SealError(Exception):
    """What was sealed cannot be opened: another key, another person's, or altered."""


class Sealing:
    """Seals with the first key; opens with whichever key a text names."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Derive one key from each.

        Args:
            keys: id and secret of each payload key, the one in use first.
        """
        self._current = keys[0][0]
        self._ciphers = {key_id: AESGCM(_derived(secret)) for key_id, secret in keys}

    def seal(self, content: bytes, context: str) -> str:
        """Return the content sealed for a context, as text."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, content, context.encode())
        return f"{self._current}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, text: str, context: str) -> bytes:
        """Return what was sealed for a context.

        Raises:
            SealError: it cannot be opened.
        """
        key_id, _, body = text.partition(":")
        raw = base64.b64decode(body)
        try:
            return self._ciphers[key_id].decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()
            )
        except (KeyError, InvalidTag):
            raise SealError("a sealed secret cannot be opened with the keys at hand") from None


def _derived(secret: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)
