"""The log's signer over a key in a file."""

from datetime import datetime
from pathlib import Path

from infra.runtime.files import write_atomically
from infra.runtime.note_keys import LOG, NoteSigner, NoteVerifier, kept_signer
from models.trading.governance.record.checkpoints import Checkpoint, SignedNote

KEY_FILE = "record-signing-key"


def log_name(installation: str) -> str:
    """Return the name of an installation's log: the origin of its checkpoints."""
    return f"aether/{installation}/record"


class FileSigner:
    """Signs checkpoints of one log, and writes the newest one into a file as well.

    Args:
        secrets: directory of the signing key.
        published: directory of the newest checkpoint and of the key that verifies it.
        origin: the log's name, see ``log_name``.
    """

    def __init__(self, secrets: Path, published: Path, origin: str) -> None:
        self._signer: NoteSigner = kept_signer(secrets / KEY_FILE, origin, LOG)
        published.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(published / "log.key", (self.verifier.text() + "\n").encode())

    @property
    def verifier(self) -> NoteVerifier:
        """Return the public key."""
        return self._signer.verifier

    def signed(self, size: int, root: bytes, at: datetime) -> str:
        """Return a checkpoint as a signed note."""
        text = Checkpoint(self.verifier.name, size, root).text()
        return SignedNote(text, (self._signer.sign(text, at),)).note()
