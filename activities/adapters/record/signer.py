"""The log's signer, with a key from the store of secrets."""

from datetime import UTC, datetime
from pathlib import Path

from infra.runtime.files import write_atomically
from infra.runtime.note_keys import LOG, NoteSigner, NoteVerifier, key_in
from infra.runtime.secrets import InstallationSecrets
from infra.runtime.secrets.installation import fresh_key
from models.trading.governance.record.checkpoints import Checkpoint, SignedNote

NAME = "record"
KEY_FILE = "record-signing-key"
"""Where an earlier version kept the key; it is taken over, and the file removed."""


def log_name(installation: str) -> str:
    """Return the name of an installation's log: the origin of its checkpoints."""
    return f"aether/{installation}/record"


def log_key(secrets: InstallationSecrets, earlier: Path) -> bytes:
    """Return the private key of the log, made at the first call.

    Args:
        secrets: where it is kept.
        earlier: the directory in which an earlier version kept it in a file.

    Raises:
        SecretsError: the store cannot be used.
        StateError: the earlier file holds no key.
    """
    file = earlier / KEY_FILE

    def made() -> bytes:
        return key_in(file) if file.exists() else fresh_key()

    key = secrets.signing_key(NAME, made)
    file.unlink(missing_ok=True)
    return key


class LogSigner:
    """Signs checkpoints of one log, and writes the newest one into a file as well.

    Args:
        private: the key, 32 bytes.
        published: directory of the key that verifies checkpoints.
        origin: the log's name, see ``log_name``.
    """

    def __init__(self, private: bytes, published: Path, origin: str) -> None:
        self._signer = NoteSigner(origin, LOG, private)
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

    @property
    def name(self) -> str:
        """Return the log's name."""
        return self.verifier.name

    def signed_statement(self, text: str) -> str:
        """Return a statement about the record as a signed note."""
        # A log's signature carries no time, so none is asked for.
        at = datetime.fromtimestamp(0, UTC)
        return SignedNote(text, (self._signer.sign(text, at),)).note()
