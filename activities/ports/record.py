"""The tree over all audit rows, its signer, and who watches it grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.trading.governance.record.evidence import ProvenRow


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


class StatementSigner(Protocol):
    """Signs statements of the log about its record, with the log's key."""

    @property
    def name(self) -> str:
        """Return the log's name."""
        ...

    def signed_statement(self, text: str) -> str:
        """Return a text as a signed note."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a pack holds; None: any. ``first`` is the least place in the tree."""

    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    first: int = 0


class EvidenceSource(Protocol):
    """Reads what an evidence pack holds."""

    async def newest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest cosigned checkpoint, else the newest, None before the first."""
        ...

    async def proven_rows(
        self, selection: Selection, after: int, size: int, limit: int
    ) -> Sequence[ProvenRow]:
        """Return rows behind a place of the tree, in its order, with proofs for a tree's size."""
        ...

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree grew from an older size."""
        ...


class PackTarget(Protocol):
    """Where a pack is written: a directory, a bucket. A file is there whole, or not at all."""

    async def read(self, name: str) -> bytes | None:
        """Return a file, None when there is none."""
        ...

    async def write(self, name: str, content: bytes) -> None:
        """Write a file whole.

        Raises:
            OSError: it cannot be written; the same call may be repeated.
        """
        ...


@dataclass(frozen=True, slots=True)
class WantedPack:
    """A pack that somebody has asked for."""

    pack: str
    selection: Selection


class PackDesk(Protocol):
    """Packs that people have asked for; every method may be repeated."""

    async def next_wanted(self) -> WantedPack | None:
        """Return the oldest pack that is not made yet."""
        ...

    async def count(self, selection: Selection) -> int:
        """Return how many rows of the tree a selection has."""
        ...

    def target(self, pack: str) -> PackTarget:
        """Return where the files of a pack go."""
        ...

    async def finish(self, pack: str, rows: int, tree_size: int, at: datetime) -> None:
        """Note that a pack can be fetched."""
        ...

    async def refuse(self, pack: str, reason: str, at: datetime) -> None:
        """Note why a pack is not made."""
        ...

    async def forget(self, before: datetime) -> None:
        """Forget the files of packs that were asked for before a time."""
        ...
