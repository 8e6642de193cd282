"""The public keys that verify an installation's checkpoints."""

from infra.runtime.note_keys import NoteVerifier, verifier_of
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory


def record_verifiers(settings: Settings) -> list[NoteVerifier]:
    """Return the log's key and its witnesses', as far as they were made yet.

    Raises:
        StateError: a file holds no key.
    """
    files = (StateDirectory(settings.home).record / "log.key", settings.witness / "witness.key")
    found = [verifier_of(file.read_text()) for file in files if file.exists()]
    return [*found, verifier_of(settings.witness_key)] if settings.witness_key else found
