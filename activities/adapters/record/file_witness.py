"""A witness whose memory is a directory: better on another disk, or another machine's.

``checkpoint`` is the newest checkpoint that it cosigned, ``checkpoints.jsonl`` every one that
covered more rows than the one before; ``log.key`` is the log that it watches, fixed at first sight.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from activities.ports.record import WitnessRefusedError, WitnessUnavailableError
from infra.runtime.files import write_atomically
from infra.runtime.note_keys import WITNESS, NoteVerifier, kept_signer, verifier_of
from models.trading.governance.record.checkpoints import CheckpointError, checkpoint_of, note_of
from models.trading.governance.record.witnessing import Remembered, objection

NEWEST, EVERY, LOG_KEY, OWN_KEY = "checkpoint", "checkpoints.jsonl", "log.key", "witness.key"


class FileWitness:
    """Implement ``Witness``.

    Args:
        directory: its memory; made at the first use.
        log: the key of the log as it is known now. Another one than at first sight is refused.
        clock: protocol time.
    """

    def __init__(self, directory: Path, log: NoteVerifier, clock: Callable[[], datetime]) -> None:
        self._directory = directory
        self._log = log
        self._clock = clock

    @property
    def verifier(self) -> NoteVerifier:
        """Return the key that verifies its signatures."""
        name = f"{self._log.name}/witness"
        return kept_signer(self._directory / "witness-signing-key", name, WITNESS).verifier

    async def cosigned_size(self) -> int:
        """Return the size that it has cosigned last."""
        with self._locked():
            return self._remembered().size

    async def cosign(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Return the line of its signature, and remember the checkpoint.

        Raises:
            WitnessRefusedError: the checkpoint contradicts what it remembers, or is not the log's.
            WitnessUnavailableError: the memory cannot be read or written.
        """
        with self._locked():
            self._check_log()
            signed = note_of(note)
            shown = checkpoint_of(signed.text)
            if self._log.signed_at(signed) is None or shown.origin != self._log.name:
                raise WitnessRefusedError("the checkpoint is not signed by the log")
            remembered = self._remembered()
            if why := objection(remembered, old, proof, shown):
                raise WitnessRefusedError(why)
            signer = kept_signer(
                self._directory / "witness-signing-key", self.verifier.name, WITNESS
            )
            write_atomically(self._directory / OWN_KEY, (signer.verifier.text() + "\n").encode())
            line = signer.sign(signed.text, self._clock()).line()
            if shown.size > remembered.size or not (self._directory / EVERY).exists():
                self._append(note + line)
            write_atomically(self._directory / NEWEST, (note + line).encode())
            return line

    def _append(self, note: str) -> None:
        with (self._directory / EVERY).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"note": note}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _remembered(self) -> Remembered:
        try:
            newest = (self._directory / NEWEST).read_text()
            shown = checkpoint_of(note_of(newest).text)
        except FileNotFoundError:
            if (self._directory / EVERY).exists():
                raise WitnessRefusedError(
                    "the witness's newest checkpoint is gone from its memory"
                ) from None
            return Remembered()
        except CheckpointError as error:
            raise WitnessRefusedError(f"the witness's memory is damaged: {error}") from None
        return Remembered(shown.size, shown.root)

    def _check_log(self) -> None:
        file = self._directory / LOG_KEY
        if not file.exists():
            write_atomically(file, (self._log.text() + "\n").encode())
        if verifier_of(file.read_text()) != self._log:
            raise WitnessRefusedError("the log signs with another key than the witness knows")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise WitnessUnavailableError(str(error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise WitnessUnavailableError(str(error)) from error
        finally:
            os.close(descriptor)
