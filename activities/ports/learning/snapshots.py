"""Recorded daily candles that a training learns from, as they were read at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.learning.features.bars import Bars


class SnapshotError(ValueError):
    """The directory holds no candles that can be learnt from."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Histories by pair, as they were read, and the hash of the files' contents and names."""

    histories: dict[str, Bars]
    hash: str

    @property
    def pairs(self) -> tuple[str, ...]:
        """Return the pairs in the order of the histories."""
        return tuple(self.histories)


ReadSnapshot = Callable[[Path], Snapshot]
"""Reads a directory; raises SnapshotError where it holds nothing to learn from."""
