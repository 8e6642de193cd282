"""The tree over all audit rows, its signer, and who watches it grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class RecordDamagedError(Exception):
    """The record no longer holds what its tree was built from."""


class WitnessRefusedError(Exception):
    """A witness does not cosign: the log did not grow consistently."""


class WitnessUnavailableError(ConnectionError):
    """A witness does not answer; the same call may be repeated."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """What was added to the tree.

    Attributes:
        size: leaves of the tree now.
        actions: the actions of the rows that were added.
        complete: whether no row was left to be added.
    """

    size: int
    actions: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it is kept: the signed note, when and why it was made."""

    size: int
    at: datetime
    reason: str
    note: str
    cosigned: bool


class RecordTree(Protocol):
    """The stored tree; every method may be repeated."""

    async def integrate(self) -> Integrated:
        """Add rows that were committed since, each once.

        Raises:
            RecordDamagedError: a chain is shorter than the tree knows it.
        """
        ...

    async def root(self, size: int) -> bytes:
        """Return the root over the first leaves."""
        ...

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of ``new`` leaves grew from that of ``old``."""
        ...

    async def save_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint; a newer one of the same size takes its place."""
        ...


class Witness(Protocol):
    """Somebody with a memory of its own, who cosigns only consistent growth."""

    async def cosigned_size(self) -> int:
        """Return the size that it has cosigned last, 0 before the first."""
        ...

    async def cosign(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Return the line of its signature, and remember the checkpoint.

        Raises:
            WitnessRefusedError: the checkpoint contradicts what it remembers.
            WitnessUnavailableError: it does not answer.
        """
        ...


class CheckpointSigner(Protocol):
    """The log's key, which is not in the database."""

    def signed(self, size: int, root: bytes, at: datetime) -> str:
        """Return a checkpoint as a signed note."""
        ...
