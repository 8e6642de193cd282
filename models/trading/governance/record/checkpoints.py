"""Checkpoints and signed notes as text (C2SP: tlog-checkpoint, signed-note, tlog-cosignature).

Only the texts are made and read here; signatures are made and checked by ``infra``.
"""

import base64
import binascii
from dataclasses import dataclass

from models.trading.governance.record.merkle import HASH_BYTES

SIGNATURE_START = "\u2014 "
LONGEST_NOTE = 16_384
MOST_SIGNATURES = 16


class CheckpointError(ValueError):
    """A text is no checkpoint, or no signed note."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log's tree is and what its root is."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the signed text: origin, size and root, one a line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A line of a signed note: who signed, the first bytes of the key's hash, the signature."""

    name: str
    key_hash: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line with its end."""
        encoded = base64.b64encode(self.key_hash + self.signature).decode()
        return f"{SIGNATURE_START}{self.name} {encoded}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text and who signed it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def note(self) -> str:
        """Return the whole note."""
        return self.text + "\n" + "".join(one.line() for one in self.signatures)

    def signed_too(self, signature: NoteSignature) -> "SignedNote":
        """Return the note with one more signature."""
        return SignedNote(self.text, (*self.signatures, signature))


def checkpoint_of(text: str) -> Checkpoint:
    """Read a checkpoint's text; lines after the third are extensions and are let pass.

    Raises:
        CheckpointError: it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise CheckpointError("a checkpoint has at least three lines")
    origin, size, encoded = lines[:3]
    if not origin or not size.isascii() or not size.isdigit() or size != str(int(size)):
        raise CheckpointError("a checkpoint begins with its log's name and the size of the tree")
    return Checkpoint(origin, int(size), _decoded(encoded, HASH_BYTES))


def note_of(note: str) -> SignedNote:
    """Read a signed note.

    Raises:
        CheckpointError: it is none.
    """
    text, found, lines = note.rpartition("\n\n")
    if not found or len(note) > LONGEST_NOTE or not lines.endswith("\n"):
        raise CheckpointError("not a signed note")
    signatures = []
    for line in lines[:-1].split("\n"):
        name, divided, encoded = line.removeprefix(SIGNATURE_START).partition(" ")
        if not line.startswith(SIGNATURE_START) or not name or not divided or "+" in name:
            raise CheckpointError("a line of the note is no signature")
        raw = _decoded(encoded)
        signatures.append(NoteSignature(name, raw[:4], raw[4:]))
    if len(signatures) > MOST_SIGNATURES:
        raise CheckpointError("too many signatures")
    return SignedNote(text + "\n", tuple(signatures))


def _decoded(encoded: str, length: int | None = None) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise CheckpointError("not base64") from None
    # Four bytes of a key's hash stand before any signature.
    if len(raw) != length if length is not None else len(raw) <= 4:
        raise CheckpointError("the wrong number of bytes")
    return raw
