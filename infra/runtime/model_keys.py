"""The key that signs models: made at first use, kept with the installation's secrets.

Who trains signs; who decides verifies with the public key alone.
"""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically
from infra.runtime.note_keys import LOG, NoteSigner, NoteVerifier, kept_signer, verifier_of
from infra.runtime.state_directory import StateDirectory
from models.trading.governance.record.checkpoints import NoteSignature, SignedNote

KEY_FILE = "model-signing-key"
PUBLIC_FILE = "models.key"
NAME = "aether/models"


class ModelSigner:
    """Sign what pins a model."""

    def __init__(self, home: Path) -> None:
        state = StateDirectory(home)
        self._signer: NoteSigner = kept_signer(state.secrets / KEY_FILE, NAME, LOG)
        state.registry.mkdir(mode=0o700, parents=True, exist_ok=True)
        public = (self._signer.verifier.text() + "\n").encode()
        write_atomically(state.registry / PUBLIC_FILE, public)

    def sign(self, text: str) -> str:
        """Return the signature of a text in base64."""
        # Ed25519 over the text alone: the time is not part of it.
        signed = self._signer.sign(text, datetime.fromtimestamp(0, UTC))
        return base64.b64encode(signed.signature).decode()


class ModelSignatures:
    """Verify by the public key that the installation published."""

    def __init__(self, home: Path) -> None:
        self._file = StateDirectory(home).registry / PUBLIC_FILE

    def verifies(self, text: str, signature: str) -> bool:
        """Tell whether the installation's key signed the text; without a key nothing did."""
        try:
            key: NoteVerifier = verifier_of(self._file.read_text())
            raw = base64.b64decode(signature, validate=True)
        except (OSError, StateError, binascii.Error):
            return False
        note = SignedNote(text, (NoteSignature(key.name, key.key_hash, raw),))
        return key.signed_at(note) is not None
