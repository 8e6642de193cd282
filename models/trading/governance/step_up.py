"""Confirming one action: what exactly was confirmed, as a hash that a passkey signs."""

import json
from collections.abc import Mapping
from hashlib import sha256


def canonical(content: Mapping[str, str | None]) -> str:
    """Return a content as the text that is hashed: sorted keys, no spaces, UTF-8 (RFC 8785)."""
    return json.dumps(dict(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def challenge(purpose: str, subject: str, content: Mapping[str, str | None], nonce: str) -> bytes:
    """Return the 32 bytes that a passkey signs to confirm an action.

    Args:
        purpose: the operation, for example ``approve``.
        subject: what it is about, for example the approval's id.
        content: what is changed by it, as it is shown to the person.
        nonce: random, so that no earlier signature serves again.
    """
    fields = (purpose, subject, canonical(content), nonce)
    # Each with its length, so that no two lists of fields make the same text.
    return sha256(b"".join(b"%d:%s," % (len(raw), raw) for raw in map(str.encode, fields))).digest()


SHOWS_CONTENT = "the passkey has signed the hash of what was confirmed"
LACKS_CONTENT = "a one-time code does not show what was confirmed, only that somebody had the code"
