"""An audit row and the exact bytes that are hashed, in the chain as in the tree."""

import hashlib
from dataclasses import dataclass

FIRST_HASH = "0" * 64
"""The previous hash of a chain's first row."""


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """An audit row as text, each field as it is hashed.

    Attributes:
        recorded_at: UTC as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``.
        details: the text that PostgreSQL gives for the row's JSON.
        context: the same of what the row says of its origin, None in rows of an older version.
        hash: lower-case hexadecimal SHA-256 as stored.
    """

    account: str
    sequence: int
    recorded_at: str
    actor: str
    action: str
    correlation: str
    details: str
    context: str | None
    previous_hash: str
    hash: str

    def content(self) -> bytes:
        """Return the hashed bytes: each field as ``<length in bytes>:<field>,``."""
        fields = [
            self.previous_hash,
            self.account,
            str(self.sequence),
            self.recorded_at,
            self.actor,
            self.action,
            self.correlation,
            self.details,
        ]
        if self.context is not None:
            fields.append(self.context)
        return b"".join(b"%d:%s," % (len(raw), raw) for raw in (f.encode() for f in fields))

    def chain_hash(self) -> str:
        """Return the hash that the row must have in its chain."""
        return hashlib.sha256(self.content()).hexdigest()
